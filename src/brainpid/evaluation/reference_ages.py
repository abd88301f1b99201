r"""Information for a given distribution of targets, so that cohorts whose targets spread differently compare.

A reader of the subset A tells the ratio ``t_A(y; x) = q_A(y | x) / p(y)``, which does not depend on how common a target
is. Where targets are distributed as r, and not as p, its density is ``q_A(y | x) r(y) / p(y)`` divided by its integral,
so that its log score relative to r is

    l_A = log2 t_A(y; x) - log2 mean_{y' ~ r} t_A(y'; x),      I_A = sum_i w_i l_iA / sum_i w_i,

where w weights a cohort's people so that their targets are distributed as r: within each of a few bands of r, which are
as likely as each other, people share its weight alike (post-stratification). A cohort that has nobody in a band tells
nothing of it, and is refused with the band named. Of n people ``(sum w)^2 / sum w^2`` are left, by which cohorts are
pooled.

References
----------
Holt & Smith 1979, J R Stat Soc A 142:33 (post-stratification); Kish 1965, Survey Sampling (effective number);
Saerens et al. 2002, Neural Computation 14:21 (predictions under other priors).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.modalities import Subset, subsets_of
from brainpid.core.names import REFERENCE_AGES
from brainpid.evaluation.ages import Ages
from brainpid.evaluation.decomposition import Estimated
from brainpid.evaluation.predictions import LOG_SCORE, by_repeat, groups_of
from brainpid.evaluation.reference_weights import WEIGHT
from brainpid.pid.assemble import decompose_information
from brainpid.pid.estimation import covariance_of_zero
from brainpid.pid.predictions import decompose_predictions


def decompose_for_reference(
    rows: pd.DataFrame, modalities: Sequence[str], settings: DecompositionSettings, se_factor: float
) -> list[Estimated]:
    """Decompose what one model tells of one cohort's people under the reference.

    Parameters
    ----------
    rows : DataFrame
        Out-of-fold rows of people with every modality: participant_id, repeat, fold, age, weight, and log scores
        relative to the reference; the group where people are of groups.
    modalities : sequence of str
    settings : DecompositionSettings
    se_factor : float
        Widening of the standard errors.

    Returns
    -------
    list of Estimated
        By every measure; `n` is the effective number of people.
    """
    subsets = subsets_of(modalities)
    columns = [LOG_SCORE + "+".join(subset) for subset in subsets]
    own = rows[rows[WEIGHT] > 0]
    values, age, n_folds = by_repeat(own, [*columns, WEIGHT])
    weights, groups = values[WEIGHT][0], groups_of(own)
    scores: dict[str | Subset, ArrayLike] = {
        subset: values[column].mean(axis=0) for subset, column in zip(subsets, columns, strict=True)
    }
    n, effective = len(age), int(weights.sum() ** 2 / np.sum(weights**2))
    sizes = [len(subset) for subset in subsets]
    few = covariance_of_zero(modalities, sizes, effective) - covariance_of_zero(modalities, sizes, n)
    ages, found = _weighted_ages(age, weights, effective), []
    for measure in settings.measures:
        told = decompose_predictions(scores, groups, measure, settings.confidence, se_factor, weights)
        if told.covariance is None:
            raise ValueError("a decomposition of people has a sampling covariance")
        joint = told.covariance + se_factor**2 * few
        whole = decompose_information(
            list(told.information.values()), joint, modalities, effective, measure, settings.confidence
        )
        found.append(Estimated(REFERENCE_AGES, whole, n_folds, se_factor, ages))
    return found


def _weighted_ages(age: FloatArray, weights: FloatArray, n: int) -> Ages:
    """Moments of weighted people's targets."""
    part = weights / weights.sum()
    mean = float(part @ age)
    spread = float(np.sqrt(part @ (age - mean) ** 2))
    z = (age - mean) / spread
    return Ages(
        n, mean, spread * float(np.sqrt(n / (n - 1))), float(part @ z**3), float(part @ z**4), float(age.min()),
        float(age.max()),
    )  # fmt: skip
