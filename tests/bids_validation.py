"""The validator of BIDS on a folder, for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def bids_errors(folder: Path) -> list[tuple[str, str]]:
    """Code and place of every error that the validator finds in a dataset; warnings are left out."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    command = [program, "--json", "--ignoreWarnings", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    return [(issue["code"], issue.get("location", "")) for issue in issues if issue["severity"] == "error"]
