"""The first model against every other one, person by person."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from brainpid.evaluation.metrics import PairedDifference, paired_difference
from brainpid.evaluation.predictions import by_repeat
from brainpid.evaluation.random_effects import PAIRED_HETEROGENEITY, POOLED, pool

COMPARISON_COLUMNS = ["cohort", "model", "reference", "modalities", "n", "difference", "ci_low", "ci_high"]


def comparison_table(predictions: pd.DataFrame, modalities: Sequence[str], confidence: float) -> pd.DataFrame:
    """Absolute errors of the first model minus those of every other one, among people who have every modality.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions of all models and cohorts, the reference model first.
    modalities : sequence of str
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Columns of ``aggregate/comparison.tsv``, differences in the target's units; a negative one says that the
        reference is the more accurate. Where there are two or more cohorts, their random-effects mean follows.
    """
    everything = "+".join(modalities)
    complete = predictions[predictions["modalities"] == everything]
    reference, *others = complete["model"].unique()
    records = []
    for model in others:
        pairs = {
            str(cohort): _compare(rows, reference, model, confidence)
            for cohort, rows in complete.groupby("cohort", sort=False)
        }
        records += [(name, model, pair.n, pair.difference, pair.ci_low, pair.ci_high) for name, pair in pairs.items()]
        if len(pairs) > 1:
            found = [(pair.difference, pair.se, pair.n) for pair in pairs.values()]
            differences, errors, people = zip(*found, strict=True)
            of_both = complete[complete["model"].isin([reference, model])]
            error = (of_both["predicted_age"] - of_both["age"]).abs().mean()
            scale = PAIRED_HETEROGENEITY * float(error) or 1.0  # any, where nobody is off by anything
            joint = pool(differences, errors, people, scale, confidence)
            records.append((POOLED, model, sum(people), joint.estimate, joint.ci_low, joint.ci_high))
    table = pd.DataFrame(records, columns=["cohort", "model", "n", "difference", "ci_low", "ci_high"])
    return table.assign(reference=reference, modalities=everything)[COMPARISON_COLUMNS]


def _compare(rows: pd.DataFrame, reference: str, model: str, confidence: float) -> PairedDifference:
    """Compare two models in one cohort."""
    one, two = (by_repeat(rows[rows["model"] == name], ["predicted_age"]) for name in (reference, model))
    return paired_difference(one[0]["predicted_age"], two[0]["predicted_age"], one[1], confidence)
