"""Extraction of many people by a pool of processes in which nobody can stop the others.

Every person ends with a result. An image that cannot be used is a FAIL with its sentence; any other error of a library
is a FAIL with the error's own words, and its traceback goes to the log; a process that dies (a crash in compiled code,
or killed for memory) costs the person it was working on and no one else.
"""

from __future__ import annotations

import logging
import multiprocessing
import resource
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from brainpid.cohort.participants import EXCLUDED, FAIL, SUCCESS, UNAVAILABLE
from brainpid.cohort.person_files import Found
from brainpid.core.errors import ImageError, NotInImageError
from brainpid.features.person_results import PersonResult, keep, kept, key_of
from brainpid.imaging.extracted import Extracted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One person to extract.

    Attributes
    ----------
    participant_id : str
    found : Found
    extract : callable
        Takes the files by role and returns an `Extracted`; it travels to another process, hence a module's function or
        a `functools.partial` of one.
    atlas, settings, code : str
        Digest of the atlas's content, settings as text, and digest of the extracting code, for the key of the result.
    folder : path
        Where results are kept.
    """

    participant_id: str
    found: Found
    extract: Callable[[dict[str, str]], Extracted]
    atlas: str
    settings: str
    code: str
    folder: Path


def extract_people(tasks: Sequence[Task], workers: int) -> list[PersonResult]:
    """Extract people in parallel; results in the order of the tasks.

    Parameters
    ----------
    tasks : sequence of Task
    workers : int
        Number of processes.
    """
    results: dict[str, PersonResult] = {}
    waiting: list[tuple[Task, str]] = []
    for task in tasks:
        person = task.participant_id
        if not task.found.files:
            results[person] = PersonResult.without_features(person, "", UNAVAILABLE, task.found.reason)
            continue
        # Before the work: what changes while it is under way must not pass for what the result was made from.
        key = key_of(task.found.files, task.atlas, task.settings, task.code)
        if (old := kept(task.folder, person, key)) is not None:
            results[person] = replace(old, note=task.found.note, acquisition=task.found.acquisition)
        else:
            waiting.append((task, key))
    log.info("%d people: %d kept from before, %d to extract", len(tasks), len(results), len(waiting))
    for result in _run(waiting, workers):
        results[result.participant_id] = result
        log.info(
            "%s %s %s(%.1f s, %.0f MB)",
            result.participant_id,
            result.status,
            f"{result.reason} " if result.reason else "",
            result.seconds,
            result.peak_mb,
        )
    return [results[task.participant_id] for task in tasks]


def _run(tasks: Sequence[tuple[Task, str]], workers: int) -> list[PersonResult]:
    """Run tasks in a pool; where a process dies, run those that were lost one by one in processes of their own."""
    done: list[PersonResult] = []
    lost: list[tuple[Task, str]] = []
    with _pool(max(1, min(workers, len(tasks)))) as pool:
        futures = {pool.submit(extract_person, task, key): (task, key) for task, key in tasks}
        for future in as_completed(futures):
            try:
                done.append(future.result())
            except BrokenProcessPool:
                lost.append(futures[future])
    for task, key in lost:
        try:
            with _pool(1) as pool:
                done.append(pool.submit(extract_person, task, key).result())
        except BrokenProcessPool:
            reason = "the process died while extracting (a crash in compiled code, or no memory left); see the log"
            done.append(PersonResult.without_features(task.participant_id, key, FAIL, reason))
    return done


def _pool(workers: int) -> ProcessPoolExecutor:
    # A fresh interpreter for every worker: a fork would copy the threads' locks of numerical libraries.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def extract_person(task: Task, key: str) -> PersonResult:
    """Extract one person, keep the result under a key that was taken before, and return it; raises nothing."""
    start = time.perf_counter()
    picture = None
    regions: dict[str, tuple[str, ...]] = {}
    remark = ""
    try:
        extracted = task.extract(task.found.files)
        status, reason = (EXCLUDED, extracted.excluded) if extracted.excluded else (SUCCESS, "")
        values, units, quality, picture = extracted.values, extracted.units, extracted.quality, extracted.picture
        regions, remark = extracted.regions, extracted.note
    except NotInImageError as fault:
        status, reason, values, units, quality = UNAVAILABLE, str(fault), {}, {}, {}
    except ImageError as fault:
        status, reason, values, units, quality = FAIL, str(fault), {}, {}, {}
    except Exception as fault:  # the one place where a library may raise anything: the reason is recorded
        status, reason, values, units, quality = FAIL, _in_words(fault), {}, {}, {}
        logging.getLogger(__name__).warning("%s: %s", task.participant_id, traceback.format_exc())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = PersonResult(
        task.participant_id,
        key,
        status,
        reason,
        values,
        units,
        quality,
        round(time.perf_counter() - start, 2),
        round(peak, 1),
        task.found.note,
        regions,
        remark,
        task.found.acquisition,
    )
    keep(task.folder, result, picture)
    return result


def _in_words(fault: Exception) -> str:
    """An unforeseen error as one line."""
    return f"{type(fault).__name__}: {' '.join(str(fault).split())[:300]} (traceback in the log of the job)"
