"""Extraction of many people by processes in which nobody can stop the others.

A person's fault is the person's: an image that cannot be used is a FAIL with its sentence; any other error of a library
is a FAIL with the error's own words, and its traceback goes to the log; so is a crash in compiled code. Both are tried
twice, in a fresh process, and the machine is asked before anybody is blamed.

A fault of the machine is nobody's: a file that the system refuses to read, a disk that is full, a process that is
killed. Everybody else is extracted and kept, and then the job fails and names it, so that the next try does what is
lacking. Where it would hit everybody, no more people are begun.
"""

from __future__ import annotations

import errno
import logging
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from brainpid.cohort.file_states import FileState, taken
from brainpid.cohort.participants import EXCLUDED, FAIL, SUCCESS, UNAVAILABLE
from brainpid.cohort.person_files import Found
from brainpid.core.errors import ImageError, InputError, MachineError, NotInImageError, ToolError
from brainpid.core.machine import check_memory, check_room, machine_error, of_errno, told_in_words, try_temporary_files
from brainpid.core.progress import progress
from brainpid.features.person_results import PersonResult, keep, kept, key_of
from brainpid.features.workers import Died, outcomes
from brainpid.imaging.extracted import Extracted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One person to extract.

    Attributes
    ----------
    participant_id : str
    found : Found
    root : str
        Top folder of the source.
    extract : callable
        Takes the files by role and returns an `Extracted`; it travels to another process, hence a module's function or
        a `functools.partial` of one.
    atlas, settings, code : str
        Digest of the atlas's content, settings as text, and digest of the extracting code with the versions of its
        libraries, for the key of the result.
    folder : path
        Where results are kept.
    scratch : int
        Bytes of temporary files that the extraction writes; 0 where it writes none.
    """

    participant_id: str
    found: Found
    root: str
    extract: Callable[[dict[str, str]], Extracted]
    atlas: str
    settings: str
    code: str
    folder: Path
    scratch: int = 0

    @property
    def key(self) -> str:
        """Key of the result."""
        return key_of(self.found.files, self.root, self.atlas, self.settings, self.code)


@dataclass(frozen=True)
class Attempt:
    """What came of one try in which the machine did its part.

    Attributes
    ----------
    result : PersonResult
    doubtful : bool
        Whether it is a failure of compiled code, which may do better in a fresh process.
    """

    result: PersonResult
    doubtful: bool = False


def extract_people(
    tasks: Sequence[Task], workers: int, unseen: Mapping[str, MachineError] | None = None
) -> list[PersonResult]:
    """Extract people in parallel; results in the order of the tasks.

    Parameters
    ----------
    tasks : sequence of Task
    workers : int
        Number of processes.
    unseen : mapping of str to MachineError, optional
        People whose files could not be looked for.

    Raises
    ------
    MachineError
        Where the machine failed on one or more people, once all others are extracted and kept.
    """
    results: dict[str, PersonResult] = {}
    faults = dict(unseen or {})
    waiting: list[Task] = []
    for task in tasks:
        person = task.participant_id
        if not task.found.files:
            results[person] = PersonResult.without_features(person, "", UNAVAILABLE, task.found.reason)
            continue
        try:
            old = kept(task.folder, person, task.key, task.found.files, task.root)
        except OSError as fault:
            faults[person] = _of_a_file(fault)
            continue
        if old is not None:
            results[person] = replace(old, note=task.found.note, acquisition=task.found.acquisition)
        else:
            waiting.append(task)
    log.info("%d people: %d kept from before, %d to extract", len(tasks), len(results), len(waiting))
    _run(waiting, workers, results, faults)
    if faults:
        raise _in_one(faults, len(tasks) + len(unseen or {}), len(results))
    return [results[task.participant_id] for task in tasks]


def _run(
    tasks: Sequence[Task], workers: int, results: dict[str, PersonResult], faults: dict[str, MachineError]
) -> None:
    """Extract people into results and faults; nobody is begun after a fault that everybody would meet."""
    again: list[Task] = []
    for part, last in ((tasks, False), (again, True)):
        attempts = outcomes(extract_person, _until_for_all(part, faults), 1 if last else workers, fresh=last)
        for task, found in progress(attempts, "extracting people", len(part)):
            person = task.participant_id
            attempt = _of_the_dead(task, found) if isinstance(found, Died) else found
            if isinstance(attempt, MachineError):
                faults[person] = attempt
                log.error("%s: %s", person, attempt)
            elif attempt.doubtful and not last:
                again.append(task)
                log.warning("%s: tried again in a fresh process: %s", person, attempt.result.reason)
            else:
                results[person] = attempt.result
                _tell(attempt.result)


def _until_for_all(tasks: Iterable[Task], faults: Mapping[str, MachineError]) -> Iterator[Task]:
    """Tasks, as long as no fault has been met that would hit everybody."""
    for task in tasks:
        if any(fault.for_all for fault in faults.values()):
            return
        yield task


def _tell(result: PersonResult) -> None:
    log.info(
        "%s %s %s(%.1f s, %.0f MB)",
        result.participant_id,
        result.status,
        f"{result.reason} " if result.reason else "",
        result.seconds,
        result.peak_mb,
    )


def _in_one(faults: Mapping[str, MachineError], people: int, done: int) -> MachineError:
    """What the job ends with: the first person and fault, how many there are, and what the next try does."""
    person, first = next(iter(faults.items()))
    left = people - done - len(faults)
    begun = f", {left} were not begun since they would meet it too" if left else ""
    return MachineError(
        f"{person}: {first} ({len(faults)} of {people} people met such faults of the machine{begun}; nobody is failed "
        f"for them). What was computed is kept: the next try of the same command extracts the others alone",
        first.code,
        first.path,
        any(fault.for_all for fault in faults.values()),
    )


def _of_the_dead(task: Task, died: Died) -> Attempt | MachineError:
    """What came of a person whose process died: a crash is tried again and then is the person's, all else is not."""
    if not died.crashed:
        why = "probably for lack of memory" if died.exitcode == -signal.SIGKILL else "from outside"
        return MachineError(
            f"the process was ended by {died}, {why} (largest process so far {died.peak_mb:.0f} MB); give the job "
            "more memory (mem_mb) or time, or run fewer at once"
        )
    if (fault := _found_at(task)) is not None:
        return fault
    reason = f"the process died while extracting ({died}: a crash in compiled code, or no memory left); see the log"
    return Attempt(PersonResult.without_features(task.participant_id, task.key, FAIL, reason), doubtful=True)


def extract_person(task: Task) -> Attempt | MachineError:
    """Extract one person and keep the result; raises nothing."""
    start = time.perf_counter()
    result = PersonResult.without_features(task.participant_id, task.key, FAIL, "")
    picture = None
    doubtful = False
    try:
        # Before the work: what changes while it is under way must not pass for what the result was made from.
        result = replace(result, files=_states(task))
        if task.scratch:
            check_room(task.scratch)
        extracted = task.extract(task.found.files)
        picture = extracted.picture
        result = replace(
            result,
            status=EXCLUDED if extracted.excluded else SUCCESS,
            reason=extracted.excluded,
            values=extracted.values,
            units=extracted.units,
            quality=extracted.quality,
            regions=extracted.regions,
            remark=extracted.note,
        )
    except Exception as fault:  # the one place where a library may raise anything: the reason is recorded
        if (machine := _machine_behind(fault, task)) is not None:
            return machine
        doubtful = isinstance(fault, ToolError) or not isinstance(fault, ImageError)
        status = UNAVAILABLE if isinstance(fault, NotInImageError) else FAIL
        result = replace(
            result, status=status, reason=str(fault) if isinstance(fault, ImageError) else _in_words(fault)
        )
        if not isinstance(fault, ImageError):
            log.warning("%s: %s", task.participant_id, traceback.format_exc())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = replace(
        result,
        seconds=round(time.perf_counter() - start, 2),
        peak_mb=round(peak, 1),
        note=task.found.note,
        acquisition=task.found.acquisition,
    )
    try:
        keep(task.folder, result, picture)
    except MachineError as fault:
        return fault
    except InputError as fault:  # as of a file in the place of the folder
        return MachineError(str(fault), path=str(task.folder))
    except OSError as fault:
        return machine_error(fault, task.folder) or of_errno(fault.errno or errno.EIO, fault.filename or task.folder)
    return Attempt(result, doubtful=doubtful)


def _states(task: Task) -> dict[str, FileState]:
    """States of a person's files.

    Raises
    ------
    MachineError
        Where the system refuses to read one, or one has gone since it was found.
    ImageError
        Where one is no file.
    """
    states = {}
    for role, path in task.found.files.items():
        try:
            states[role] = taken(path, task.root)
        except OSError as fault:
            if fault.errno in (errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG):
                raise ImageError(f"{path}: {fault.strerror}; expected a file") from fault
            raise _of_a_file(fault, path) from fault
    return states


def _of_a_file(fault: OSError, path: str = "") -> MachineError:
    """Why a file that was found cannot be read."""
    return machine_error(fault, path) or MachineError(
        f"{fault.filename or path}: the file was there when it was looked for and is gone ({fault.strerror})",
        fault.errno or errno.ENOENT,
        str(fault.filename or path),
    )


def _machine_behind(fault: Exception, task: Task) -> MachineError | None:
    """The machine's fault behind an error: what it says itself, else what is found when the machine is looked at."""
    if (found := machine_error(fault)) is not None:
        return found
    if isinstance(fault, ToolError) or not isinstance(fault, ImageError):
        found = told_in_words(fault)
    return found or _found_at(task)


def _found_at(task: Task) -> MachineError | None:
    """What is wrong with the machine now: temporary files cannot be written, or the person's files not be read."""
    try:
        if task.scratch:
            check_room(task.scratch)
        try_temporary_files(task.scratch)
        check_memory()
        _states(task)
    except MachineError as fault:
        return fault
    except ImageError:
        return None
    return None


def _in_words(fault: Exception) -> str:
    """An unforeseen error as one line."""
    return f"{type(fault).__name__}: {' '.join(str(fault).split())[:300]} (traceback in the log of the job)"
