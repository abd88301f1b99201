"""Quality measures of images: who stands out in which measure, and whose pictures to look at."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import median_abs_deviation

from brainpid.core.arrays import FloatArray

OUTLIER = 3.5
"""Robust z from which a value is flagged (Iglewicz & Hoaglin 1993)."""
NO_MEASURE = ["participant_id", "cohort", "modality", "status", "note", "acquisition"]


def robust_z(values: FloatArray) -> FloatArray:
    """Distance from the median in units of a robust standard deviation, 0 where nothing varies.

    The unit is the median absolute deviation, scaled to the standard deviation of normal values. It is 0 where more
    than half of the values are the same, such as of a count; then it is the mean absolute deviation from the median,
    scaled likewise, so that one value off the constant rest stands out.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN is not counted and stays NaN.

    References
    ----------
    Iglewicz & Hoaglin 1993, How to Detect and Handle Outliers.
    """
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(values), np.nan)
    centred = values - np.median(values[known])
    spread = float(median_abs_deviation(values[known], scale="normal"))
    if spread == 0:
        spread = float(np.sqrt(np.pi / 2) * np.abs(centred[known]).mean())
    if spread == 0:
        return np.where(known, 0.0, np.nan)
    return np.where(known, centred / spread, np.nan)


def flag_outliers(table: pd.DataFrame) -> pd.DataFrame:
    """Add, within each cohort, each person's largest robust z and the measures in which the person stands out.

    Parameters
    ----------
    table : DataFrame
        One line a person of one modality: columns `NO_MEASURE`, and quality measures.

    Returns
    -------
    DataFrame
        With ``largest_z`` (absolute) and ``outlier_in`` (measures with a robust z of 3.5 or more, joined with commas).
    """
    measures = [name for name in table.columns if name not in NO_MEASURE]
    z = pd.DataFrame(0.0, index=table.index, columns=measures)
    for _, rows in table.groupby("cohort"):
        for name in measures:
            z.loc[rows.index, name] = np.abs(robust_z(rows[name].to_numpy(dtype=float)))
    largest = z.max(axis=1).fillna(0.0) if measures else pd.Series(0.0, index=table.index)
    named = [", ".join(name for name in measures if row[name] >= OUTLIER) for _, row in z.iterrows()]
    return table.assign(largest_z=largest, outlier_in=named)


def to_look_at(table: pd.DataFrame, worst: int, others: int, seed: int) -> pd.DataFrame:
    """People whose pictures to show: those farthest from the rest, whether or not they stand out, and a few at random.

    Parameters
    ----------
    table : DataFrame
        As `flag_outliers` gives it, of people with a picture.
    worst, others : int
        Numbers of people.
    seed : int
    """
    ranked = table.sort_values(["largest_z", "participant_id"], ascending=[False, True], kind="stable")
    rest = ranked.iloc[worst:]
    chosen = rest.sample(min(others, len(rest)), random_state=seed)
    first = ranked.iloc[:worst]
    out = first["outlier_in"].fillna("") != ""
    why = np.where(out, "stands out", "farthest from the median, in the usual range")
    return pd.concat([first.assign(why=why), chosen.assign(why="at random")])
