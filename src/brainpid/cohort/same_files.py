"""What image files of people hold, as digests, so that the same file under two names is seen."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from brainpid.cohort.file_states import read_record
from brainpid.cohort.person_files import IMAGE_ENDINGS

COMPARED = (*IMAGE_ENDINGS, ".stats")
"""Ends of the files that are of one person; tables and descriptions beside them may be of many."""
ALIKE = ("mask", "brain_mask")
"""Roles of files that may be the same for many."""

Contents = dict[tuple[str, str], dict[str, str]]
"""Digests of files by role, of people by cohort and label."""


def kept_contents(persons: Path, of_images: Mapping[str, Sequence[str]]) -> Contents:
    """Contents that were read in extraction, from the records beside the results of people.

    Parameters
    ----------
    persons : path
        Folder ``features/persons`` of a run.
    of_images : mapping of str to sequence of str
        Modalities from images, by cohort.
    """
    found: Contents = defaultdict(dict)
    for cohort, modalities in of_images.items():
        for modality in modalities:
            for path in sorted((persons / cohort / f"{modality}.files").glob("*.json")):
                for person, files in read_record(path).items():
                    for role, known in files.items():
                        if _counts(role, known.state.path):
                            found[cohort, person][f"{modality} {role}"] = known.state.content
    return dict(found)


def contents_of_one_size(files: Mapping[tuple[str, str], Mapping[str, str]]) -> Contents:
    """Contents of compressed images that have the size of another one, which few have; nothing else is read.

    Parameters
    ----------
    files : mapping
        Paths by role, of people by cohort and label.
    """
    sizes: dict[int, list[tuple[tuple[str, str], str, str]]] = defaultdict(list)
    for person, own in files.items():
        for role, path in own.items():
            if _counts(role, path) and path.endswith(".gz"):
                sizes[Path(path).stat().st_size].append((person, role, path))
    found: Contents = defaultdict(dict)
    for size, same in sizes.items():
        for person, role, path in same if size and len(same) > 1 else ():
            with open(path, "rb") as file:
                found[person][role] = hashlib.file_digest(file, "sha256").hexdigest()
    return dict(found)


def _counts(role: str, path: str) -> bool:
    return path.endswith(COMPARED) and role.rpartition(" ")[2] not in ALIKE
