r"""How far standard errors of out-of-fold information are to be widened, estimated in each cohort.

The standard error that influences give takes the readers as fixed. But readers are fitted to people of the same
cohort, and another cohort would have other readers. How much that adds depends on features and people: little where
features are few, half of the variance where they are as many as people. It is told by leaving people out: groups of
people are deleted one after the other, the readers fitted anew to who is left, folds kept, and the changes of the
informations compared with what the influences of the deleted people foretell,

    J = (G - 1) / G sum_g (dT_g - mean)^2,    L = (G - 1) / G sum_g (dL_g - mean)^2.

J is a jackknife variance. In terms of Hoeffding's decomposition it counts what is of first order in people once and
what is of second order, products of a training person's and a test person's part, twice (Efron & Stein 1981): the part
that L has not is halved. With Z the exact variance at zero information, which the standard error has beside L,

    factor^2 = max(1, (L + (J - L) / 2) / (L + Z)),

sums over all subsets of modalities and a few draws of folds and groups. Both J and L come from the same groups, so that
most of the noise of a jackknife with few groups cancels.

The readers are ridges of each modality, as in the null, from the leading components of its features. For what is told
beyond controls, readings and target are taken less what is linear in the controls, in who is left.

References
----------
Efron & Stein 1981, Ann Stat 9:586; Shao & Wu 1989, Ann Stat 17:1176 (delete-a-group jackknife).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.seeds import derive
from brainpid.crossfit.conditional import leading_components, ridge_reader
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.exchange import members
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.minima import why_widening_assumed
from brainpid.crossfit.transforms import Standardizer, normal_scores
from brainpid.pid.decompose import OUT_OF_FOLD_SE_FACTOR
from brainpid.pid.estimation import covariance_of_zero, information_from_data
from brainpid.pid.gaussian import SubsetInformation

DELETED = 20
"""Groups of people that are left out in turn."""
DRAWS = 3
"""Of folds and of groups, whose variances are added: one draw scatters, above all where features are collinear."""
MOST_COMPONENTS = 300
"""Of each modality, by the readers: their time grows with the third power."""


def inflation(
    blocks: Blocks,
    target: FloatArray,
    *,
    folds: int,
    seed: int,
    groups: ArrayLike | None = None,
    controls: ControlDesign | None = None,
) -> float:
    """Factor by which standard errors of out-of-fold information are to be widened.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Features of people who have every modality, in any unit; NaN is a missing cell.
    target : ndarray, shape (n,)
    folds, seed : int
    groups : array_like, shape (n,), optional
        Rows of one group are held out and deleted together, and their influences added.
    controls : ControlDesign, optional
        Of the same people: the factor is that of what is told beyond them.

    Returns
    -------
    float
        1 or more.

    Raises
    ------
    InputError, NumericalError
        Where people are of too few groups (`brainpid.crossfit.minima.why_widening_assumed`), and as
        `brainpid.pid.estimation.information_from_data`.
    """
    member = members(len(target), groups)
    if reason := why_widening_assumed(len(target), groups):
        raise InputError(reason)
    given = ControlDesign.of({}) if controls is None else controls
    features = [leading_components(Standardizer.fit(b).transform(b), MOST_COMPONENTS) for b in blocks.values()]
    parts = [_variances(features, target, given, member, folds, derive(seed, "draw", draw)) for draw in range(DRAWS)]
    jackknife, first, zero = np.sum(parts, axis=0)
    return float(np.sqrt(max(1.0, (first + (jackknife - first) / 2) / (first + zero))))


def inflation_or_assumed(
    blocks: Blocks,
    target: FloatArray,
    *,
    folds: int,
    seed: int,
    groups: ArrayLike | None = None,
    controls: ControlDesign | None = None,
) -> tuple[float, str]:
    """Return `inflation` and no words, or `OUT_OF_FOLD_SE_FACTOR` and why it is assumed; parameters as there."""
    try:
        return inflation(blocks, target, folds=folds, seed=seed, groups=groups, controls=controls), ""
    except (InputError, NumericalError) as fault:
        return OUT_OF_FOLD_SE_FACTOR, str(fault)


def _variances(
    features: list[FloatArray], target: FloatArray, given: ControlDesign, member: IntArray, folds: int, seed: int
) -> tuple[float, float, float]:
    """Variances J, L and Z, summed over subsets, of one draw of folds and of groups of people that are deleted."""
    rng = np.random.default_rng(seed)
    fold, deleted = random_folds(member, folds, rng), random_folds(member, DELETED, rng)
    order = np.argsort(fold, kind="stable")
    features = [own[order] for own in features]
    target, fold, deleted, given = target[order], fold[order], deleted[order], given.rows(order)
    found = _informations(features, target, given, fold, np.ones(len(target), dtype=bool))
    if found.influence is None:
        raise InputError("an information estimated from people has an influence of each person")
    influence = found.influence[0] - found.influence[0].mean(axis=0)
    change, foretold = [], []
    for group in np.unique(deleted):
        left = deleted != group
        change.append(_informations(features, target, given, fold, left).bits[0] - found.bits[0])
        foretold.append(-influence[~left].sum(axis=0) / left.sum())
    rows_a_group = len(member) / len(np.unique(member))
    ranks = found.rank.reshape(-1, found.rank.shape[-1])[0].tolist()
    zero = rows_a_group**2 * np.trace(covariance_of_zero(found.modalities, ranks, len(target)))
    return _jackknife(np.array(change)), _jackknife(np.array(foretold)), float(zero)


def _informations(
    features: list[FloatArray], target: FloatArray, given: ControlDesign, fold: IntArray, rows: BoolArray
) -> SubsetInformation:
    """Information of every subset in ridge latents of some of the people; rows are sorted by fold."""
    read, own = ridge_reader(target[rows], fold[rows]), given.rows(rows)
    latents = {str(number): own.less(read(x[None, rows]))[..., None] for number, x in enumerate(features)}
    return information_from_data(latents, own.less(normal_scores(target[rows])[None]))


def _jackknife(changes: FloatArray) -> float:
    """Jackknife variance of all columns of changes (G, K) together."""
    return float((len(changes) - 1) * changes.var(axis=0).sum())
