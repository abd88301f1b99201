"""What the files of people were when they were last looked at, so that content decides whether they have changed.

Size and time of modification are a quick look; where the time alone differs, as after a copy, a restore or a `touch`,
the content is compared. Paths are relative to the root of the source, so that a dataset may be moved. What cannot be
seen is a file that was replaced by another of the same size under the same time.

A record of each shard keeps by which words a file was first known. A file whose content is that of the record is known
by the same words whatever its time is now, and the digest of its shard stays what it was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from brainpid.core.errors import BrainpidError
from brainpid.core.files import write_text
from brainpid.core.machine import machine_error

log = logging.getLogger(__name__)

_READERS = 4
"""Files that are read at once where many are compared: more hide the delay of a network, and burden a disk."""


class FileState(NamedTuple):
    """One file as it was.

    Attributes
    ----------
    path : str
        Relative to the root of the source.
    size, mtime_ns : int
    content : str
        SHA-256 in hexadecimal digits.
    """

    path: str
    size: int
    mtime_ns: int
    content: str


class Known(NamedTuple):
    """A file as it was, and the words by which a digest knows it: its size and time when the content was first met."""

    state: FileState
    identity: str


Record = dict[str, dict[str, Known]]
"""Files by participant and role."""


def relative(path: str, root: str) -> str:
    """A path below a root without it; others by the way from the root to them."""
    top = root if root.endswith("/") else f"{root}/"
    return path.removeprefix(top) if path.startswith(top) else os.path.relpath(path, root)


def taken(path: str, root: str) -> FileState:
    """State of a file, read whole.

    Raises
    ------
    OSError
        Where it cannot be.
    """
    with open(path, "rb", buffering=0) as file:
        found = os.fstat(file.fileno())
        digest = hashlib.file_digest(file, "sha256")
    return FileState(relative(path, root), found.st_size, found.st_mtime_ns, digest.hexdigest())


def unchanged(path: str, root: str, before: FileState) -> FileState | None:
    """State of a file now if it is the file of a state: by size and time, else by size and content. None otherwise.

    Raises
    ------
    OSError
        Where it is not there or cannot be read.
    """
    found = os.stat(path)
    if found.st_size != before.size or relative(path, root) != before.path:
        return None
    if found.st_mtime_ns == before.mtime_ns:
        return before
    now = taken(path, root)
    return now if (now.size, now.content) == (before.size, before.content) else None


def read_record(path: Path) -> Record:
    """Read the record of a shard; one that is absent or damaged is empty.

    Types are not checked, for speed: a value of another type equals nothing that a file is, and counts as changed.
    """
    try:
        return {
            person: {role: Known(FileState(*state), identity) for role, (state, identity) in files.items()}
            for person, files in json.loads(path.read_bytes()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def write_record(path: Path, record: Record) -> None:
    """Write the record of a shard, where that is possible: without it, content that was touched counts as new."""
    with suppress(BrainpidError):
        write_text(path, json.dumps(record, separators=(",", ":")) + "\n")


def record_path(keep: Path, shard: int) -> Path:
    """Where the record of a shard lies, beside the folder of its people's results."""
    return keep.with_name(f"{keep.name}.files") / f"{shard}.json"


def record_of(states: Mapping[str, Mapping[str, FileState]], before: Record) -> Record:
    """Files of people by participant and role, known as in the record before where path and content are the same."""
    return {
        person: {role: _known(state, before.get(person, {}).get(role)) for role, state in own.items()}
        for person, own in states.items()
    }


def _known(now: FileState, before: Known | None) -> Known:
    if before is not None and before.state == now._replace(mtime_ns=before.state.mtime_ns):
        return Known(now, before.identity)
    return Known(now, _words(now.size, now.mtime_ns))


def _words(size: int, mtime_ns: int) -> str:
    return f"{size} {mtime_ns}"


def identities(files: Mapping[str, Mapping[str, str]], root: str, record: Record) -> tuple[dict[str, str], bool]:
    """Roles, relative paths and identities of people's files, as one text a person.

    A file that is not there, as of a dataset whose content is not fetched, is ``absent``; one that the machine cannot
    look at for now stays what it was.

    Parameters
    ----------
    files : mapping of str to mapping of str to str
        Paths by role, by participant.
    root : str
        Top folder of the source.
    record : Record
        What was known of them. Times that differ from it while the content does not are entered into it.

    Returns
    -------
    texts : dict of str to str
    renewed : bool
        Whether times of the record were brought up to date.
    """
    texts: dict[str, list[str]] = {}
    doubtful: list[tuple[str, str, int, Known]] = []
    for person, own in files.items():
        known = record.get(person, {})
        lines = texts[person] = []
        for role in sorted(own):
            path, before = own[role], known.get(role)
            short = relative(path, root)
            if before is not None and before.state.path != short:
                before = None
            try:
                found = os.stat(path)
            except OSError as fault:
                for_now = before is not None and machine_error(fault) is not None
                lines.append(f"{role} {short} {before.identity if before is not None and for_now else 'absent'}")
                continue
            if before is None or found.st_size != before.state.size:
                lines.append(f"{role} {short} {_words(found.st_size, found.st_mtime_ns)}")
                continue
            if found.st_mtime_ns != before.state.mtime_ns:
                doubtful.append((person, role, len(lines), before))
            lines.append(f"{role} {short} {before.identity}")
    renewed = False
    contents = _read_all([(files[person][role], root) for person, role, _, _ in doubtful])
    for (person, role, line, before), now in zip(doubtful, contents, strict=True):
        if isinstance(now, OSError):
            texts[person][line] = f"{role} {before.state.path} unreadable"
        elif now.content == before.state.content:
            record[person][role] = Known(now, before.identity)
            renewed = True
        else:
            texts[person][line] = f"{role} {now.path} {_words(now.size, now.mtime_ns)}"
    return {person: "\n".join(lines) for person, lines in texts.items()}, renewed


def _read_all(paths: Iterable[tuple[str, str]]) -> list[FileState | OSError]:
    """States of files, several read at once; in the place of one that cannot be read, why."""

    def one(place: tuple[str, str]) -> FileState | OSError:
        try:
            return taken(*place)
        except OSError as fault:
            return fault

    paths = list(paths)
    if not paths:
        return []
    log.warning(
        "the times of %d files are other than when they were extracted; their contents are compared", len(paths)
    )
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(one, paths))
