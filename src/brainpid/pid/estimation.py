r"""Information of every subset of modalities estimated from people: debiased, with the influence of each person.

The plug-in estimate ``-1/2 log2(1 - R2_A)`` from ``n`` people and ``d`` columns is too high by

    1/2 [psi((n-1)/2) - psi((n-1-d)/2)] / ln 2   bits

under joint normality, whatever the true information: 0.5 bits of pure noise at n = 256, d = 128. The bias is subtracted
and the result is never clipped, since clipped values cannot be averaged. Collinear and constant columns lower the rank
d, as in `brainpid.pid.gaussian`. The estimate is batched over any leading axes (folds, repeats, permutations).

References
----------
Goodman 1963 (moments of the log determinant of a Gaussian sample covariance); Hampel 1974 (influence functions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, polygamma

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.labels import numbers_of
from brainpid.core.linalg import singular_values, thin_svd
from brainpid.core.modalities import subsets_of
from brainpid.pid.gaussian import (
    EXACT,
    RANK_TOLERANCE,
    SCALAR_ONLY,
    SubsetInformation,
    checked_names,
    columns_of,
    information_from_covariance,
    refuse_exact,
)

MIN_PEOPLE_PER_DIMENSION = 2.5
"""Fewest people per latent dimension; below it the bias correction is larger than most of what it corrects."""


def bias_bits(n: int, d: ArrayLike) -> FloatArray:
    r"""Exact upward bias of the plug-in information of `d` Gaussian columns about a scalar target.

    ``1/2 [psi((n-1)/2) - psi((n-1-d)/2)] / ln 2``, which does not depend on the true information.

    Parameters
    ----------
    n : int
        Number of people.
    d : array_like of int
        Number of linearly independent columns.

    Returns
    -------
    ndarray, shape of `d`
        Bias in bits; 0 where d is 0.

    Raises
    ------
    NumericalError
        Where ``n <= d + 1``: the plug-in estimate is then infinite.

    Examples
    --------
    >>> bias_bits(100, [0, 1, 10]).round(4)
    array([0.    , 0.0074, 0.0776])
    """
    d = np.asarray(d)
    if np.any(n - 1 - d <= 0):
        raise NumericalError(
            f"no bias correction exists for n = {n} people and d = {np.max(d)} columns: n > d + 1 needed"
        )
    return np.asarray(0.5 * (digamma((n - 1) / 2) - digamma((n - 1 - d) / 2)) / np.log(2))


def covariance_of_zero(modalities: Sequence[str], ranks: Sequence[int], n: int) -> FloatArray:
    r"""Exact sampling covariance of the informations where the truth is zero, in bits squared.

    There ``1 - R2_A`` is a beta variable, and what B adds to its part A is independent of ``I_A``. So with d the number
    of directions that A and B share, ``rank A + rank B - rank (A and B together)``,

        cov(I_A, I_B) = 1/4 [psi'((n-1-d)/2) - psi'((n-1)/2)] / ln^2 2   bits^2,

    exactly for nested sets, and approximately for others, whose own columns are taken as uncorrelated.

    Parameters
    ----------
    modalities : sequence of str
    ranks : sequence of int, length K
        Number of linearly independent columns of each subset.
    n : int
        Number of people.

    Returns
    -------
    ndarray, shape (K, K)
    """
    subsets = [frozenset(subset) for subset in subsets_of(modalities)]
    rank = dict(zip(subsets, ranks, strict=True))
    # A handful of people may be fewer than the dimensions that they are said to have.
    shared = np.clip([[rank[a] + rank[b] - rank[a | b] for b in subsets] for a in subsets], 0, n - 2)
    trigamma = polygamma(1, (n - 1 - shared) / 2) - polygamma(1, (n - 1) / 2)
    return np.asarray(0.25 * trigamma / np.log(2) ** 2)


def information_from_data(sources: Mapping[str, ArrayLike], target: ArrayLike) -> SubsetInformation:
    r"""Debiased information of every subset, with the influence of each person.

    With centred target ``y``, residual ``e``, leverage ``h`` (mean included), ``s_Y^2 = sum y^2 / n`` and
    ``s_e^2 = sum e^2 / (n - 1 - d)``, person ``i`` has the influence
    ``1/2 [y_i^2 / s_Y^2 - e_i^2 / ((1 - h_i) s_e^2)] / ln 2`` on ``I_A``. The mean product of two of them over n is
    the sampling covariance of two informations.

    Parameters
    ----------
    sources : mapping of str to array_like, shape (..., n, d_m)
        Latents of each modality, of people that no encoder was fitted to.
    target : array_like, shape (..., n)
        Scalar target of the same people, near normal (see `brainpid.crossfit.transforms.normal_scores`).

    Raises
    ------
    InputError
        Where lengths differ, a value is missing or infinite, the target has several columns or is constant.
    NumericalError
        Where ``n < 2.5 d`` with d the rank of all latents together, or a subset determines the target exactly.
    """
    names = checked_names(sources)
    blocks, y = _checked_data(sources, target)
    n = y.shape[-1]
    x = _unit_norm(np.concatenate(list(blocks.values()), axis=-1))
    y = _unit_norm(y[..., None])[..., 0]
    if not np.all(np.any(y != 0, axis=-1)):
        raise InputError(f"the target is the same for all {n} people; it must vary")
    # One orthogonal factor serves every subset: the column space of A is that of its columns of `small`.
    q, small = np.linalg.qr(x)
    _refuse_few_people(n, small)

    columns = columns_of({name: block.shape[-1] for name, block in blocks.items()}, first=0)
    residual_norm, ranks, influences = [], [], []
    for subset in subsets_of(names):
        own = np.concatenate([columns[m] for m in subset])
        u, s, _ = thin_svd(f"information of {'+'.join(subset)}", small[..., own], n, len(own))
        kept = _directions(s)
        basis = q @ (u * kept[..., None, :])
        residual = y - np.squeeze(basis @ (np.swapaxes(basis, -1, -2) @ y[..., None]), axis=-1)
        norm = np.sum(residual**2, axis=-1)
        refuse_exact(norm, "+".join(subset))
        rank = kept.sum(axis=-1)
        free = 1 - 1 / n - np.sum(basis**2, axis=-1)
        # A person who alone spans a direction has h = 1, e = 0; e^2 / (1 - h) = (1 - h) e_loo^2 tends to 0.
        noise = np.divide(residual**2, free, out=np.zeros_like(free), where=free > EXACT)
        noise *= ((n - 1 - rank) / norm)[..., None]
        influences.append(0.5 / np.log(2) * (n * y**2 - noise))
        residual_norm.append(norm)
        ranks.append(rank)
    raw = -0.5 * np.log2(np.stack(residual_norm, axis=-1))
    rank = np.stack(ranks, axis=-1)
    return SubsetInformation(names, raw - bias_bits(n, rank), raw, rank, n, np.stack(influences, axis=-1))


def information_over_folds(sources: Mapping[str, ArrayLike], target: ArrayLike, fold: ArrayLike) -> SubsetInformation:
    """Debiased information of every subset in each fold, averaged over the folds of each of R repeats.

    Parameters
    ----------
    sources : mapping of str to array_like, shape (R, n, d_m)
        Latents whose axes differ between folds.
    target : array_like, shape (n,)
    fold : array_like of int, shape (R, n)

    Returns
    -------
    SubsetInformation
        Leading axis R; ``I_A = sum_k (n_k / n) I_A,k``, and each person's influence is that on the own fold.

    Raises
    ------
    InputError, NumericalError
        As in `information_from_data`, for any one fold.
    """
    blocks = {name: numbers_of(values, f"modality '{name}'") for name, values in sources.items()}
    y, fold = numbers_of(target, "target"), np.asarray(fold)
    shape = (len(fold), 2 ** len(blocks) - 1)
    bits, raw, rank = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)
    influence = np.empty((len(fold), len(y), shape[1]))
    for repeat, assigned in enumerate(fold):
        for k in np.unique(assigned):
            own = assigned == k
            part = information_from_data({name: block[repeat, own] for name, block in blocks.items()}, y[own])
            bits[repeat] += own.mean() * part.bits
            raw[repeat] += own.mean() * part.raw
            rank[repeat] = np.maximum(rank[repeat], part.rank)
            influence[repeat, own] = part.influence
    return SubsetInformation(checked_names(blocks), bits, raw, rank, len(y), influence)


def information_from_sample_covariance(cov: ArrayLike, dims: Mapping[str, int], n: int) -> SubsetInformation:
    """Debiased information of every subset from sample covariances of n people, without influences.

    The same numbers as `information_from_data` at a fraction of its cost, for stacks of many, such as permutations.

    Parameters
    ----------
    cov : array_like, shape (..., 1 + D, 1 + D)
        Joint sample covariances, the target first; their scale does not matter.
    dims : mapping of str to int
        Columns of each modality.
    n : int
        People behind each covariance.

    Raises
    ------
    InputError, NumericalError
        As `brainpid.pid.gaussian.information_from_covariance`, and where ``n < 2.5 d``.
    """
    found = information_from_covariance(cov, dims)
    if n < MIN_PEOPLE_PER_DIMENSION * (d := int(found.rank.max())):
        raise NumericalError(
            f"n = {n} people are too few for d = {d} latent dimensions in total: at least "
            f"{MIN_PEOPLE_PER_DIMENSION:g} people per dimension are needed. Use fewer latent dimensions"
        )
    return SubsetInformation(found.modalities, found.bits - bias_bits(n, found.rank), found.raw, found.rank, n)


def _directions(singular: FloatArray) -> NDArray[np.bool_]:
    """Mark the singular values (..., k) of unit-norm columns that stand for a direction."""
    return np.asarray(singular > RANK_TOLERANCE * np.max(singular, axis=-1, keepdims=True))


def _refuse_few_people(n: int, columns: FloatArray) -> None:
    singular = singular_values("latents", columns, n, columns.shape[-1])
    kept = _directions(singular)
    d = int(kept.sum(axis=-1).max())
    if n < MIN_PEOPLE_PER_DIMENSION * d:
        smallest = np.where(kept, singular, np.inf).min(axis=-1)
        condition = float((singular.max(axis=-1) / smallest).max())
        raise NumericalError(
            f"n = {n} people are too few for d = {d} latent dimensions in total (condition number {condition:.3g}): "
            f"at least {MIN_PEOPLE_PER_DIMENSION:g} people per dimension are needed. Use fewer latent dimensions, "
            f"at most {int(n / MIN_PEOPLE_PER_DIMENSION)} over all modalities"
        )


def _checked_data(sources: Mapping[str, ArrayLike], target: ArrayLike) -> tuple[dict[str, FloatArray], FloatArray]:
    y = numbers_of(target, "target")
    blocks = {name: numbers_of(values, f"modality '{name}'") for name, values in sources.items()}
    for name, block in blocks.items():
        if block.ndim < 2 or block.shape[-1] == 0:
            raise InputError(f"modality '{name}' has shape {block.shape}; expected (..., people, columns)")
        if y.ndim == block.ndim and y.shape[:-1] == block.shape[:-1]:
            raise InputError(f"the target has shape {y.shape}, that is {y.shape[-1]} columns; {SCALAR_ONLY}")
        if block.shape[:-1] != y.shape:
            raise InputError(
                f"modality '{name}' has {block.shape[-2]} people (array of shape {block.shape}) and the target "
                f"{y.shape[-1]} (shape {y.shape}); expected the same people in the same order"
            )
        if bad := int(np.sum(~np.isfinite(block).all(axis=-1))):
            raise InputError(
                f"modality '{name}' has missing or infinite values in {bad} of {y.size} rows; leave these people out "
                "or impute first"
            )
    if y.ndim == 0 or y.shape[-1] < 3:
        raise InputError(f"the target has shape {y.shape}; expected at least 3 people")
    if bad := int(np.sum(~np.isfinite(y))):
        raise InputError(f"the target is missing or infinite in {bad} of {y.size} rows; leave these people out")
    return blocks, y


def _unit_norm(x: FloatArray) -> FloatArray:
    """Centre the columns of (..., n, d) and scale them to norm 1; a constant column becomes 0."""
    centred = x - x.mean(axis=-2, keepdims=True)
    norm = np.sqrt(np.sum(centred**2, axis=-2, keepdims=True))
    # What is left of a constant column is the rounding of its mean.
    varies = norm > 1e-12 * np.sqrt(x.shape[-2]) * np.abs(x).max(axis=-2, keepdims=True)
    scaled: FloatArray = np.divide(centred, norm, out=np.zeros_like(centred), where=varies)
    return scaled
