"""From one cohort's out-of-fold predictions of one model to its decompositions.

There are two estimators of the information of each subset of the modalities, both of people whom the model had not
seen, averaged over the repeats of the folds:

- ``log_score``, the headline: the mean log score ``log2 q_A(y | x) - log2 p(y)`` of the predictive density of the
  reader of A (`brainpid.crossfit.densities`). It is the information in the prediction that a person gets, whatever the
  distribution of targets is.
- ``gaussian_score``: from one scalar latent a modality, as if latents and the normal score of the target were jointly
  normal (`brainpid.pid.estimation`). What only several modalities together tell is not in the latents.

Where having every modality depends on the target, the log score is given besides with people weighted so that they
stand for the cohort (`brainpid.evaluation.missingness`).

Each is *the information in readers learned at this n*, which is not population information.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from numpy.typing import ArrayLike

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.modalities import Subset, subsets_of
from brainpid.core.names import GAUSSIAN_SCORE, LOG_SCORE_ESTIMATOR, WEIGHTED
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.ages import AGE_COLUMNS, Ages
from brainpid.evaluation.predictions import LATENT, LOG_SCORE, by_repeat, groups_of
from brainpid.pid.decompose import decompose_repeats
from brainpid.pid.predictions import decompose_predictions
from brainpid.pid.result import Decomposition

PID_COLUMNS = [
    "cohort", "model", "estimator", "given", "measure", "scope", "modalities", "atom", "bits", "se", "ci_low",
    "ci_high", "share", "p_value", "n", "n_folds", "se_factor", *AGE_COLUMNS,
]  # fmt: skip


class Estimated(NamedTuple):
    """A decomposition, how its informations were estimated, and the targets of the people that they are of."""

    estimator: str
    decomposition: Decomposition
    n_folds: int
    se_factor: float
    ages: Ages
    given: str = ""
    """Controls, joined by ``+``."""

    def to_frame(self) -> pd.DataFrame:
        """Rows of ``pid.tsv`` without cohort and model."""
        told = {"estimator": self.estimator, "given": self.given, "n_folds": self.n_folds, "se_factor": self.se_factor}
        return self.decomposition.to_frame().assign(**told, **self.ages.columns())


def decompose_cohort(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    se_factor: float,
    weights: pd.Series | None = None,
) -> list[Estimated]:
    """Decompose what one model tells of one cohort's people who have every modality.

    Where the predictions have a column of groups (`brainpid.evaluation.predictions.GROUP`), standard errors are
    clustered by it. They are widened by `se_factor`, for the readers were fitted to people of the same cohort.

    Parameters
    ----------
    weights : Series of float, optional
        By participant_id, for the log score weighted by them.

    Returns
    -------
    list of Estimated
        Of each estimator under every measure; information in bits.

    Raises
    ------
    NumericalError
        Where there are fewer than 2.5 people a latent.
    """
    subsets = subsets_of(modalities)
    columns = [LOG_SCORE + "+".join(subset) for subset in subsets]
    latents = [LATENT + modality for modality in modalities]
    values, age, n_folds = by_repeat(predictions, [*columns, *latents])
    groups, target, ages = groups_of(predictions), normal_scores(age), Ages.of(age)
    scores: dict[str | Subset, ArrayLike] = {
        subset: values[column].mean(axis=0) for subset, column in zip(subsets, columns, strict=True)
    }
    sources = {modality: values[LATENT + modality] for modality in modalities}
    found = []
    for measure in settings.measures:
        told = decompose_predictions(scores, groups, measure, settings.confidence, se_factor)
        found.append(Estimated(LOG_SCORE_ESTIMATOR, told, n_folds, se_factor, ages))
    for measure in settings.measures:
        told = decompose_repeats(sources, target, measure, settings.confidence, se_factor, groups)
        found.append(Estimated(GAUSSIAN_SCORE, told, n_folds, se_factor, ages))
    if weights is not None:
        people = weights.reindex(sorted(predictions["participant_id"].unique())).to_numpy()
        for measure in settings.measures:
            told = decompose_predictions(scores, groups, measure, settings.confidence, se_factor, people)
            found.append(Estimated(WEIGHTED, told, n_folds, se_factor, ages))
    return found
