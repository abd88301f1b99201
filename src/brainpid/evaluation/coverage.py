"""How often intervals cover the target."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from brainpid.cohort.splits import TARGET_BINS

COVERAGE_COLUMNS = [
    "model", "kind", "group", "n", "coverage", "ci_low", "ci_high", "mean_width", "interval_score",
]  # fmt: skip
FEWEST_OF_SITE = 20
"""People of a site whose coverage is told."""


def coverage_table(predictions: pd.DataFrame, target_range: tuple[float, float], coverage: float) -> pd.DataFrame:
    """How often intervals cover the target, of every model: of everybody and of groups of people.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``aggregate/predictions.tsv``. A person's repeats are averaged first.
    target_range : tuple of float
        Plausible targets; a twelfth of them is a band, as in the strata of the splits (a decade of age).
    coverage : float
        Nominal coverage of the intervals.

    Returns
    -------
    DataFrame
        model; kind: ``all``, ``cohort``, ``modalities`` (what people have), ``site`` (with `FEWEST_OF_SITE` people or
        more), ``predicted band`` and ``band`` of the true target; group, n, coverage (0 to 1), ci_low, ci_high
        (Wilson's 95% interval of n people), mean_width, and interval_score (Gneiting and Raftery 2007, JASA 102:359):
        the width and ``2 / (1 - coverage)`` times what lies outside, mean over people, small is good; both in the
        target's units.

    Notes
    -----
    An interval promises its coverage to people with this prediction, so bands of the predicted target are its test;
    the youngest and oldest of the true target are covered less, whatever the model, because predictions of them lie
    nearer to the mean.
    """
    low, high, age = predictions["pi_low"], predictions["pi_high"], predictions["age"]
    outside = (low - age).clip(lower=0) + (age - high).clip(lower=0)
    own = predictions.assign(
        coverage=age.between(low, high),
        mean_width=high - low,
        interval_score=high - low + 2 / (1 - coverage) * outside,
    )
    values = ["coverage", "mean_width", "interval_score"]
    people = own.groupby(["model", "cohort", "site", "participant_id"], sort=False, as_index=False, dropna=False).agg(
        {"modalities": "first", "age": "first", "predicted_age": "mean"} | dict.fromkeys(values, "mean")
    )
    edges = np.linspace(*target_range, TARGET_BINS + 1)
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    for column, of in (("band", "age"), ("predicted band", "predicted_age")):
        people[column] = pd.Categorical.from_codes(np.digitize(people[of], edges[1:-1]), names)
    records = []
    for model, everybody in people.groupby("model", sort=False):
        groups = [("all", "everybody", everybody)]
        for kind in ("cohort", "modalities", "site", "predicted band", "band"):
            parts = [(str(group), rows) for group, rows in everybody.groupby(kind, sort="band" in kind, observed=True)]
            if len(parts) > 1:
                fewest = FEWEST_OF_SITE if kind == "site" else 1
                groups += [(kind, group, rows) for group, rows in parts if len(rows) >= fewest]
        for kind, group, rows in groups:
            low_end, high_end = wilson(rows["coverage"].mean(), len(rows))
            told = rows[values].mean().to_dict()
            records.append(
                {"model": model, "kind": kind, "group": group, "n": len(rows), "ci_low": low_end, "ci_high": high_end}
                | told
            )
    return pd.DataFrame(records, columns=COVERAGE_COLUMNS)


def wilson(part: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a part of n people."""
    z2 = 1.96**2
    centre = (part + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (part * (1 - part) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return float(centre - half), float(centre + half)
