"""Errors that a user can act on, each with the exit code that the command line returns for it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BrainpidError(Exception):
    """Base of every error that is reported as one paragraph instead of a traceback."""

    exit_code = 1


class InputError(BrainpidError, ValueError):
    """Bad input or configuration: the message says file, place, what was expected and what was found.

    It is a `ValueError` too, which is what scikit-learn expects of an estimator that refuses its input.
    """

    exit_code = 2


class ImageError(InputError):
    """An image that cannot be used; the message becomes the person's reason in ``participants.tsv``."""


class ToolError(ImageError):
    """A tool of others that failed on an image and does not tell why: the machine may be at fault as well."""


class NotInImageError(ImageError):
    """A sound image that does not show what is measured: the person is UNAVAILABLE, for the reason in the message."""


class MachineError(BrainpidError):
    """The machine failed, and neither the input nor the method: the same command may well succeed when run again.

    Parameters
    ----------
    message : str
    code : int
        The errno; 0 where there is none, as of a process that was killed.
    path : str
        File or folder; empty where it is not known.
    for_all : bool
        Whether whoever comes next would meet it too, such as a disk that is full.
    """

    exit_code = 1

    def __init__(self, message: str, code: int = 0, path: str = "", for_all: bool = False) -> None:
        super().__init__(message, code, path, for_all)
        self.code = code
        self.path = path
        self.for_all = for_all

    def __str__(self) -> str:
        return str(self.args[0])


class NumericalError(BrainpidError):
    """A computation that has no trustworthy answer: the message carries n, d and the condition number."""

    exit_code = 3


def readable(text: str) -> str:
    r"""A text of which every byte that is no UTF-8, as in an old file name, stands as ``\xfc``.

    Examples
    --------
    >>> print(readable("M\udcfcller"))
    M\xfcller
    """
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shortened(text: str, most: int = 80) -> str:
    """A text for a message, cut where it is long.

    Examples
    --------
    >>> shortened("abcdefgh", most=6)
    'abc...'
    """
    return text if len(text) <= most else f"{text[: most - 3]}..."


def list_some(items: Iterable[object], most: int = 8) -> str:
    """Join items for a message and count those that are left out.

    Examples
    --------
    >>> list_some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = [shortened(str(item), 200) for item in items]
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that is most alike, None where none is near."""
    return next(iter(difflib.get_close_matches(name, sorted(valid), n=1, cutoff=0.6)), None)


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return a hint with the nearest valid name, or with some valid names where none is near."""
    names = sorted(valid)
    near = nearest(name, names)
    return f"valid names: {list_some(names)}" if near is None else f"did you mean '{near}'?"
