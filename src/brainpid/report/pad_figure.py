"""Predicted less true target by cohort and sex, of one model: as a figure and as rows of the page."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import t as student

from brainpid.report.figures import COLOURS, MOST_NAMED_PEOPLE, STYLE, nothing
from brainpid.report.sites import less_its_line

UNKNOWN = "sex not known"
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, less their whole part, lie evenly in 0 to 1: dots that do not hide each other, without chance."""


def pads(predictions: pd.DataFrame, participants: pd.DataFrame) -> pd.DataFrame:
    """Predicted less true target of each person, less its line on the target over all people.

    Without that line, a group of older people would seem to look younger by regression to the mean.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``aggregate/predictions.tsv`` of one model; a person's repeats are averaged.
    participants : DataFrame
        ``participants.tsv``; its column ``sex`` is empty where it is not known.

    Returns
    -------
    DataFrame
        cohort, sex, participant_id, age, predicted_age and pad, in the target's unit; cohorts in the order of
        ``participants``, within each the sexes in the order of their names.
    """
    keys = ["cohort", "participant_id"]
    people = predictions.groupby(keys, sort=False, as_index=False)[["age", "predicted_age"]].mean()
    known = participants[keys].astype(str)
    known["sex"] = participants["sex"].astype("string").fillna(UNKNOWN) if "sex" in participants else UNKNOWN
    people = people.astype(dict.fromkeys(keys, str)).merge(known, how="left", on=keys, validate="one_to_one")
    people["pad"] = less_its_line(people["predicted_age"] - people["age"], people["age"])
    order = {cohort: place for place, cohort in enumerate(dict.fromkeys(known["cohort"]))}
    return people.sort_values(
        ["cohort", "sex"], key=lambda column: column.map(order) if column.name == "cohort" else column, kind="stable"
    ).reset_index(drop=True)


def pad_table(people: pd.DataFrame, confidence: float) -> list[dict[str, Any]]:
    """Rows of the page from `pads`: cohort, sex, n, mean with Student's interval over people, standard deviation."""
    rows = []
    for (cohort, sex), own in people.groupby(["cohort", "sex"], sort=False):
        n, mean, spread = len(own), float(own["pad"].mean()), float(own["pad"].std())
        reach = float(student.ppf((1 + confidence) / 2, n - 1)) * spread / n**0.5 if n > 1 else np.nan
        rows.append(
            {"cohort": cohort, "sex": sex, "n": n, "mean": mean, "low": mean - reach, "high": mean + reach,
             "spread": spread}
        )  # fmt: skip
    return rows


def brain_pad(people: pd.DataFrame, confidence: float, target: str, units: str) -> Figure:
    """Draw one row of dots for each cohort and sex, with the mean and its interval over people.

    Parameters
    ----------
    people : DataFrame
        Of `pads`.
    confidence : float
        Coverage of the intervals, 0 to 1.
    target, units : str
        Name and unit of the target.
    """
    rows = pad_table(people, confidence)
    if not rows:
        return nothing("Nobody is predicted.")
    cohorts = list(dict.fromkeys(people["cohort"]))
    groups = people.groupby(["cohort", "sex"], sort=False)
    size = float(np.clip(3000 / len(people), 2, 14))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 0.55 * len(rows) + 1.0), layout="constrained")
        ax = figure.subplots()
        ax.axvline(0, color="#333333", linewidth=0.8)
        for y, (row, (_, own)) in enumerate(zip(rows, groups, strict=True)):
            colour = COLOURS[cohorts.index(row["cohort"]) % len(COLOURS)]
            shifts = 0.6 * ((np.arange(len(own)) * GOLDEN) % 1 - 0.5)
            ax.scatter(own["pad"], y + shifts, s=size, alpha=0.55, linewidths=0, color=colour, gid=f"pads_{y}")
            if np.isfinite(row["low"]):
                ax.plot([row["low"], row["high"]], [y, y], color="black", linewidth=2.4, solid_capstyle="butt")
            ax.plot([row["mean"]], [y], marker="D", markersize=6, markerfacecolor="white", markeredgecolor="black")
        ax.set_yticks(range(len(rows)), [f"{row['cohort']}, {row['sex']} (n = {row['n']})" for row in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(f"predicted − true {target}, less its line on {target} ({units})")
    return figure


def people_of_pads(people: pd.DataFrame, units: str) -> dict[str, list[str]]:
    """Titles of the dots of `brain_pad`, of each group in the order of its dots; none where there are too many."""
    if len(people) > MOST_NAMED_PEOPLE:
        return {}
    return {
        f"pads_{y}": [
            f"{row.participant_id} ({row.cohort}, {row.sex}): {row.pad:+.1f} {units} at {row.age:.4g}"
            for row in own.itertuples()
        ]
        for y, (_, own) in enumerate(people.groupby(["cohort", "sex"], sort=False))
    }
