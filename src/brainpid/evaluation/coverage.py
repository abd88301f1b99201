"""How often intervals cover the target."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainpid.cohort.splits import TARGET_BINS


def coverage_table(predictions: pd.DataFrame, target_range: tuple[float, float]) -> pd.DataFrame:
    """How often one model's intervals cover the target: of everybody, of each cohort, and of each band of the target.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one model of ``aggregate/predictions.tsv``. A person's repeats are averaged first.
    target_range : tuple of float
        Plausible targets; a twelfth of them is a band, as in the strata of the splits (a decade of age).

    Returns
    -------
    DataFrame
        kind (``all``, ``cohort`` or ``band``), group, n, coverage (0 to 1), ci_low, ci_high (Wilson's 95% interval of
        n people), and mean_width in the target's units.
    """
    own = predictions.assign(
        coverage=predictions["age"].between(predictions["pi_low"], predictions["pi_high"]),
        mean_width=predictions["pi_high"] - predictions["pi_low"],
    )
    people = own.groupby(["cohort", "participant_id"], sort=False, as_index=False)[
        ["age", "coverage", "mean_width"]
    ].mean()
    edges = np.linspace(*target_range, TARGET_BINS + 1)
    band = np.digitize(people["age"], edges[1:-1])
    groups = [("all", "everybody", people)]
    if len(people["cohort"].unique()) > 1:
        groups += [("cohort", str(cohort), rows) for cohort, rows in people.groupby("cohort", sort=False)]
    groups += [("band", f"{edges[k]:.4g} to {edges[k + 1]:.4g}", people[band == k]) for k in np.unique(band)]
    records = []
    for kind, group, rows in groups:
        n, part = len(rows), rows["coverage"].mean()
        low, high = _wilson(part, n)
        records.append(
            {
                "kind": kind, "group": group, "n": n, "coverage": part, "ci_low": low, "ci_high": high,
                "mean_width": rows["mean_width"].mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(records)


def _wilson(part: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a part of n people."""
    z2 = 1.96**2
    centre = (part + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (part * (1 - part) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return float(centre - half), float(centre + half)
