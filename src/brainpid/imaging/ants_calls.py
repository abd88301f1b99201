"""Calls of ANTs, whose C++ side may raise anything: an error that is not the machine's becomes one image's sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from brainpid.core.errors import ImageError, MachineError, ToolError
from brainpid.core.machine import refuse_machine_fault


@contextmanager
def ants_call(what: str, hint: str = "") -> Iterator[None]:
    """Turn any error inside the block into a `ToolError` that says what failed.

    Parameters
    ----------
    what : str
        What ANTs does, such as ``bias correction``.
    hint : str
        What to look at.

    Raises
    ------
    ToolError
        Where the block raises: ``<what> failed (<the first words of the error>)``.
    MachineError
        Where the system refused something, or no memory was left.
    """
    try:
        yield
    except (ImageError, MachineError):
        raise
    except Exception as fault:  # of compiled code, of no common type
        refuse_machine_fault(fault, "")
        short = " ".join(str(fault).split())[:160] or type(fault).__name__
        raise ToolError(f"{what} failed ({short}){f'. {hint}' if hint else ''}") from fault
