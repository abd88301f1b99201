"""Paths in a configuration: ``~`` and variables are filled in once, and each path gets one spelling.

Both happen before anything sees them, so that another spelling is no other path to the workflow.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, SerializationInfo

WITHOUT_PLACES = {"places": False}
"""Context of a dump that leaves out where things lie."""


def expanded(text: str) -> str:
    """Path with the home folder and variables of the environment filled in, in its plainest spelling.

    A second expansion changes nothing: what is left holds neither a leading ``~`` nor a ``$``.

    Raises
    ------
    ValueError
        Where nothing is given, a variable is not set, or a character has another meaning in a workflow.
    """
    filled = os.path.expanduser(os.path.expandvars(text))
    if not filled.strip():
        raise ValueError("expected a path")
    if unset := re.search(r"\$\{?\w*\}?", filled):
        raise ValueError(f"'{unset[0]}' of the path is no variable of the environment; set it, or write the path out")
    if filled.startswith("~"):
        raise ValueError("'~' is followed by no user of this machine; write the path out")
    if braces := re.search(r"[{}]", filled):
        raise ValueError(f"'{braces[0]}' has a meaning of its own in a workflow; expected a path without braces")
    if not filled.isprintable():
        raise ValueError("expected a path without line breaks and tabs")
    return str(Path(filled))


def plain_path(path: str) -> str:
    """Spell a path in one way: relative to the working directory below and beside it (``../data``), else from the root.

    Links of folders are followed; the last part stays, since what lies beside a file is found by its name.
    """
    place = Path(path)
    whole = Path(os.path.realpath(place.parent if place.name not in ("", "..") else place))
    whole = whole / place.name if place.name not in ("", "..") else whole
    here = Path.cwd()
    # A project and the data beside it may be moved or copied together.
    near = whole.is_relative_to(here) or (whole.is_relative_to(here.parent) and here.parent != Path(here.anchor))
    return os.path.relpath(whole, here) if near else str(whole)


def _unless_without_places(path: str, info: SerializationInfo) -> str:
    return "" if info.context == WITHOUT_PLACES else path


PathText = Annotated[
    str, AfterValidator(expanded), AfterValidator(plain_path), PlainSerializer(_unless_without_places, return_type=str)
]
"""Where input lies. No result depends on it: of what lies there, the content counts."""
OutputPath = Annotated[str, AfterValidator(expanded)]
"""Spelt as it is given, because files below it are asked for by that name."""
