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
from brainpid.pid.decompose import decompose_repeats, variance_of_mean
from brainpid.pid.estimation import information_from_data

PID_COLUMNS = [
    "cohort", "model", "measure", "scope", "modalities", "atom", "bits", "se", "ci_low", "ci_high", "share", "p_value",
    "n", "n_folds", "se_factor",
]  # fmt: skip


def decompose_cohort(
    predictions: pd.DataFrame, modalities: Sequence[str], settings: DecompositionSettings, se_factor: float
) -> pd.DataFrame:
    """Decompose one model's out-of-fold latents in one cohort, under every measure.

    Where the predictions have a column of groups (`brainpid.evaluation.predictions.GROUP`), standard errors are
    clustered by it. They are widened by `se_factor`, for the readers were fitted to people of the same cohort.

    Returns
    -------
    DataFrame
        Columns of ``aggregate/pid.tsv`` without cohort and model; information in bits.

    Raises
    ------
    NumericalError
        Where there are fewer than 2.5 people a latent.
    """
    values, age, n_folds = by_repeat(predictions, [LATENT + modality for modality in modalities])
    latents = {modality: values[LATENT + modality] for modality in modalities}
    score, groups = normal_scores(age), groups_of(predictions)
    frames = [
        decompose_repeats(latents, score, measure, settings.confidence, se_factor, groups).to_frame()
        for measure in settings.measures
    ]
    return pd.concat(frames, ignore_index=True).assign(n_folds=n_folds, se_factor=se_factor)


def concatenated_check(
    predictions: pd.DataFrame, modalities: Sequence[str], settings: DecompositionSettings, se_factor: float
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
            variance, _ = variance_of_mean((influence @ weights)[:, None], groups)
            se = se_factor * float(np.sqrt(variance[0]))
            value = float(bits @ weights)
            records.append(
                {
                    "scope": "one_vs_rest", "modalities": modality, "atom": atom, "bits": value, "se": se,
                    "ci_low": value - z * se, "ci_high": value + z * se, "share": np.nan, "p_value": np.nan,
                    "n": len(age), "n_folds": n_folds, "se_factor": se_factor,
                }
            )  # fmt: skip
    frame = pd.DataFrame(records)
    return pd.concat([frame.assign(measure=measure) for measure in settings.measures], ignore_index=True)
