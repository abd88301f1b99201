r"""Information that every subset of modalities has about a scalar Gaussian target.

For jointly Gaussian latents ``Z`` and a scalar target ``Y``, a subset ``A`` of the modalities has

    I_A = I(Z_A; Y) = -1/2 log2(1 - R2_A)   bits,

with ``R2_A`` the squared multiple correlation. A decomposition of that information (`brainpid.pid`) is a function of
these ``2^M - 1`` numbers alone. Everything is computed on the correlation scale, where a collinear column is one that
adds no direction, and a constant column one that has none: it lowers the rank ``d`` and nothing else. No jitter is
added, because a jitter would decide the answer of exactly those cases.

`brainpid.pid.estimation` has the same from a sample of people. The function here is batched over any leading axes.

References
----------
Cover & Thomas 2006, Elements of Information Theory, section 8.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.labels import numbers_of
from brainpid.core.linalg import eigenvectors
from brainpid.core.modalities import Subset, subsets_of

MAX_MODALITIES = 10
"""Most modalities that are accepted: time and the number of atoms grow as 2^M."""
RANK_TOLERANCE = 1e-5
"""A direction with less than this part of the largest standard deviation is rounding (float32 latents), not signal."""
SAFE_PIVOT = 1e-8
"""Smallest conditional variance, on the correlation scale, for which a plain Cholesky factor is trusted."""
EXACT = 1e-10
"""Unexplained part of the target's variance that counts as none (16.6 bits)."""

SCALAR_ONLY = (
    "the closed form holds for a scalar target only: with two or more target dimensions the minimum over noise "
    "couplings is no longer the larger of the two informations. Decompose one target at a time"
)


@dataclass(frozen=True)
class SubsetInformation:
    """Information of each of the ``K = 2^M - 1`` subsets of M modalities about one scalar target.

    Attributes
    ----------
    modalities : tuple of str
        Names in the caller's order.
    bits, raw : ndarray, shape (..., K)
        Debiased and plug-in information in bits, in the order of `subsets_of`. Equal for a known covariance.
    rank : ndarray of int, shape (..., K)
        Effective number of columns of each subset.
    n : int or None
        Number of people; None for a known covariance.
    influence : ndarray, shape (..., n, K), or None
        Influence of each person on each information, in bits: an estimate moves by about ``influence / n`` where
        that person is added once more.
    """

    modalities: tuple[str, ...]
    bits: FloatArray
    raw: FloatArray
    rank: IntArray
    n: int | None = None
    influence: FloatArray | None = None


def information_from_covariance(cov: ArrayLike, dims: Mapping[str, int]) -> SubsetInformation:
    """Information of every subset under a known covariance.

    Parameters
    ----------
    cov : array_like, shape (..., 1 + D, 1 + D)
        Joint covariance with the scalar target first and the modalities' columns in the order of `dims`.
    dims : mapping of str to int
        Number of columns of each modality; they add up to D.

    Returns
    -------
    SubsetInformation
        Without bias correction, influence and n.

    Raises
    ------
    InputError
        Where shapes do not fit (two target columns, for instance), `cov` is not finite or not symmetric, or the
        target has no variance.
    NumericalError
        Where `cov` is not positive semi-definite, or a subset determines the target exactly.
    """
    names = checked_names(dims)
    corr = _correlation(numbers_of(cov, "covariance"), dims)
    columns = columns_of(dims, first=1)
    subsets = subsets_of(names)
    unexplained: dict[Subset, FloatArray] = {}
    rank: dict[Subset, IntArray] = {}
    # Large subsets first: one factor serves every subset that its leading modalities make up.
    for subset in reversed(subsets):
        if subset not in unexplained:
            order = np.concatenate([*(columns[m] for m in subset), [0]])
            block = corr[..., order, :][..., order]
            for k, (rest, d) in enumerate(_unexplained(block, [len(columns[m]) for m in subset], subset)):
                leading = subset[: k + 1]
                unexplained[leading], rank[leading] = rest, d
    bits = -0.5 * np.log2(np.stack([unexplained[subset] for subset in subsets], axis=-1))
    return SubsetInformation(names, bits, bits, np.stack([rank[subset] for subset in subsets], axis=-1))


def _unexplained(block: FloatArray, widths: list[int], members: Subset) -> list[tuple[FloatArray, IntArray]]:
    """Return ``1 - R2`` and the rank for the first, the first two, ... and all of the modalities `members`.

    The block is a stack of correlations (..., d + 1, d + 1), the modalities' columns in order and the target last: in
    the last row of its Cholesky factor, the squares from a column on are what the columns before leave unexplained.
    """
    ends = np.cumsum(widths)
    try:
        factor = np.linalg.cholesky(block)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(block)
    if np.diagonal(factor, axis1=-2, axis2=-1).min() ** 2 >= SAFE_PIVOT:
        left = np.cumsum(factor[..., -1, ::-1] ** 2, axis=-1)[..., ::-1]
        return [(left[..., end], np.full(left.shape[:-1], end)) for end in ends]
    return [
        _unexplained_by_rank(block[..., own, :][..., own], "+".join(members[: k + 1]))
        for k, own in enumerate(np.append(np.arange(end), -1) for end in ends)
    ]


def _unexplained_by_rank(block: FloatArray, label: str) -> tuple[FloatArray, IntArray]:
    """Do the same by eigenvalues, without the directions that have no variance."""
    inside = block[..., :-1, :-1]
    values, vectors = eigenvectors(f"covariance of {label}", inside, 0, inside.shape[-1])
    largest = np.maximum(values[..., -1:], 1.0)
    negative = values[..., 0] < -(RANK_TOLERANCE**2) * largest[..., 0]
    kept = values > RANK_TOLERANCE**2 * largest
    along = np.einsum("...ij,...i->...j", vectors, block[..., :-1, -1])
    explained = np.sum(np.divide(along**2, values, out=np.zeros_like(values), where=kept), axis=-1)
    # A target that correlates with a direction without variance, or by more than 1, belongs to no covariance.
    stray = np.sum(np.where(kept, 0.0, along**2), axis=-1) > 10 * RANK_TOLERANCE**2 * largest[..., 0]
    if np.any(negative | stray | (explained > 1 + 1e-6)):
        raise NumericalError(
            f"not a covariance matrix: {label} has smallest eigenvalue {values.min():.3g} and R2 = "
            f"{explained.max():.6g} with the target on the correlation scale; expected a positive semi-definite matrix"
        )
    refuse_exact(1 - explained, label)
    return 1 - explained, kept.sum(axis=-1)


def refuse_exact(unexplained: FloatArray, label: str) -> None:
    """Raise a NumericalError where nothing of the target's variance is left unexplained by the modalities `label`."""
    if np.any(unexplained < EXACT):
        raise NumericalError(
            f"{label} determines the target exactly (1 - R2 = {max(float(unexplained.min()), 0.0):.3g}), so that its "
            "information is infinite: is the target, or a column made from it, among the features?"
        )


def _correlation(cov: FloatArray, dims: Mapping[str, int]) -> FloatArray:
    """Check a covariance and bring it to the correlation scale; a variable without variance gets zeros."""
    if narrow := [name for name, d in dims.items() if d < 1]:
        raise InputError(f"modality '{narrow[0]}' has {dims[narrow[0]]} columns; expected at least 1")
    size = 1 + sum(dims.values())
    if cov.ndim < 2 or cov.shape[-2:] != (size, size):
        raise InputError(
            f"covariance has shape {cov.shape}; expected (..., {size}, {size}) = one target and {size - 1} columns "
            f"({', '.join(f'{name}: {d}' for name, d in dims.items())}). More than one target? {SCALAR_ONLY}"
        )
    if not np.isfinite(cov).all():
        raise InputError(f"covariance has {np.sum(~np.isfinite(cov))} missing or infinite entries")
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    if np.any(variance < 0) or np.any(variance[..., 0] == 0):
        raise InputError(f"covariance has a negative variance ({variance.min():.3g}) or a target without variance")
    constant = variance == 0
    if constant.any() and np.any(constant[..., None] & (cov != 0)):
        raise InputError("covariance has a variable without variance that covaries with another one")
    scale = np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=variance > 0)
    corr = cov * scale[..., :, None] * scale[..., None, :]
    exact = (cov == np.swapaxes(cov, -1, -2)).all()
    if not exact and (asymmetry := np.abs(corr - np.swapaxes(corr, -1, -2)).max()) > 1e-8:
        raise InputError(
            f"covariance is not symmetric: entries differ by up to {asymmetry:.3g} on the correlation scale"
        )
    return corr


def checked_names(modalities: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names in order after a check of their number and spelling; raises an InputError."""
    names = tuple(modalities)
    if not 2 <= len(names) <= MAX_MODALITIES:
        raise InputError(f"{len(names)} modalities given; expected 2 to {MAX_MODALITIES}")
    if wrong := [name for name in names if not name or "+" in name]:
        raise InputError(f"modality name '{wrong[0]}' is empty or contains '+', which joins names in the output")
    return names


def columns_of(dims: Mapping[str, int], first: int) -> dict[str, IntArray]:
    """Positions of each modality's columns, counted from `first`."""
    edges = first + np.cumsum([0, *dims.values()])
    return {name: np.arange(start, stop) for name, (start, stop) in zip(dims, pairwise(edges), strict=True)}
