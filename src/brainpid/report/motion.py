"""Head motion of the people who are predicted, and whether it goes with the target or with the error."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import pearsonr

from brainpid.report.sites import less_its_line

MEASURE = "fd_mean_mm"
"""Mean framewise displacement in mm (Power et al. 2012), among the quality measures of a modality that has it."""
MUCH_MM = 0.5
"""Mean framewise displacement from which a person is usually left out."""
FEWEST_FOR_MOTION = 20
"""People of a modality with fewer of whom no correlation is told."""


class Link(NamedTuple):
    """Rank correlation of motion with another quantity and its two-sided p-value; NaN where there is none."""

    rho: float
    p_value: float


def people_of_motion(motion: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Motion of everybody who is predicted from the modality and of whom it is known, one row a person and modality.

    Parameters
    ----------
    motion : DataFrame
        modality, cohort, participant_id and `MEASURE`, of the quality tables that have it.
    predictions : DataFrame
        Rows of ``aggregate/predictions.tsv`` of one model; a person's repeats are averaged.

    Returns
    -------
    DataFrame
        With age and pad, which is predicted less true target, less its line on the target.
    """
    keys = ["cohort", "participant_id"]
    people = predictions.groupby([*keys, "modalities"], sort=False, as_index=False)[["age", "predicted_age"]].mean()
    people["pad"] = less_its_line(people["predicted_age"] - people["age"], people["age"])
    own = motion[motion[MEASURE].notna()].astype(dict.fromkeys(keys, str))
    own = own.merge(people.astype(dict.fromkeys(keys, str)), how="inner", on=keys, validate="many_to_one")
    used = [
        modality in pattern.split("+") for modality, pattern in zip(own["modality"], own["modalities"], strict=True)
    ]
    return own.loc[np.array(used, dtype=bool)].drop(columns="modalities").reset_index(drop=True)


def link(people: pd.DataFrame, column: str) -> Link:
    """Rank correlation of motion with a column, within cohorts: that cohorts differ in both says nothing of people."""
    if len(people) < FEWEST_FOR_MOTION:
        return Link(np.nan, np.nan)
    ranks = people.groupby("cohort")[[MEASURE, column]].rank(pct=True)
    centred = ranks - ranks.groupby(people["cohort"]).transform("mean")
    if (centred.abs().max() < 1e-12).any():  # nobody differs
        return Link(np.nan, np.nan)
    found = pearsonr(centred[MEASURE], centred[column])
    return Link(float(found.statistic), float(found.pvalue))


def motion_table(people: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the page from `people_of_motion`: modality and cohort, n, median, people who move much, correlations."""
    return [
        {
            "modality": modality,
            "cohort": cohort,
            "n": len(own),
            "median": float(own[MEASURE].median()),
            "much": int((own[MEASURE] > MUCH_MM).sum()),
            "with_target": link(own, "age").rho,
            "with_pad": link(own, "pad").rho,
        }
        for (modality, cohort), own in people.groupby(["modality", "cohort"], sort=False)
    ]
