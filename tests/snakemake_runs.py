"""Real Snakemake runs, for tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cohorts import ROOT

SOURCES = ROOT / "src"


def snakemake(config: Path, *options: str, source: Path = SOURCES) -> subprocess.CompletedProcess[str]:
    """Run the workflow on a configuration, with the package's code from `source`."""
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(config), *options]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def planned(config: Path, source: Path = SOURCES) -> dict[str, int]:
    """Jobs that a run would do, by rule; the target rule left out."""
    dry = snakemake(config, "--dry-run", source=source)
    assert dry.returncode == 0, dry.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", dry.stderr + dry.stdout, flags=re.MULTILINE))
    return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}
