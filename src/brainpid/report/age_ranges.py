"""Words about cohorts whose targets spread differently: bits follow the spread."""

from __future__ import annotations

import pandas as pd

from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.words import number

LEAST_RATIO = 1.5
"""Of the largest to the smallest standard deviation of the target: it is worth log2(1.5) = 0.58 bits where predictions
err by as much in both cohorts."""


def age_range_words(pid: pd.DataFrame) -> list[str]:
    """Sentence without its full stop, where cohorts' standard deviations differ by `LEAST_RATIO` or more.

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
    return [
        f"Bits follow the spread of the target, whose standard deviation is {low} and {high}: compare cohorts by "
        "reference_ages, or by their errors"
    ]
