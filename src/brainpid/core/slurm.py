"""How the state of Slurm jobs can be asked for here: many clusters keep no accounts, and `sacct` then never answers.

The executor plugin of Snakemake takes `sacct` wherever that command is installed. Where it fails, a run would wait for
its first job for ever. `squeue` needs no accounts, but forgets a job some time after its end.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from brainpid.core.errors import InputError

PATIENCE_S = 20.0
"""How long a command of Slurm may take to answer."""
PROBE = "brainpid-probe"
"""Name of no job."""
SACCT = ("sacct", "-X", "--parsable2", "--clusters", "all", "--noheader", "--format=JobIdRaw,State", "--name", PROBE)
"""As the plugin asks, which needs more than `sacct` alone."""
SQUEUE = ("squeue", "--noheader", "--states=all", "--name", PROBE)
LONGEST_PAUSE_S = 180
"""Longest time between two questions of the plugin."""


@dataclass(frozen=True)
class Polling:
    """How to ask with `squeue`.

    Attributes
    ----------
    first_s : int or None
        Seconds to the first question: at most a third of the time for which a job is remembered, else the plugin goes
        back to `sacct`. None where any time will do.
    sentence : str
        For the start of a run.
    """

    first_s: int | None
    sentence: str


def without_accounts() -> Polling | None:
    """How to ask for the state of jobs where `sacct` gives none; None where it does.

    Raises
    ------
    InputError
        Where `squeue` does not answer either.
    """
    fault = _ask(SACCT)[1]
    if not fault:
        return None
    if other := _ask(SQUEUE)[1]:
        raise InputError(
            f"Slurm does not tell the state of jobs: sacct: {fault}; squeue: {other}; expected one of them to work "
            "where Snakemake is started (a login node)"
        )
    remembered = min_job_age()
    sentence = f"slurm: the state of jobs is asked of squeue, as sacct does not tell it ({fault})"
    if remembered is None:
        return Polling(None, sentence)
    if 0 < remembered <= LONGEST_PAUSE_S:
        sentence += (
            f"; this cluster forgets a job {remembered} s after its end (MinJobAge), and one that is not asked for in "
            f"time is waited for without end: expected more than {LONGEST_PAUSE_S} s"
        )
    return Polling(remembered // 3, sentence)


def min_job_age() -> int | None:
    """Seconds for which a job that has ended is remembered; 0 is for ever, None is unknown."""
    text, _ = _ask(("scontrol", "show", "config"))
    found = re.search(r"^MinJobAge\s*=\s*(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else None


def _ask(command: Sequence[str]) -> tuple[str, str]:
    """What a command answers, and why it does not work, in its own words; empty where it does."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer in {PATIENCE_S:g} s"
    except OSError as fault:
        return "", fault.strerror or str(fault)
    if done.returncode == 0:
        return done.stdout, ""
    return "", " ".join((done.stderr or done.stdout).split())[:160] or f"it ended with status {done.returncode}"
