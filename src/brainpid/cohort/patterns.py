"""Files of a person by shell patterns, for what a function of the user's own reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from brainpid.cohort.names import natural
from brainpid.cohort.person_files import Found, join_notes


def find_patterns(root: Path, person: str, patterns: Mapping[str, str]) -> Found:
    """Find one person's files by patterns below the person's folder.

    Parameters
    ----------
    root : path
        Folder with one folder a person.
    person : str
        Label with ``sub-``.
    patterns : mapping of str to str
        Shell pattern by role.

    Returns
    -------
    Found
        The first file of each role, in the order in which people count; nothing where one role has none.
    """
    folder = root / person
    if not folder.is_dir():
        return Found(reason=f"no folder {folder}")
    files: dict[str, str] = {}
    note = ""
    for role, pattern in patterns.items():
        there = (path for path in folder.glob(pattern) if not path.is_dir() or path.is_symlink())
        matching = sorted(
            (path for path in there if not path.name.startswith(".")), key=lambda path: natural(str(path))
        )
        if not matching:
            return Found(reason=f"no {role}: nothing in {folder} fits {pattern}")
        files[role] = str(matching[0])
        if len(matching) > 1:
            note = join_notes(note, f"{role}: {matching[0].name} is the first of {len(matching)}")
    return Found(files, note=note)
