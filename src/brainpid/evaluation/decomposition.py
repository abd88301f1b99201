"""From one cohort's out-of-fold predictions of one model to its decomposition.

The decomposition is read from one scalar latent per modality, of people whom its encoder had not seen, pooled over
the folds of a repeat and averaged over repeats, against the normal score of the target among those people. What is
reported is *the information in the latents learned at this n*, which is not population information.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.errors import InputError
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.predictions import CONCATENATED, LATENT, by_repeat, groups_of
from brainpid.pid.assemble import covariance_of_mean
from brainpid.pid.decompose import OUT_OF_FOLD_SE_FACTOR, decompose_repeats
from brainpid.pid.estimation import information_from_data
from brainpid.pid.result import Decomposition

PID_COLUMNS = [
    "cohort", "model", "measure", "scope", "modalities", "atom", "bits", "se", "ci_low", "ci_high", "share", "p_value",
    "n", "n_folds",
]  # fmt: skip


def decompose_cohort(
    predictions: pd.DataFrame, modalities: Sequence[str], settings: DecompositionSettings
) -> tuple[list[Decomposition], int]:
    """Decompose one model's out-of-fold latents in one cohort, under every measure.

    Where the predictions have a column of groups (`brainpid.evaluation.predictions.GROUP`), standard errors are
    clustered by it.

    Returns
    -------
    list of Decomposition and int
        One for each measure, in bits; the number of folds.

    Raises
    ------
    NumericalError
        Where there are fewer than 2.5 people a latent.
    """
    values, age, n_folds = by_repeat(predictions, [LATENT + modality for modality in modalities])
    latents = {modality: values[LATENT + modality] for modality in modalities}
    score, groups = normal_scores(age), groups_of(predictions)
    found = [
        decompose_repeats(latents, score, measure, settings.confidence, OUT_OF_FOLD_SE_FACTOR, groups)
        for measure in settings.measures
    ]
    return found, n_folds


def concatenated_check(
    predictions: pd.DataFrame, modalities: Sequence[str], settings: DecompositionSettings
) -> pd.DataFrame:
    """Information of ridge on the concatenated features of all modalities, of one, and of all but one.

    Encoders of one modality each cannot see suppression, where a modality helps only beside another; the concatenated
    features can. The rows are `alone`, `added` and `total` of one-versus-rest, equal under every measure.
    """
    subsets = [column for column in predictions.columns if column.startswith(CONCATENATED)]
    values, age, n_folds = by_repeat(predictions, subsets)
    score = np.broadcast_to(normal_scores(age), next(iter(values.values())).shape)
    z, groups = ndtri(0.5 + settings.confidence / 2), groups_of(predictions)
    joined = "+".join(modalities)
    records = []
    for modality in modalities:
        rest = "+".join(name for name in modalities if name != modality)
        parts = {"all": joined, "rest": rest, "alone": modality}
        found = information_from_data(
            {part: values[CONCATENATED + subset][..., None] for part, subset in parts.items()}, score
        )
        if found.influence is None:
            raise InputError("an information estimated from people has an influence of each person")
        bits, influence = found.bits.mean(axis=0), found.influence.mean(axis=0)
        for atom, contrast in (("total", (1, 0, 0)), ("alone", (0, 0, 1)), ("added", (1, -1, 0))):
            weights = np.array([*contrast, *np.zeros(len(bits) - 3)])
            variance, _ = covariance_of_mean((influence @ weights)[:, None], groups)
            se = OUT_OF_FOLD_SE_FACTOR * float(np.sqrt(variance[0, 0]))
            value = float(bits @ weights)
            records.append(
                {
                    "scope": "one_vs_rest", "modalities": modality, "atom": atom, "bits": value, "se": se,
                    "ci_low": value - z * se, "ci_high": value + z * se, "share": np.nan, "p_value": np.nan,
                    "n": len(age), "n_folds": n_folds,
                }
            )  # fmt: skip
    frame = pd.DataFrame(records)
    return pd.concat([frame.assign(measure=measure) for measure in settings.measures], ignore_index=True)
