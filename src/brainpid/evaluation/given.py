"""Information of readers beyond the controls: decompositions of one cohort, given nuisance columns of its people.

`log_score` is the mean of ``log2 q(y | A, C) - log2 q(y | C)`` by readers that are fitted on top of the out-of-fold
predictions (`brainpid.crossfit.given`); `gaussian_score` is that of latents and target less what is linear in the
controls, the partial correlation. The first knows that sites have spreads of their own, the second does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.modalities import Subset, subsets_of
from brainpid.core.names import GAUSSIAN_SCORE, LOG_SCORE_ESTIMATOR, SITE, WEIGHTED
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.given import CONTROLS, scores_given
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.ages import Ages
from brainpid.evaluation.decomposition import Estimated
from brainpid.evaluation.predictions import LATENT, SUBSET, by_repeat, groups_of
from brainpid.pid.decompose import decompose_repeats
from brainpid.pid.predictions import decompose_predictions

Controls = Mapping[str, pd.DataFrame]
"""Columns of each control; rows are people, indexed by cohort and participant_id."""


def sets_of(controls: Controls) -> list[tuple[str, ...]]:
    """Which controls are given together: the site, each other one alone, and all of them, which comes last."""
    names = tuple(controls)
    return [(name,) for name in names] + ([names] if len(names) > 1 else [])


def reported_sets(controls: Controls) -> list[tuple[str, ...]]:
    """Sets that the decomposition is given for: the site, and all controls."""
    sets = sets_of(controls)
    return [one for one in sets if one == (SITE,) or one == sets[-1]]


def by_person(columns: Mapping[str, pd.DataFrame], people: pd.DataFrame) -> Controls:
    """Columns of controls with the index of `people`, under the cohort and the label of each person."""
    index = pd.MultiIndex.from_frame(people[["cohort", "participant_id"]])
    return {name: own.set_axis(index) for name, own in columns.items()}


def design_of(controls: Controls, names: Sequence[str], cohort: str, people: Sequence[str]) -> ControlDesign:
    """Design of some controls of one cohort's people, in their order."""
    columns: dict[str, pd.Series] = {}
    for name in names:
        own = controls[name].loc[cohort].reindex(people)
        columns |= {column if column == name else f"{name}.{column}": own[column] for column in own}
    return ControlDesign.of(columns)


def decompose_given(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    se_factor: float,
    weights: pd.Series | None,
    controls: Controls,
    names: Sequence[str],
) -> list[Estimated]:
    """Decompose what one model tells of one cohort's people beyond controls.

    Parameters
    ----------
    predictions, modalities, settings, se_factor, weights
        As of `brainpid.evaluation.decomposition.decompose_cohort`.
    controls : mapping of str to DataFrame
    names : sequence of str
        Controls that are given. Those of one value in this cohort drop out.

    Returns
    -------
    list of Estimated
        Of each estimator under every measure.

    Raises
    ------
    NumericalError
        Where a reader cannot be fitted.
    """
    subsets = subsets_of(modalities)
    people = sorted(predictions["participant_id"].unique())
    design = design_of(controls, names, str(predictions["cohort"].iloc[0]), people)
    given = "+".join(names)
    found_more = more_than_controls(predictions, subsets, design)
    scores: dict[str | Subset, ArrayLike] = {subset: found_more[subset] for subset in subsets}
    values, age, n_folds = by_repeat(predictions, [LATENT + modality for modality in modalities])
    groups, ages = groups_of(predictions), Ages.of(age)
    sources = {m: design.less(values[LATENT + m]) for m in modalities}
    target = design.less(normal_scores(age))
    found = []
    for measure in settings.measures:
        told = decompose_predictions(scores, groups, measure, settings.confidence, se_factor)
        found.append(Estimated(LOG_SCORE_ESTIMATOR, told, n_folds, se_factor, ages, given))
    for measure in settings.measures:
        told = decompose_repeats(sources, target, measure, settings.confidence, se_factor, groups)
        found.append(Estimated(GAUSSIAN_SCORE, told, n_folds, se_factor, ages, given))
    if weights is not None:
        for measure in settings.measures:
            own = weights.reindex(people).to_numpy()
            told = decompose_predictions(scores, groups, measure, settings.confidence, se_factor, own)
            found.append(Estimated(WEIGHTED, told, n_folds, se_factor, ages, given))
    return found


def more_than_controls(
    predictions: pd.DataFrame, subsets: Sequence[Subset], design: ControlDesign
) -> dict[Subset, FloatArray]:
    """Log scores (n,) of each subset beyond the controls, in bits, averaged over repeats."""
    columns = [SUBSET + "+".join(subset) for subset in subsets]
    values, age, _ = by_repeat(predictions, [*columns, "fold"])
    groups = groups_of(predictions)
    told = []
    for repeat, fold in enumerate(values["fold"].astype(np.int64)):
        own = {subset: values[column][repeat] for subset, column in zip(subsets, columns, strict=True)}
        found = scores_given(own, design, age, fold, groups)
        told.append({subset: found[subset] - found[CONTROLS] for subset in subsets})
    return {subset: np.mean([one[subset] for one in told], axis=0) for subset in subsets}
