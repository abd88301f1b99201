"""Decompositions that do not give up, and what to say of a matrix that cannot be decomposed.

LAPACK's quick routines (``gesdd`` of singular values and ``gelsd`` of least squares, ``syevd`` of eigenvalues) iterate,
and now and then do not converge on finite, ordinary matrices: OpenBLAS's do so on about one in fifty sets of residuals,
by the build and the number of threads. Each is called here alone, and falls back on a slower routine that does
(``gesvd``, ``syev``), and a singular value decomposition at last on the eigenvectors of the smaller Gram matrix.

Cholesky factors, triangular factors by Householder's reflections (``qr``) and solutions of square systems take a fixed
number of steps and have no convergence to fail: they are refused only where the matrix is singular or not positive
definite, which no other routine would mend, and are called as they are within `factorising`.

References
----------
numpy issue 12941, OpenBLAS issue 3044.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from scipy.optimize import nnls

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import NumericalError

SVD = tuple[FloatArray, FloatArray, FloatArray]
_GRAM_RANK = 1e-7  # relative: a Gram matrix squares singular values, and smaller ones are rounding errors of its sums


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
        condition = condition_number(matrix)
        raise NumericalError(f"{what}: n = {n}, d = {d}, condition number {condition:.3g}: {fault}") from fault


def thin_svd(what: str, matrix: FloatArray, n: int, d: int) -> SVD:
    """Singular value decomposition ``u s vt`` of a matrix or of a stack of them.

    Parameters
    ----------
    what, n, d
        For messages, see `factorising`.
    matrix : ndarray, shape (..., k, l)

    Returns
    -------
    u : ndarray, shape (..., k, min(k, l))
    s : ndarray, shape (..., min(k, l))
        In descending order.
    vt : ndarray, shape (..., min(k, l), l)

    Raises
    ------
    NumericalError
        Where the matrix is not finite, or no routine decomposes it.
    """
    with factorising(what, matrix, n, d):
        return _thin_svd(matrix)


def singular_values(what: str, matrix: FloatArray, n: int, d: int) -> FloatArray:
    """Singular values alone, (..., min(k, l)) in descending order; see `thin_svd`."""
    with factorising(what, matrix, n, d):
        return _singular_values(matrix)


def eigenvectors(what: str, matrix: FloatArray, n: int, d: int) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues (..., k) in ascending order and eigenvectors (..., k, k) of a symmetric matrix or a stack of them.

    Raises
    ------
    NumericalError
        Where the matrix is not finite, or no routine decomposes it.
    """
    with factorising(what, matrix, n, d):
        return _eigenvectors(matrix)


@dataclass(frozen=True)
class RowSpace:
    """The space that the rows of a wide matrix span.

    Attributes
    ----------
    coordinates : ndarray, shape (n, r)
        Of the rows along the axes; lengths of rows and distances between them are as in the matrix.
    axes : ndarray, shape (r, p)
        Orthonormal; ``coordinates @ axes`` is the matrix.
    """

    coordinates: FloatArray
    axes: FloatArray

    @classmethod
    def of(cls, what: str, matrix: FloatArray, products: FloatArray | None = None) -> RowSpace:
        """Row space of a matrix (n, p), p > n; from the products of its rows (n, n), where they are at hand.

        Raises
        ------
        NumericalError
            Where the products are not finite, or no routine decomposes them.
        """
        squares, vectors = eigenvectors(what, matrix @ matrix.T if products is None else products, *matrix.shape)
        kept = squares > _GRAM_RANK * max(float(squares[-1]), float(np.finfo(np.float64).tiny))
        roots = np.sqrt(squares[kept])
        return cls(vectors[:, kept] * roots, (vectors[:, kept] / roots).T @ matrix)


def least_squares(
    what: str, design: FloatArray, target: FloatArray, n: int, d: int, tolerance: float | None = None
) -> FloatArray:
    """Coefficients of least squares, those of the least norm where several fit alike.

    Parameters
    ----------
    what, n, d
        For messages, see `factorising`.
    design : ndarray, shape (k, l)
    target : ndarray, shape (k,) or (k, t)
    tolerance : float, optional
        Directions whose singular value is smaller, as a part of the largest, are left out; the precision of floating
        point times the larger side of `design` where None.

    Returns
    -------
    ndarray, shape (l,) or (l, t)

    Raises
    ------
    NumericalError
        Where the design is not finite, or no routine decomposes it.
    """
    with factorising(what, design, n, d):
        try:
            return np.asarray(np.linalg.lstsq(design, target, rcond=tolerance)[0], dtype=np.float64)
        except np.linalg.LinAlgError:
            u, s, vt = _thin_svd(design)
            least = np.finfo(float).eps * max(design.shape) if tolerance is None else tolerance
            kept = s > least * s.max(initial=0.0)
            return np.asarray((vt[kept].T / s[kept]) @ (u[:, kept].T @ target), dtype=np.float64)


def non_negative_least_squares(what: str, design: FloatArray, target: FloatArray, n: int, d: int) -> FloatArray:
    """Coefficients (l,) of least squares of which none is negative.

    Parameters
    ----------
    what, n, d
        For messages, see `factorising`.
    design : ndarray, shape (k, l)
    target : ndarray, shape (k,)

    Raises
    ------
    NumericalError
        Where they do not converge.
    """
    try:
        return np.asarray(nnls(design, target)[0])
    except RuntimeError as fault:
        raise NumericalError(
            f"{what}: n = {n}, d = {d}, condition number {condition_number(design):.3g}: {fault}"
        ) from fault


def condition_number(matrix: FloatArray) -> float:
    """Ratio of the largest and the smallest singular value, the worst of a stack (..., k, l).

    Infinite where a direction is lost, or no routine finds the values.
    """
    try:
        s = _singular_values(matrix)
    except np.linalg.LinAlgError:
        return float("inf")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = s[..., 0] / s[..., -1]
    return float(np.max(np.where(np.isnan(ratio), np.inf, ratio)))


def rank(matrix: FloatArray) -> int:
    """Number of directions of a matrix (k, l) that are more than rounding errors, as `numpy.linalg.matrix_rank` counts.

    Raises
    ------
    NumericalError
        Where the matrix is not finite, or no routine decomposes it.
    """
    s = singular_values("rank", matrix, *matrix.shape)
    return int((s > s.max(initial=0.0) * max(matrix.shape) * np.finfo(float).eps).sum())


def _singular_values(matrix: FloatArray) -> FloatArray:
    """`singular_values` without a check."""
    try:
        return np.asarray(np.linalg.svd(matrix, compute_uv=False), dtype=np.float64)
    except np.linalg.LinAlgError:
        return _thin_svd(matrix)[1]


def _thin_svd(matrix: FloatArray) -> SVD:
    """`thin_svd` without a check; one matrix of a stack that fails costs the others nothing but time."""
    try:
        u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        if matrix.ndim > 2:
            return _of_each(matrix)
        try:
            u, s, vt = scipy.linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")
        except np.linalg.LinAlgError:
            u, s, vt = _svd_by_gram(matrix)
    return u, s, vt


def _of_each(stack: FloatArray) -> SVD:
    """Decompositions of a stack's matrices, one by one."""
    lead = stack.shape[:-2]
    parts = [_thin_svd(matrix) for matrix in stack.reshape(-1, *stack.shape[-2:])]
    u, s, vt = (np.stack([part[k] for part in parts]) for k in range(3))
    return u.reshape(*lead, *u.shape[1:]), s.reshape(*lead, *s.shape[1:]), vt.reshape(*lead, *vt.shape[1:])


def _svd_by_gram(matrix: FloatArray) -> SVD:
    """Decomposition by the eigenvectors of the smaller Gram matrix; directions below its precision get 0."""
    if matrix.shape[0] > matrix.shape[1]:
        u, s, vt = _svd_by_gram(matrix.T)
        return vt.T, s, u.T
    values, vectors = _eigenvectors(matrix @ matrix.T)
    s, u = np.sqrt(np.maximum(values[::-1], 0.0)), vectors[:, ::-1]
    kept = s > _GRAM_RANK * s.max(initial=0.0)
    vt = (u / np.where(kept, s, np.inf)).T @ matrix
    return u, np.where(kept, s, 0.0), vt


def _eigenvectors(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    try:
        values, vectors = np.linalg.eigh(matrix)
    except np.linalg.LinAlgError:
        if matrix.ndim > 2:
            pairs = [_eigenvectors(one) for one in matrix.reshape(-1, *matrix.shape[-2:])]
            values, vectors = (np.stack([pair[k] for pair in pairs]) for k in range(2))
            return values.reshape(matrix.shape[:-1]), vectors.reshape(matrix.shape)
        values, vectors = scipy.linalg.eigh(matrix, driver="ev")
    return values, vectors
