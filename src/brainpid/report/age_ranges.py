"""Words about cohorts whose targets spread differently: bits follow the spread."""

from __future__ import annotations

from typing import Any

import pandas as pd

from brainpid.core.names import LOG_SCORE_ESTIMATOR, REFERENCE_AGES
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.words import number

LEAST_RATIO = 1.5
"""Of the largest to the smallest standard deviation of the target: it is worth log2(1.5) = 0.58 bits where predictions
err by as much in both cohorts."""


def age_range_words(pid: pd.DataFrame) -> list[str]:
    """Sentence without its full stop, where cohorts' standard deviations differ by `LEAST_RATIO` or more.

    It names the rows for reference ages where there are any, and how to have them where not.

    Parameters
    ----------
    pid : DataFrame
        Rows of one model of ``aggregate/pid.tsv``.
    """
    rows = pid[(pid["cohort"] != POOLED) & (pid["estimator"] == LOG_SCORE_ESTIMATOR)]
    sd = rows.groupby("cohort", sort=False)["age_sd"].first().dropna().sort_values()
    if len(sd) < 2 or sd.iloc[-1] < LEAST_RATIO * sd.iloc[0]:
        return []
    low, high = (f"{number(sd.iloc[end], 1)} in {sd.index[end]}" for end in (0, -1))
    by = (
        f"the rows {REFERENCE_AGES}"
        if (pid["estimator"] == REFERENCE_AGES).any()
        else "reference_ages of the configuration"
    )
    return [
        f"Bits follow the spread of the target, whose standard deviation is {low} and {high}: compare cohorts by {by}, "
        "or by their errors"
    ]


def reference_rows(pid: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """Cohorts with information for reference ages: total with and without them, effective people; none without any."""
    rows = pid[(pid["model"] == model) & (pid["scope"] == "all") & (pid["atom"] == "total")]
    rows = rows[rows["measure"] == rows["measure"].iloc[0]] if len(rows) else rows
    own = {
        estimator: rows[rows["estimator"] == estimator].set_index("cohort")
        for estimator in (LOG_SCORE_ESTIMATOR, REFERENCE_AGES)
    }
    plain, told = own.values()
    if told.empty:
        return []
    return [
        {
            "cohort": cohort, "n": int(row["n"]), "sd": row["age_sd"], "plain": row,
            "told": told.loc[cohort] if cohort in told.index else None,
        }
        for cohort, row in plain.iterrows()
    ]  # fmt: skip
