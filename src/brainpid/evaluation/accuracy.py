"""Tables over all folds, models and cohorts: accuracy, decomposition with p-values, null and normality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainpid.evaluation.metrics import accuracy
from brainpid.evaluation.predictions import by_repeat
from brainpid.evaluation.random_effects import POOLED, RELATIVE_HETEROGENEITY, pool

ACCURACY_VALUES = ["mae", "rmse", "r2", "pearson_r", "mae_corrected"]
ACCURACY_COLUMNS = [
    "cohort", "scheme", "model", "modalities", "n", "mae", "mae_ci_low", "mae_ci_high", "rmse", "r2", "pearson_r",
    "mae_corrected",
]  # fmt: skip
MIN_PEOPLE_OF_PATTERN = 10
"""Fewest people of an incomplete pattern of modalities whose accuracy is given."""


def accuracy_table(
    predictions: pd.DataFrame, modalities: Sequence[str], scheme: str, confidence: float
) -> pd.DataFrame:
    """Accuracy of every model in every cohort and for every pattern of modalities that people have.

    People with every modality come first; another pattern has a row where `MIN_PEOPLE_OF_PATTERN` people have it. A
    random-effects mean over cohorts follows, pattern by pattern, where two or more cohorts have a row of it.
    """
    return with_pooled(accuracy_of_cohorts(predictions, modalities, scheme, confidence), modalities, confidence)


def accuracy_of_cohorts(
    predictions: pd.DataFrame, modalities: Sequence[str], scheme: str, confidence: float
) -> pd.DataFrame:
    """Rows of `accuracy_table` of the cohorts alone, with the standard error ``mae_se``."""
    everything = "+".join(modalities)
    records = []
    for (model, cohort), everybody in predictions.groupby(["model", "cohort"], sort=False):
        sizes = everybody.groupby("modalities")["participant_id"].nunique()
        # A mean over people with an interval takes two.
        shown = [name for name, n in sizes.items() if n >= (2 if name == everything else MIN_PEOPLE_OF_PATTERN)]
        for pattern in sorted(shown, key=lambda name: _place(name, modalities)):
            rows = everybody[everybody["modalities"] == pattern]
            values, age, _ = by_repeat(rows, ["predicted_age", "predicted_age_corrected"])
            plain = accuracy(values["predicted_age"], age, confidence)
            corrected = np.abs(values["predicted_age_corrected"] - age).mean()
            records.append(
                {
                    "cohort": cohort, "scheme": scheme, "model": model, "modalities": pattern,
                    "n": plain.n, "mae": plain.mae, "mae_ci_low": plain.mae_ci_low, "mae_ci_high": plain.mae_ci_high,
                    "rmse": plain.rmse, "r2": plain.r2, "pearson_r": plain.pearson_r, "mae_corrected": corrected,
                    "mae_se": plain.mae_se,
                }
            )  # fmt: skip
    return pd.DataFrame(records, columns=[*ACCURACY_COLUMNS, "mae_se"])


def with_pooled(cohorts: pd.DataFrame, modalities: Sequence[str], confidence: float) -> pd.DataFrame:
    """Rows of `accuracy_of_cohorts`, and below them the pooled ones."""
    pooled = [
        _pool_accuracy(rows, confidence)
        for _, of_model in cohorts.groupby("model", sort=False)
        for _, rows in sorted(
            of_model.groupby("modalities", sort=False), key=lambda item: _place(str(item[0]), modalities)
        )
        if len(rows) > 1
    ]
    return pd.concat([cohorts, pd.DataFrame(pooled)], ignore_index=True)[ACCURACY_COLUMNS]


def _place(pattern: str, modalities: Sequence[str]) -> tuple[int, list[int]]:
    """Order of a pattern of modalities: those with more modalities first, then as configured."""
    names = pattern.split("+")
    return -len(names), [modalities.index(name) for name in names]


def _pool_accuracy(rows: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """One model's random-effects mean absolute error over cohorts, and the other columns with the same weights."""
    scale = RELATIVE_HETEROGENEITY * float(rows["mae"].mean()) or 1.0  # any, where nobody is off by anything
    joint = pool(rows["mae"], rows["mae_se"], rows["n"], scale, confidence)
    low = max(joint.ci_low, 0.0)  # no mean absolute error is negative, but the interval of two small cohorts would be
    averages = {column: float(rows[column].to_numpy() @ np.array(joint.weights)) for column in ACCURACY_VALUES}
    return (
        rows.iloc[0][["scheme", "model", "modalities"]].to_dict()
        | averages
        | {"cohort": POOLED, "n": rows["n"].sum(), "mae_ci_low": low, "mae_ci_high": joint.ci_high}
    )
