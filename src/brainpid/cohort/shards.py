"""Shards of a cohort: which people a job extracts, and what its inputs look like.

A person's shard is a hash of the label, so that a person who is added moves nobody. A job reruns where one of its own
people comes or goes, or their files change in role, name or content; no job looks at others. Of files that everybody
shares, such as an atlas, the content counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from brainpid.cohort.file_states import identities, read_record, record_path, write_record
from brainpid.cohort.person_files import Found
from brainpid.core.machine import refuse_machine_fault


def shard_of(participant_id: str, shards: int) -> int:
    """Shard of a person, from 0 to ``shards - 1``: ``sha1(participant_id) mod shards``."""
    return int.from_bytes(hashlib.sha1(participant_id.encode(), usedforsecurity=False).digest(), "big") % shards


def kept_folder(output_dir: str, cohort: str, modality: str) -> str:
    """Folder of what was extracted from the people of a cohort."""
    return f"{output_dir}/features/persons/{cohort}/{modality}"


def content_digest(paths: Iterable[str]) -> str:
    """Digest of the content of files, as 16 hexadecimal digits; a file that is absent counts as such.

    Their names are not in it: they are settings.

    Raises
    ------
    MachineError
        Where the system refuses to read one that is there.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
        except OSError as fault:  # who reads the file says what is wrong with it
            refuse_machine_fault(fault, path)
            digest.update(b"absent")
    return digest.hexdigest()[:16]


def digests(people: Mapping[str, Found], shards: int, root: str | Path, keep: Path | None = None) -> list[str]:
    """Digest of every shard: changes where one of its people comes or goes, and where what they have changes.

    What a file is known by is its size and time, or, where a record of an extraction has its content under another
    time, what it was known by then (`brainpid.cohort.file_states`): files that are touched, restored or moved with
    their root leave the digest as it is. A file replaced by another of the same size under the same time is not seen.

    Parameters
    ----------
    people : mapping of str to Found
        By participant: everybody in the participants table, also who has nothing.
    shards : int
    root : path
        Top folder of the source, which stands in no digest.
    keep : path, optional
        Folder of the results of single people, beside which the records lie. They are renewed where times differ.

    Returns
    -------
    list of str, length `shards`
    """
    top = str(root)
    own: list[list[str]] = [[] for _ in range(shards)]
    for person in sorted(people):
        own[shard_of(person, shards)].append(person)
    found = []
    for shard, members in enumerate(own):
        record = {} if keep is None else read_record(record_path(keep, shard))
        files, renewed = identities({person: people[person].files for person in members}, top, record)
        if renewed and keep is not None:
            write_record(record_path(keep, shard), record)
        texts = [
            f"{person}\n{_without(top, people[person].reason)}\n{_without(top, people[person].note)}\n{files[person]}"
            for person in members
        ]
        found.append(hashlib.sha256("\n\n".join(texts).encode(errors="surrogateescape")).hexdigest()[:12])
    return found


def _without(root: str, text: str) -> str:
    """A text in which paths begin below a root."""
    return text.replace(f"{root.rstrip('/')}/", "").replace(root, "") if text and root.strip("./") else text
