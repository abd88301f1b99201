"""Real Snakemake runs, for tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from cohorts import ROOT

SOURCES = ROOT / "src"
CORES = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
"""Tests that run side by side share the cores."""


def snakemake(config: Path, *options: str, source: Path = SOURCES) -> subprocess.CompletedProcess[str]:
    """Run the workflow on a configuration, in its folder, with the package's code from `source`.

    What Snakemake remembers of a run is in that folder too. With relative paths in the configuration, a copy of the
    folder is a finished run as well.
    """
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--configfile", str(config), "--cores", CORES, *options]
    return subprocess.run(command, cwd=config.parent, env=environment, capture_output=True, text=True, check=False)


def planned(config: Path, source: Path = SOURCES) -> dict[str, int]:
    """Jobs that a run would do, by rule; the target rule left out."""
    return done(config, "--dry-run", source=source)


def done(config: Path, *options: str, source: Path = SOURCES) -> dict[str, int]:
    """Run the workflow, expect it to succeed, and give its jobs by rule; the target rule left out."""
    finished = snakemake(config, *options, source=source)
    assert finished.returncode == 0, finished.stderr
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", finished.stderr + finished.stdout, flags=re.MULTILINE))
    return {rule: int(count) for rule, count in jobs.items() if rule not in ("all", "total")}
