"""What nuisance tells by itself: models of the controls alone, accuracy within sites, and sites told from features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.names import SITE
from brainpid.crossfit.given import CONTROLS, predictions_of_controls, scores_given
from brainpid.evaluation.given import Controls, design_of, sets_of
from brainpid.evaluation.predictions import by_repeat, decomposable, groups_of, without_rows
from brainpid.pid.assemble import covariance_of_mean

COLUMNS = [
    "cohort", "kind", "name", "given", "bits", "se", "ci_low", "ci_high", "mae", "r2", "r2_within_site",
    "balanced_accuracy", "chance", "n",
]  # fmt: skip
CONTROL, MODEL, MODALITY = "control", "model", "modality"
"""Kinds of rows: what controls tell of the target, how accurate models are within sites, and how well the site is told
from the features of a modality."""


def control_table(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    controls: Controls,
    confidence: float,
    told: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> pd.DataFrame:
    """Rows of ``aggregate/controls.tsv``.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions of all models and cohorts; people with every modality count.
    modalities : sequence of str
    controls : mapping of str to DataFrame
    confidence : float
    told : mapping of str to mapping
        How well the site is told from each modality in each cohort: balanced_accuracy, chance, n, by modality.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; information in bits, errors in the target's unit.
    """
    records: list[dict[str, Any]] = []
    for cohort, rows in decomposable(predictions, modalities).groupby("cohort", sort=False):
        first = rows[rows["model"] == rows["model"].iloc[0]]
        if controls:
            with without_rows(cohort, "what controls tell by themselves"):
                records += _of_controls(first, str(cohort), controls, confidence)
        if len(rows[SITE].unique()) > 1:
            records += [_of_model(own, str(model)) for model, own in rows.groupby("model", sort=False)]
        records += [
            {"cohort": cohort, "kind": MODALITY, "name": modality} | dict(own)
            for modality, own in told.get(str(cohort), {}).items()
        ]
    return pd.DataFrame(records, columns=COLUMNS)


def within_site_r2(age: FloatArray, predicted: FloatArray, site: IntArray) -> float:
    """Part of the variance of targets within sites that predictions explain, each site's mean error forgiven.

    NaN where targets do not vary within sites.
    """
    counts = np.bincount(site)

    def less_site(values: FloatArray) -> FloatArray:
        return np.asarray(values - (np.bincount(site, weights=values) / np.maximum(counts, 1))[site])

    own = less_site(age)
    squares = float(own @ own)
    return 1 - float(np.sum((own - less_site(predicted)) ** 2)) / squares if squares > 0 else float("nan")


def _of_model(rows: pd.DataFrame, model: str) -> dict[str, Any]:
    """Accuracy of one model in one cohort, over and within sites, averaged over repeats."""
    values, age, _ = by_repeat(rows, ["predicted_age"])
    site = pd.factorize(rows.drop_duplicates("participant_id").sort_values("participant_id")[SITE])[0]
    each = [
        (_r2(age, own), within_site_r2(age, own, site), np.abs(own - age).mean()) for own in values["predicted_age"]
    ]
    r2, within, mae = np.mean(each, axis=0)
    return {
        "cohort": rows["cohort"].iloc[0], "kind": MODEL, "name": model, "given": "", "mae": mae, "r2": r2,
        "r2_within_site": within, "n": len(age),
    }  # fmt: skip


def _r2(age: FloatArray, predicted: FloatArray) -> float:
    return 1 - float(np.sum((age - predicted) ** 2) / np.sum((age - age.mean()) ** 2))


def _of_controls(rows: pd.DataFrame, cohort: str, controls: Controls, confidence: float) -> list[dict[str, Any]]:
    """What each control and all together tell, and beyond the site."""
    values, age, _ = by_repeat(rows, ["fold"])
    folds = values["fold"].astype(np.int64)
    people, groups = sorted(rows["participant_id"].unique()), groups_of(rows)
    site: FloatArray | None = None
    records = []

    def told(names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Log scores (n,) of controls, and their predictions (R, n)."""
        design = design_of(controls, names, cohort, people)
        scores = [scores_given({}, design, age, fold, groups)[CONTROLS] for fold in folds]
        return np.mean(scores, axis=0), np.stack([predictions_of_controls(design, age, f, groups) for f in folds])

    def record(name: str, given: str, scores: FloatArray) -> dict[str, Any]:
        bits = float(scores.mean())
        se = float(np.sqrt(covariance_of_mean((scores - bits)[:, None], groups)[0][0, 0]))
        reach = float(ndtri((1 + confidence) / 2)) * se
        return {
            "cohort": cohort, "kind": CONTROL, "name": name, "given": given, "bits": bits, "se": se,
            "ci_low": bits - reach, "ci_high": bits + reach, "n": len(age),
        }  # fmt: skip

    for names in sets_of(controls):
        scores, predicted = told(names)
        errors = {"mae": float(np.abs(predicted - age).mean()), "r2": float(np.mean([_r2(age, p) for p in predicted]))}
        records.append(record("+".join(names), "", scores) | errors)
        if names == (SITE,):
            site = scores
        elif site is not None and (SITE not in names or len(names) > 2):  # of two, the other's row says it
            joint = scores if SITE in names else told((SITE, *names))[0]
            records.append(record("+".join(name for name in names if name != SITE), SITE, joint - site))
    return records
