"""Which one of a person's images is taken where several fit: the one rule, for raw data and derivatives alike.

1. The first visit that has one, unless the configuration names a session.
2. What `entities` of the source asks for, in the order of preference that it gives.
3. Echoes combined, else the second, which is near the T2* of grey matter; the first has hardly any BOLD contrast.
4. The fewest entities beside run: the plain image before variants of acquisition, reconstruction or contrast agent.
5. The lowest run, then the first name.

Phase, real and imaginary parts are no image of their own, unless `entities` asks for ``part``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from brainpid.cohort.names import entities, fits, natural, same_value, written
from brainpid.cohort.person_files import Found, images, join_notes, nothing, visit_note

IN_WORDS = (
    "of several images of a person that is taken which is of the first visit, has what `entities:` asks for, is the "
    "combined or else the second echo, has the fewest entities beside run, and the lowest run; `session:` and "
    "`entities:` of the source choose another"
)
"""The rule, for people."""
Filter = Mapping[str, Sequence[str | None]]
"""Values that entities may have, the preferred one first; None is an entity that is not there."""
OF_THE_PERSON = ("sub", "ses", "run")
"""Entities that may differ between people without making another acquisition."""
MAGNITUDE = (None, "mag")
SAME_FOR_ALL = ("sub", "ses", "task", "space")


def choose(visits: Sequence[Path], folder: str, person: str, suffix: str, wanted: Filter, what: str) -> Found:
    """Choose one image, with the role ``image``, or say why there is none.

    Parameters
    ----------
    visits : sequence of path
        Folders of the visits, best first.
    folder : str
        Name of the folder in them, such as ``anat``.
    person : str
        Label with ``sub-``.
    suffix : str
        Such as ``T1w``.
    wanted : mapping of str to sequence of str or None
        Entities that the image must have.
    what : str
        How the reason names it.
    """
    folders = [visit / folder for visit in visits]
    present = {visit: images(visit / folder, person, suffix) for visit in visits}
    fitting = {visit: [path for path in paths if allowed(path, wanted)] for visit, paths in present.items()}
    taken = next((visit for visit in visits if fitting[visit]), None)
    if taken is None:
        there = [path.name for paths in present.values() for path in paths]
        return Found(reason=nothing(what, folders, there))
    path = first(fitting[taken], wanted)
    count = sum(len(paths) for paths in fitting.values())
    return Found(
        {"image": str(path)},
        note=join_notes(f"first of {count}: {path.name}" if count > 1 else "", visit_note(visits, taken)),
        acquisition=written(entities(path), (*OF_THE_PERSON, "task", "space")),  # which all have in common
    )


def allowed(path: Path, wanted: Filter) -> bool:
    """Whether an image has the entities that are wanted, and is no part of a complex one unless that is."""
    own = entities(path)
    asked = {"part": MAGNITUDE, **wanted}
    return all(any(fits(own, {key: value}) for value in values) for key, values in asked.items())


def first(paths: Iterable[Path], wanted: Filter) -> Path:
    """First of several images by the rule."""

    def rank(path: Path) -> tuple[object, ...]:
        own = entities(path)
        others = {key: value for key, value in own.items() if key not in (*OF_THE_PERSON, *SAME_FOR_ALL, "echo")}
        return (
            [_place(own.get(key), values, key) for key, values in wanted.items()],
            _echo(own.get("echo")),
            len(others),
            _number(own.get("run")),
            natural(written(others)),
            natural(path.name),
        )

    return min(paths, key=rank)


def _place(value: str | None, values: Sequence[str | None], key: str) -> int:
    """Place of a value in the order of preference."""
    return [None if one is None else same_value(key, one) for one in values].index(value)


def _echo(value: str | None) -> int:
    """Combined echoes, then the second, the first, the third and so on."""
    number = _number(value)
    return {0: 0, 2: 1, 1: 2}.get(number, number)


def _number(value: str | None) -> int:
    """Number in a value; 0 where there is none."""
    digits = "".join(sign for sign in value or "" if sign.isdecimal())
    return int(digits or 0)
