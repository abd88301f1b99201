"""How far long work is: a bar on a terminal, lines at intervals in a log, nothing for those who import the package."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TextIO, TypeVar

Item = TypeVar("Item")
log = logging.getLogger(__name__)

INTERVAL = 30.0
"""Seconds between two lines in a log."""


class _Shown:
    """Whether progress is told, on which terminal, and the bar that is there; of work within work, the outer alone."""

    anywhere = False
    terminal: TextIO | None = None
    bar: Any = None
    busy = False


def show_on(stream: TextIO | None) -> None:
    """Show progress on a stream that the program logs to; None for nowhere."""
    _Shown.anywhere = stream is not None
    _Shown.terminal = stream if stream is not None and stream.isatty() else None


def say_above(text: str) -> bool:
    """Show a line above the bar, and say whether there is one."""
    if _Shown.bar is None:
        return False
    _Shown.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
    return True


def progress(steps: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
    """Go through steps, and show how many are done.

    Parameters
    ----------
    steps : iterable
    what : str
        What is being done, as a noun phrase.
    total : int, optional
        How many steps there are, if `steps` has no length.
    """
    if not _Shown.anywhere or _Shown.busy:
        yield from steps
        return
    number = len(steps) if total is None and isinstance(steps, Sized) else total
    _Shown.busy = True
    try:
        yield from (_with_lines if _Shown.terminal is None else _with_bar)(steps, what, number)
    finally:
        _Shown.busy = False


def _with_bar(steps: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(
        *columns,
        console=Console(file=_Shown.terminal),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    _Shown.bar = bar
    try:
        with bar:
            yield from bar.track(steps, total=total, description=what)
    finally:
        _Shown.bar = None


def _with_lines(steps: Iterable[Item], what: str, total: int | None) -> Iterator[Item]:
    began = last = time.monotonic()
    for done, step in enumerate(steps):
        now = time.monotonic()
        if done and now - last >= INTERVAL:
            of = "" if total is None else f" of {total}"
            left = "" if total is None else f", about {(total - done) * (now - began) / done / 60:.1f} min left"
            log.info("%s: %d%s done%s", what, done, of, left, extra={"done": done, "of": total})
            last = now
        yield step
