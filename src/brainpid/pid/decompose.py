r"""Partial information decomposition of what modalities tell about a scalar Gaussian target, with intervals.

The information of every subset of modalities (`brainpid.pid.gaussian`, `brainpid.pid.estimation`) is split into atoms
(`brainpid.pid.atoms`) by one of two measures. Every person has an influence on every information, and

    cov(I_A, I_B) = se_factor^2 * (cov_i(influence_iA, influence_iB) / n + second order).

`brainpid.pid.assemble` makes the intervals from it: ``atom +- z * se`` wherever an atom is linear. The second-order
part is the exact variance of an information that is zero (`brainpid.pid.estimation.covariance_of_zero`). It is of
order 1 / n^2 and matters near zero alone, where influences vanish and would promise more than there is. Where rows are
of groups, such as visits of a person, the influences are summed within groups first, and the second-order part counts
a group as one person.

What is read is the information in the latents that are given, at the n at which their encoders were fitted; give
latents of people that no encoder was fitted to, and a target that is near normal (`brainpid.crossfit.transforms`).
Latents from cross-fitting share their training people, which the influence of a single person does not see: pass
``se_factor=OUT_OF_FOLD_SE_FACTOR`` there.

Everything below a decomposition is batched over leading axes (folds, bootstrap draws, permutations):
`information_from_data` and `information_from_sample_covariance` give the debiased informations of a stack of samples,
and `atoms_of` turns them into the atoms of each, without correction at kinks.

References
----------
Barrett 2015 Phys Rev E 91:052802; Kay & Ince 2018 Entropy 20:240; Ma & Yu 2025 arXiv:2512.22102.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.errors import InputError
from brainpid.core.labels import check_same_people, numbers_of
from brainpid.core.names import Measure
from brainpid.pid.assemble import covariance_of_mean, decompose_information
from brainpid.pid.estimation import (
    covariance_of_zero,
    information_from_data,
    information_over_folds,
)
from brainpid.pid.gaussian import SCALAR_ONLY, SubsetInformation, information_from_covariance
from brainpid.pid.options import check_options
from brainpid.pid.result import Decomposition

OUT_OF_FOLD_SE_FACTOR = 1.25
"""Widening of a standard error on out-of-fold latents: 95% intervals then cover 94-97%, without it 90%."""


def decompose(
    sources: Mapping[str, ArrayLike],
    target: ArrayLike,
    measure: Measure = "mmi",
    confidence: float = 0.95,
    se_factor: float = 1.0,
    groups: ArrayLike | None = None,
) -> Decomposition:
    """Decompose the information that modalities have about a target, from one sample of people.

    Parameters
    ----------
    sources : mapping of str to array_like, shape (n, d_m) or (n,)
        Latents of each modality, in any unit; two or more modalities.
    target : array_like, shape (n,)
        Scalar target, near normal.
    measure : {"mmi", "idep"}
    confidence : float
        Coverage of the intervals, in (0, 1).
    se_factor : float
        Widening of the standard errors; `OUT_OF_FOLD_SE_FACTOR` for out-of-fold latents.
    groups : array_like, shape (n,), optional
        Label of each row's group, such as a person of several visits or a family: standard errors are clustered by it.

    Returns
    -------
    Decomposition
        Debiased, in bits.

    Raises
    ------
    InputError
        Where lengths or labels of rows differ, a value is missing or infinite, the target has several columns, or an
        option is invalid.
    NumericalError
        Where ``n < 2.5 d``, or a modality determines the target exactly.
    """
    check_options(measure, confidence, se_factor)
    check_same_people({f"sources['{name}']": values for name, values in sources.items()} | {"target": target})
    y = numbers_of(target, "target")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise InputError(f"the target has shape {y.shape}; expected (people,): {SCALAR_ONLY}")
    return decompose_repeats(
        {name: numbers_of(values, f"modality '{name}'")[None] for name, values in sources.items()},
        y[None],
        measure,
        confidence,
        se_factor,
        groups,
    )


def decompose_repeats(
    sources: Mapping[str, ArrayLike],
    target: ArrayLike,
    measure: Measure = "mmi",
    confidence: float = 0.95,
    se_factor: float = 1.0,
    groups: ArrayLike | None = None,
) -> Decomposition:
    """Decompose R cross-fitting repeats of the same people and average them.

    The informations are averaged over repeats as they are (not clipped), and the atoms are those of the average. Each
    person's influence is averaged too: repeats are not independent samples, and their standard error is that of the
    average influence over people.

    Parameters
    ----------
    sources : mapping of str to array_like, shape (R, n, d_m) or (R, n)
        Out-of-fold latents of each modality in each repeat, people in the same order throughout.
    target : array_like, shape (n,) or (R, n)
        Scalar target, near normal.
    measure, confidence, se_factor, groups
        As in `decompose`.

    Returns
    -------
    Decomposition
        With `n` people, not ``R n``.

    Raises
    ------
    InputError, NumericalError
        As in `decompose`.
    """
    check_options(measure, confidence, se_factor)
    blocks = {name: numbers_of(values, f"modality '{name}'") for name, values in sources.items()}
    blocks = {name: block[..., None] if block.ndim == 2 else block for name, block in blocks.items()}
    y = numbers_of(target, "target")
    if y.ndim == 1 and blocks:
        y = np.broadcast_to(y, (len(next(iter(blocks.values()))), len(y)))
    return _assemble(information_from_data(blocks, y), measure, confidence, se_factor, groups)


def decompose_folds(
    sources: Mapping[str, ArrayLike],
    target: ArrayLike,
    fold: ArrayLike,
    measure: Measure = "mmi",
    confidence: float = 0.95,
    se_factor: float = OUT_OF_FOLD_SE_FACTOR,
    groups: ArrayLike | None = None,
) -> Decomposition:
    r"""Decompose R cross-fitting repeats whose latents have more than one dimension.

    Latents of different encoders have different axes and must not be pooled: it costs 0.2 bits at any n. So the
    informations are estimated and debiased in each fold, ``I_A = sum_k (n_k / n) I_A,k``, and the atoms are those of
    the average; a person's influence is that on the person's own fold.

    Parameters
    ----------
    sources : mapping of str to array_like, shape (R, n, d_m)
        Out-of-fold latents in each repeat, people in the same order throughout.
    target : array_like, shape (n,)
        Scalar target, near normal.
    fold : array_like of int, shape (R, n)
        Fold of each person in each repeat.
    measure, confidence, se_factor, groups
        As in `decompose`.

    Raises
    ------
    InputError
        As in `decompose`.
    NumericalError
        As in `decompose`; above all where a fold has fewer than 2.5 people for each of the d latent dimensions in
        total. Use one scalar latent a modality (`decompose_repeats`) there.
    """
    check_options(measure, confidence, se_factor)
    return _assemble(information_over_folds(sources, target, fold), measure, confidence, se_factor, groups)


def decompose_covariance(cov: ArrayLike, dims: Mapping[str, int], measure: Measure = "mmi") -> Decomposition:
    """Decompose the information under a known covariance.

    Parameters
    ----------
    cov : array_like, shape (1 + D, 1 + D)
        Joint covariance, the scalar target first, then the modalities' columns in the order of `dims`.
    dims : mapping of str to int
        Number of columns of each modality; they add up to D.
    measure : {"mmi", "idep"}

    Returns
    -------
    Decomposition
        In bits, without bias correction; `se`, interval and n are NaN.

    Raises
    ------
    InputError
        Where the shape does not fit, entries are not finite or not symmetric, or `measure` is unknown.
    NumericalError
        Where `cov` is not positive semi-definite, or a modality determines the target exactly.

    Examples
    --------
    Two equally strong modalities that are nearly independent hold half of the information only together:

    >>> found = decompose_covariance([[1, 0.6, 0.6], [0.6, 1, 0.2], [0.6, 0.2, 1]], {"t1": 1, "dwi": 1})
    >>> {row.atom: round(row.bits, 3) for row in found.rows if row.scope == "all" and row.atom != "unique"}
    {'total': 0.661, 'redundant': 0.322, 'synergy': 0.339}
    """
    check_options(measure, 0.95, 1.0)
    cov = numbers_of(cov, "covariance")
    if cov.ndim != 2:
        raise InputError(f"covariance has {cov.ndim} axes; expected 2")
    return _assemble(information_from_covariance(cov[None], dims), measure, 0.95, 1.0)


def _assemble(
    found: SubsetInformation,
    measure: Measure,
    confidence: float,
    se_factor: float,
    groups: ArrayLike | None = None,
) -> Decomposition:
    """Average the informations of R repeats, shape (R, K), and decompose the average."""
    bits, raw = found.bits.mean(axis=0), found.raw.mean(axis=0)
    if found.n is None or found.influence is None:
        return decompose_information(bits, None, found.modalities, None, measure, confidence)
    influence = found.influence.mean(axis=0)
    first_order, rows_a_group = covariance_of_mean(influence, groups)
    ranks = found.rank.reshape(-1, found.rank.shape[-1])[0].tolist()
    second_order = covariance_of_zero(found.modalities, ranks, found.n)
    covariance = se_factor**2 * (first_order + rows_a_group**2 * second_order)
    return decompose_information(bits, covariance, found.modalities, found.n, measure, confidence, raw, influence)
