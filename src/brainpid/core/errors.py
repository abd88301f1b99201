"""Errors that a user can act on, each with the exit code that the command line returns for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BrainpidError(Exception):
    """Base of every error that is reported as one paragraph instead of a traceback."""

    exit_code = 1


class InputError(BrainpidError):
    """Bad input or configuration: the message says file, place, what was expected and what was found."""

    exit_code = 2


class ImageError(InputError):
    """An image that cannot be used; the message becomes the person's reason in ``participants.tsv``."""


class NotInImageError(ImageError):
    """A sound image that does not show what is measured: the person is UNAVAILABLE, for the reason in the message."""


class NumericalError(BrainpidError):
    """A computation that has no trustworthy answer: the message carries n, d and the condition number."""

    exit_code = 3


def list_some(items: Iterable[object], most: int = 8) -> str:
    """Join items for a message and count those that are left out.

    Examples
    --------
    >>> list_some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = [str(item) for item in items]
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint with the nearest valid name, or with all valid names where none is near."""
    names = sorted(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"valid names: {list_some(names)}"
