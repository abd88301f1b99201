"""Calls of ANTs, whose C++ side may raise anything: each error becomes the sentence of one image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from brainpid.core.errors import ImageError


@contextmanager
def ants_call(what: str, hint: str = "") -> Iterator[None]:
    """Turn any error inside the block into an `ImageError` that says what failed.

    Parameters
    ----------
    what : str
        What ANTs does, such as ``bias correction``.
    hint : str
        What to look at.

    Raises
    ------
    ImageError
        Where the block raises: ``<what> failed (<the first words of the error>)``.
    """
    try:
        yield
    except ImageError:
        raise
    except Exception as fault:  # of compiled code, of no common type
        short = " ".join(str(fault).split())[:160] or type(fault).__name__
        raise ImageError(f"{what} failed ({short}){f'. {hint}' if hint else ''}") from fault
