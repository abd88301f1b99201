"""Names of files as BIDS has them: entities, suffix and extension, compared whole and never by prefix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

MARK = "_ses-"
"""What parts the person from the session in the label of a visit."""

NUMBERED = {"run", "echo", "inv", "flip", "split", "chunk", "cohort", "res", "den"}
"""Entities whose values are numbers or may be: ``run-01`` is ``run-1``."""
_TEXT_OR_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Name:
    """Parts of a file's name.

    Attributes
    ----------
    entities : dict of str to str
        Such as ``{"sub": "01", "task": "rest", "run": "1"}``; numbers without leading zeros. A part that is no entity
        is one without a value. The cohort of a template, ``space-X+2``, is an entity of its own, as in ``cohort-2``.
    suffix : str
        What the file is, such as ``bold``.
    extension : str
        With its dots, such as ``.nii.gz``.
    """

    entities: dict[str, str]
    suffix: str
    extension: str


def parse(name: str) -> Name:
    """Take a file's name apart.

    Examples
    --------
    >>> parse("sub-01_task-rest_space-X+2_run-02_bold.nii.gz").entities
    {'sub': '01', 'task': 'rest', 'space': 'X', 'cohort': '2', 'run': '2'}
    """
    *parts, last = name.split("_")
    suffix, dot, extension = last.partition(".")
    found: dict[str, str] = {}
    for part in parts:
        key, _, value = part.partition("-")
        if key == "space" and "+" in value:
            value, _, cohort = value.partition("+")
            found |= {"space": value, "cohort": same_value("cohort", cohort)}
        else:
            found[key] = same_value(key, value)
    return Name(found, suffix, dot + extension)


def same_value(key: str, value: str) -> str:
    """Value of an entity by which it is compared: a number without leading zeros."""
    return str(int(value)) if key in NUMBERED and value.isascii() and value.isdecimal() else value


def entities(path: Path) -> dict[str, str]:
    """Entities of a file's name; see `parse`."""
    return parse(path.name).entities


def fits(found: Mapping[str, str], wanted: Mapping[str, str | None]) -> bool:
    """Whether entities have these values; None stands for an entity that is not there."""
    return all(found.get(key) == (None if value is None else same_value(key, value)) for key, value in wanted.items())


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Key by which names are sorted as people count: ``ses-2`` before ``ses-10``."""
    parts = _TEXT_OR_NUMBER.split(text)
    return tuple((1, int(part), part) if part.isdecimal() else (0, 0, part) for part in parts if part)


def written(found: Mapping[str, str], without: Iterable[str] = ()) -> str:
    """Entities as they stand in a name, in its order."""
    return "_".join(f"{key}-{value}" for key, value in found.items() if key not in set(without))


def visit_of(label: str) -> tuple[str, str | None]:
    """Give the person and the session of a label; none of somebody who is one row.

    Examples
    --------
    >>> visit_of("sub-01_ses-2"), visit_of("sub-01")
    (('sub-01', '2'), ('sub-01', None))
    """
    person, mark, session = label.partition(MARK)
    return person, session if mark else None
