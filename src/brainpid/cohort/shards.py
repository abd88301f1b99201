"""Shards of a cohort: which people a job extracts, and what its inputs look like.

A person's shard is a hash of the label, so that a person who is added moves nobody. A job reruns where one of its own
people comes or goes, or their files change in role, name, size or time; no job looks at others. Of files that everybody
shares, such as an atlas, the content counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from brainpid.cohort.person_files import Found


def shard_of(participant_id: str, shards: int) -> int:
    """Shard of a person, from 0 to ``shards - 1``: ``sha1(participant_id) mod shards``."""
    return int.from_bytes(hashlib.sha1(participant_id.encode(), usedforsecurity=False).digest(), "big") % shards


def stamp(files: Mapping[str, str]) -> str:
    """Roles, names, sizes and times of modification of files, as one text; a link to nothing has no size."""
    parts = []
    for role, path in sorted(files.items()):
        try:
            found = Path(path).stat()
            parts.append(f"{role} {path} {found.st_size} {found.st_mtime_ns}")
        except OSError:  # as of a dataset whose content is not fetched; who looks for the files says so
            parts.append(f"{role} {path} absent")
    return "\n".join(parts)


def content_digest(paths: Iterable[str]) -> str:
    """Digest of the content of files, as 16 hexadecimal digits; a file that is absent counts as such.

    Their names are not in it: they are settings.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
        except OSError:  # who reads the file says what is wrong with it
            digest.update(b"absent")
    return digest.hexdigest()[:16]


def digests(people: Mapping[str, Found], shards: int) -> list[str]:
    """Digest of every shard: changes where one of its people comes or goes, and where what they have changes.

    Parameters
    ----------
    people : mapping of str to Found
        By participant: everybody in the participants table, also who has nothing.
    shards : int

    Returns
    -------
    list of str, length `shards`
    """
    texts: list[list[str]] = [[] for _ in range(shards)]
    for person in sorted(people):
        found = people[person]
        text = f"{person}\n{found.reason}\n{found.note}\n{stamp(found.files)}"
        texts[shard_of(person, shards)].append(text)
    return [hashlib.sha256("\n\n".join(text).encode()).hexdigest()[:12] for text in texts]
