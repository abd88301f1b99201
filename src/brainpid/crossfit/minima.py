"""How many people each step needs, and who can be decomposed: the one place of these numbers.

What `check` lets pass has to run to its end, so that who decides before anything is trained and who computes afterwards
ask here. A model that cannot be fitted stops a run. A cohort, or a fold, that cannot be decomposed does not: its
predictions are judged all the same, and it has no rows in the decomposition.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import list_some
from brainpid.crossfit.exchange import exchange_of, members
from brainpid.pid.estimation import MIN_PEOPLE_PER_DIMENSION

INNER_FOLDS = 5
"""Folds of a baseline's training people; what they predict held out chooses settings and sets bias and intervals."""
FEWEST_GROUPS = 2
"""Of people with every modality in training, since inner folds hold out groups as wholes."""
GROUPS_TO_WIDEN = 10
"""Of people with every modality, from which the widening of standard errors is estimated."""
PEOPLE_PER_FOLD = 2
"""Fewest people with every modality in an inner fold, of models and of the null."""


def fewest_of_baseline() -> int:
    """Fewest training people with every modality that a baseline is fitted to."""
    return PEOPLE_PER_FOLD * INNER_FOLDS


def fewest_of_ensemble(members: int, modalities: int) -> int:
    """Fewest training people with every modality for an ensemble of so many networks, each without one inner fold.

    The fusion weights that the networks start from are read from one latent of each of the modalities.
    """
    return max(PEOPLE_PER_FOLD * members, fewest_of_latents(modalities))


def folds_read(folds: int) -> int:
    """How many of so many inner folds a network reads its fusion weights from: a fifth, and one at least."""
    return max(1, round(0.2 * folds))


def fewest_of_own_weights(members: int, modalities: int) -> int:
    """Fewest training people for networks that read their fusion weights from one latent of each of the modalities."""
    return members * math.ceil(fewest_of_latents(modalities) / folds_read(members))


def fewest_of_interval(coverage: float) -> int:
    """Fewest training people whose held-out errors give an interval of a coverage: their largest is its half width."""
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def fewest_of_latents(d: int) -> int:
    """Fewest people from whom d latents in total can be decomposed."""
    return math.ceil(MIN_PEOPLE_PER_DIMENSION * d)


def fewest_to_relate(modalities: int) -> int:
    """Fewest training people with every modality: a line through one latent of each, and a degree of freedom more."""
    return modalities + 2


def why_not_decomposed(target: FloatArray, modalities: Sequence[str]) -> str:
    """Why people with every modality cannot be decomposed into one scalar latent a modality; empty where they can.

    Parameters
    ----------
    target : ndarray, shape (n,)
        Of the people with every modality, each once, in its units.
    modalities : sequence of str
        Names of the latents.
    """
    n, d = len(target), len(modalities)
    if n < fewest_of_latents(d):
        return (
            f"n = {n} people who take part have every modality, which is too few to decompose d = {d} latents, one a "
            f"modality ({list_some(modalities)}); expected at least {MIN_PEOPLE_PER_DIMENSION:g} people a modality, "
            f"that is {fewest_of_latents(d)}"
        )
    if target.min() == target.max():
        return f"all {n} people who take part with every modality have the same target, {target[0]:g}; it must vary"
    return ""


def why_not_cross_fitted(target: FloatArray, modalities: Sequence[str], folds: int) -> str:
    """Why encoders cannot be fitted within a cohort in the folds of the null; empty where they can.

    Parameters
    ----------
    target : ndarray, shape (n,)
        Of the people with every modality.
    modalities : sequence of str
    folds : int
    """
    if reason := why_not_decomposed(target, modalities):
        return reason
    needed = PEOPLE_PER_FOLD * folds
    if len(target) < needed:
        few = f"n = {len(target)} people have every modality, which is too few for {folds} folds of the null"
        return f"{few}; expected at least {needed}"
    return ""


def why_widening_assumed(n: int, groups: ArrayLike | None = None) -> str:
    """Why n people are of too few groups to estimate how far standard errors are to be widened; empty where not.

    Without groups everybody is one.
    """
    if (found := int(members(n, groups).max(initial=-1)) + 1) < GROUPS_TO_WIDEN:
        return (
            f"the widening of standard errors cannot be told from {found} groups of people; expected at least "
            f"{GROUPS_TO_WIDEN}"
        )
    return ""


def why_no_null(target: FloatArray, modalities: Sequence[str], folds: int, groups: ArrayLike | None = None) -> str:
    """Why people with every modality have no permutation null; empty where they have one.

    Parameters
    ----------
    target : ndarray, shape (n,)
    modalities : sequence of str
    folds : int
        Folds of the null.
    groups : array_like, shape (n,), optional
        Label of each one's group; groups are exchanged as wholes.
    """
    if reason := why_not_cross_fitted(target, modalities, folds):
        return reason
    exchange = exchange_of(target, groups)
    if not exchange.sets:
        return (
            f"{len(target)} people with every modality are of {exchange.groups} group(s), of which no two have the "
            "same size: groups are exchanged as wholes, and none can be"
        )
    return ""
