"""How far a run of the workflow is, from what Snakemake tells of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

TARGET = "all"
STEPS = {
    "participants": "reading participants",
    "extract_table": "reading features from a table",
    "index": "listing images",
    "extract_images": "extracting features from images",
    "quality": "comparing quality measures",
    "collect": "joining a cohort's features",
    "split": "splitting people into folds",
    "leakage": "looking for leaks",
    "train_baseline": "training",
    "train_pidreg": "training",
    "train_final": "training on everybody",
    "explain": "asking what a model rests on",
    "null": "permuting for p-values",
    "rescore": "reading information for the reference ages",
    "aggregate": "joining all folds",
    "groups": "comparing groups",
    "harmonisation": "telling what harmonisation costs",
    "report": "writing the report",
}
"""Rules of the workflow in words."""
FEWEST_TIMED = 3


def step(rule: str) -> str:
    """A rule in words; one that trains several folds is called after them.

    Examples
    --------
    >>> step("train_pidreg_0_to_4")
    'training'
    """
    name = re.sub(r"_\d+_to_\d+$", "", rule)
    return STEPS.get(name, name)


@dataclass(frozen=True)
class Job:
    """One step for one cohort, fold or the like.

    Attributes
    ----------
    rule : str
    of : mapping of str to str
        What it is for: wildcards of the rule by name.
    log : tuple of str
        Its log files.
    """

    rule: str
    of: Mapping[str, str] = field(default_factory=dict)
    log: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The step in words.

        Examples
        --------
        >>> print(Job("train_pidreg", {"model": "pidreg", "repeat": "0", "fold": "3"}))
        training (model pidreg, repeat 0, fold 3)
        """
        of = ", ".join(f"{name} {value}" for name, value in self.of.items())
        return f"{step(self.rule)} ({of})" if of else step(self.rule)


@dataclass
class Study:
    """A run as far as it has been told.

    Attributes
    ----------
    output_dir : str
        Empty as long as Snakemake has not read the configuration.
    counts : dict of str to int
        Jobs of each rule that are to be done, without the target's; None as long as that is not known.
    whole : bool
        Whether the target is among them, so that everything is asked for.
    done, seconds : by rule
        Jobs that are done, and how long each took.
    working : dict of int to tuple of Job and float
        Jobs at work, by Snakemake's number, and when they began.
    failed : dict of int to Job
    warnings : list of str
        Those not yet shown.
    """

    output_dir: str = ""
    counts: dict[str, int] | None = None
    whole: bool = False
    done: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    working: dict[int, tuple[Job, float]] = field(default_factory=dict)
    failed: dict[int, Job] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    began: float | None = None

    @property
    def total(self) -> int:
        """Jobs that are to be done."""
        return sum((self.counts or {}).values())

    def take(self, told: Mapping[str, Any], now: float) -> None:
        """Take in what Snakemake told at a time, in seconds of any clock."""
        match told["event"]:
            case "study":
                self.output_dir = told["output_dir"]
            case "run_info":
                stats = dict(told["stats"])
                stats.pop("total", None)
                self.whole = bool(stats.pop(TARGET, 0))
                self.counts, self.began = stats, now
            case "job_info" if told["rule"] != TARGET:
                self.working[told["job"]] = Job(told["rule"], told["of"], tuple(told["log"])), now
                self.failed.pop(told["job"], None)  # it is tried again
            case "job_finished" if told["job"] in self.working:
                job, began = self.working.pop(told["job"])
                self.done[job.rule] += 1
                self.seconds.setdefault(job.rule, []).append(now - began)
            case "job_error":
                job, _ = self.working.pop(told["job"], (Job(told["rule"]), now))
                self.failed[told["job"]] = Job(job.rule, job.of, tuple(told["log"]))
            case "warning":
                self.warnings.append(told["message"])

    def seconds_left(self, now: float) -> float | None:
        """Seconds until the end, as far as the steps so far tell; None where they are too few.

        A step that was not yet done is taken to last as long as the others do on average, and as many are taken to be
        at work at a time as have been.
        """
        times = [seconds for own in self.seconds.values() for seconds in own]
        if self.counts is None or self.began is None or len(times) < FEWEST_TIMED:
            return None
        usual = {rule: fmean(self.seconds.get(rule, times)) for rule in self.counts}
        working = Counter(job.rule for job, _ in self.working.values())
        failed = Counter(job.rule for job in self.failed.values())
        work = sum(
            max(0, number - self.done[rule] - working[rule] - failed[rule]) * usual[rule]
            for rule, number in self.counts.items()
        )
        elapsed = [now - began for _, began in self.working.values()]
        work += sum(max(0.0, usual.get(job.rule, 0.0) - (now - began)) for job, began in self.working.values())
        at_a_time = (sum(times) + sum(elapsed)) / max(now - self.began, 1e-9)
        return work / max(1.0, at_a_time)

    def told(self, now: float) -> str:
        """What is being done and how long it takes, without how far it is.

        Examples
        --------
        >>> study = Study(counts={"null": 2}, working={1: (Job("null", {"cohort": "a"}), 0.0)})
        >>> study.told(1.0)
        'permuting for p-values (cohort a)'
        """
        jobs = [job for job, _ in self.working.values()]
        what = (
            str(jobs[0]) + (f" and {len(jobs) - 1} more" if len(jobs) > 1 else "") if jobs else "planning what is next"
        )
        left = self.seconds_left(now)
        return what if left is None else f"{in_words(left)} left; {what}"

    def line(self, now: float) -> str:
        """How far it is, as a line of a log.

        Examples
        --------
        >>> Study(counts={"null": 2}).line(0.0)
        '0 of 2 steps done; planning what is next'
        """
        if self.counts is None:
            return "looking what there is to do"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"{self.done.total()} of {self.total} steps done{failed}; {self.told(now)}"


def in_words(seconds: float) -> str:
    """A rough duration.

    Examples
    --------
    >>> in_words(20), in_words(290), in_words(3 * 3600)
    ('under a minute', 'about 5 min', 'about 3 h')
    """
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    return f"about {minutes} min" if minutes < 100 else f"about {round(minutes / 60)} h"
