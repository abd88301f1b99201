"""Profiles hold options that Snakemake knows, and every line of them is explained."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml
from cohorts import ROOT


@pytest.fixture(scope="module")
def options():
    done = subprocess.run([sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True)
    return set(re.findall(r"--([a-z][a-z-]+)", done.stdout))


@pytest.mark.parametrize("profile", ["default", "slurm"])
def test_a_profile_s_keys_are_options_and_every_line_is_explained(profile, options):
    text = (ROOT / f"profiles/{profile}/config.yaml").read_text()
    assert set(yaml.safe_load(text)) <= options
    for line in text.splitlines():
        assert "#" in line, line


def test_slurm_s_defaults_are_resources_that_rules_use():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    for resource in profile["default-resources"]:
        assert f"{resource}=lambda wildcards, attempt" in rules
    assert profile["executor"] == "slurm"
    assert profile["retries"] > 0  # else `attempt` is always 1
