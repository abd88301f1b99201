"""What is said of the choice among people's images: in the log of `index`, by `check` and on the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from brainpid.core.errors import list_some


def different(acquisitions: Mapping[str, str]) -> str:
    """Say where people of one cohort get different acquisitions; empty where all get the same.

    Parameters
    ----------
    acquisitions : mapping of str to str
        By participant, of those who have images; see `brainpid.cohort.person_files.Found`.

    Examples
    --------
    >>> different({"sub-1": "acq-a", "sub-2": "acq-a", "sub-3": ""})
    'people get different acquisitions: 2 x acq-a (sub-1, sub-2), 1 x no entities (sub-3)'
    """
    kinds: dict[str, list[str]] = {}
    for person, acquisition in acquisitions.items():
        kinds.setdefault(acquisition, []).append(person)
    if len(kinds) < 2:
        return ""
    ordered = sorted(kinds.items(), key=lambda kind: (-len(kind[1]), kind[0]))
    words = [f"{len(people)} x {name or 'no entities'} ({list_some(people, 3)})" for name, people in ordered]
    return f"people get different acquisitions: {list_some(words, 6)}"


def counted(notes: Mapping[str, str]) -> list[str]:
    """Notes by participant, one line for all of whom the same is to be said but for their labels."""
    texts = Counter(note.replace(person, "sub-*") for person, note in notes.items() if note)
    return [f"{n} x {note}" for note, n in texts.most_common()]
