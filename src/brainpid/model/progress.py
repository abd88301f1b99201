"""How far a fit is, told to whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Callback = Callable[[Mapping[str, Any]], None]
"""Called with ``stage``, ``step`` (from 1 on) and ``of``, and with what a stage has found so far; see `told`."""


def told(callback: Callback | None, stage: str, step: int, of: int, **found: Any) -> None:
    """Tell that a step of a stage has ended; what the callback raises ends the fit.

    Parameters
    ----------
    callback : callable or None
        None where nobody asks.
    stage : str
    step, of : int
        The step of the stage that has ended, and how many there are.
    **found
        Partial results.

    Examples
    --------
    >>> told(print, "network", 1, 40, loss=0.8)
    {'stage': 'network', 'step': 1, 'of': 40, 'loss': 0.8}
    """
    if callback is not None:
        callback({"stage": stage, "step": step, "of": of, **found})
