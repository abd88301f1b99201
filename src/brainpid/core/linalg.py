"""What to say of a matrix that LAPACK refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import NumericalError


@contextmanager
def factorising(what: str, matrix: FloatArray, n: int, d: int) -> Iterator[None]:
    """Turn a failed factorisation within the block into an error that a user can act on.

    Parameters
    ----------
    what : str
        Of which part of a fit.
    matrix : ndarray, shape (..., k, l)
        What is factorised; the worst condition number of a stack is said.
    n, d : int
        People and variables behind it.

    Raises
    ------
    NumericalError
        Where the matrix is not finite, or LAPACK gives up (`numpy.linalg.LinAlgError`, which is scipy's too).
    """
    if bad := int((~np.isfinite(matrix)).sum()):
        # LAPACK gives NaN without a word for some sizes, and an error for others.
        raise NumericalError(f"{what}: n = {n}, d = {d}, {bad} of {matrix.size} values are not finite")
    try:
        yield
    except np.linalg.LinAlgError as fault:
        condition = np.max(np.linalg.cond(matrix))
        raise NumericalError(f"{what}: n = {n}, d = {d}, condition number {condition:.3g}: {fault}") from fault
