"""Where `sacct` does not answer, `squeue` is asked, and where neither does, a sentence says it."""

from __future__ import annotations

import pytest

from brainpid.core import slurm
from brainpid.core.errors import InputError
from brainpid.core.slurm import without_accounts

DISABLED = "echo 'Slurm accounting storage is disabled' >&2; exit 1"
AGE = "echo 'MessageTimeout = 10 sec'; echo 'MinJobAge               = {} sec'"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Make commands of Slurm by name, each a line of shell; no others are there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(**lines: str) -> None:
        for name, line in lines.items():
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{line}\n")
            path.chmod(0o755)

    return make


def test_a_cluster_with_accounts_is_left_alone(commands):
    commands(sacct="exit 0", squeue="exit 1")
    assert without_accounts() is None


@pytest.mark.parametrize(
    ("sacct", "reason"),
    [
        (DISABLED, "Slurm accounting storage is disabled"),
        ("exit 3", "it ended with status 3"),
        ("while :; do :; done", "no answer in 1 s"),
        (None, "No such file or directory"),
    ],
)
def test_without_accounts_squeue_is_asked_and_the_reason_said(commands, monkeypatch, sacct, reason):
    monkeypatch.setattr(slurm, "PATIENCE_S", 1.0)
    commands(squeue="exit 0", scontrol=AGE.format(300), **({"sacct": sacct} if sacct else {}))
    found = without_accounts()
    assert found is not None
    assert found.first_s == 100
    assert found.sentence == f"slurm: the state of jobs is asked of squeue, as sacct does not tell it ({reason})"


@pytest.mark.parametrize(("age", "first", "warned"), [(60, 20, True), (0, 0, False), (3600, 1200, False)])
def test_how_long_a_job_is_remembered_decides_when_it_is_asked_for(commands, age, first, warned):
    commands(sacct=DISABLED, squeue="exit 0", scontrol=AGE.format(age))
    found = without_accounts()
    assert found is not None
    assert found.first_s == first
    assert ("forgets a job" in found.sentence) == warned


def test_how_long_is_not_known(commands):
    commands(sacct=DISABLED, squeue="exit 0")
    assert without_accounts().first_s is None


def test_neither_answers(commands):
    commands(sacct=DISABLED, squeue="echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(InputError, match=r"sacct: Slurm accounting .*; squeue: Unable to contact slurm controller"):
        without_accounts()
