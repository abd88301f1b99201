"""What a few people of a new site are worth, as the page says it: the sentence to decide by, the flag, the methods."""

from __future__ import annotations

import pandas as pd

from brainpid.config.slices import ReportSettings
from brainpid.report.words import LABELS, listed, number, people

MOST_OF_IT = 0.8
"""Part of the largest gain from which on more people are said to bring little."""
USUAL = 10
"""Local people that a flag speaks of, or as many fewer as the table has."""


def rows_of(table: pd.DataFrame | None, model: str) -> pd.DataFrame:
    """Rows of one model of ``aggregate/calibration.tsv``, by number of people; none where there is no table."""
    return pd.DataFrame() if table is None else table[table["model"] == model].sort_values("people")


def enough(rows: pd.DataFrame) -> pd.Series | None:
    """First row with `MOST_OF_IT` of the largest gain, in parts of the error without; None where none is shown."""
    gained = rows[rows["change_high"] < 0]
    if gained.empty:
        return None
    part = gained["change"] / gained["mae_none"]
    return gained[part <= MOST_OF_IT * part.min()].iloc[0]


def sentence(table: pd.DataFrame | None, settings: ReportSettings) -> str:
    """What to expect of the first model at a new site, and how many of its people to scan first; no full stop."""
    rows = rows_of(table, settings.models[0])
    if rows.empty:
        return ""
    units, none = settings.target.units, rows.iloc[0]
    seen = "" if pd.isna(none["mae_seen"]) else f" instead of {number(none['mae_seen'])} at sites it was trained on"
    told = (
        f"At one new site {LABELS[settings.models[0]]} is expected to err by {number(none['mae'])} {units}{seen} "
        f"({_percent(settings.pid.confidence)} of new sites: {number(none['mae_site_low'], 1)} to "
        f"{number(none['mae_site_high'], 1)})"
    )
    most, name = rows.iloc[-1], settings.target.column
    if (best := enough(rows)) is None:
        return f"{told}; up to {people(int(most['people']))} of known {name} are not shown to help"
    little = "" if best["people"] == most["people"] else ", and more bring little"
    return (
        f"{told}; {people(int(best['people']))} of it with known {name} bring "
        f"{number(best['mae_none'])} to {number(best['mae'])} {units} (change {number(best['change'])} "
        f"[{number(best['change_low'])}, {number(best['change_high'])}], {int(best['sites'])} sites), and how far a "
        f"site is off on average from {number(best['site_bias_none'])} to {number(best['site_bias'])}{little}"
    )


def warnings(table: pd.DataFrame | None, settings: ReportSettings) -> list[str]:
    """A sentence where whole sites are off, and a few of their people are shown to mend it."""
    rows = rows_of(table, settings.models[0])
    if rows.empty:
        return []
    row = rows[rows["people"] <= USUAL].iloc[-1]
    if not row["change_high"] < 0:
        return []
    return [
        f"New sites are off by {number(row['site_bias_none'])} {settings.target.units} on average, with "
        f"{people(int(row['people']))} of known {settings.target.column} by {number(row['site_bias'])}: calibrate the "
        "model before it is used at one"
    ]


def in_methods(table: pd.DataFrame | None, settings: ReportSettings) -> str:
    """How it was estimated; empty where it was not."""
    rows = rows_of(table, settings.models[0])
    if rows.empty:
        return ""
    counts = listed([str(int(count)) for count in rows["people"]])
    return (
        f" Error and coverage at a new site were estimated with {counts} of its participants known: sites left out "
        "were corrected in offset, slope and scatter by posterior means and predictive distributions whose prior was "
        "learned from the other sites (empirical Bayes; Efron and Morris 1975)."
    )


def _percent(part: float) -> str:
    return f"{number(100 * part, 0)}%"
