"""Errors of one model at each site: signed, less their line on the target, and absolute."""

from __future__ import annotations

from typing import Any

import pandas as pd

from brainpid.evaluation.coverage import FEWEST_OF_SITE


def less_its_line(error: pd.Series, target: pd.Series) -> pd.Series:
    """Errors (n,) without their least-squares line on the target, which regression to the mean brings."""
    centred = target - target.mean()
    spread = float((centred**2).sum())
    slope = float((error * centred).sum()) / spread if spread > 0 else 0.0
    return error - error.mean() - slope * centred


def people_of_sites(predictions: pd.DataFrame) -> pd.DataFrame:
    """Error of each person of a site with `FEWEST_OF_SITE` people or more; no rows where that is one site alone.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``aggregate/predictions.tsv`` of one model; a person's repeats are averaged.

    Returns
    -------
    DataFrame
        site (with its cohort, where that has another name), signed (predicted less true target, less its line on the
        target over all sites: sites of other ages differ by regression to the mean) and absolute, in the target's unit.
    """
    keys = ["cohort", "site", "participant_id"]
    known = predictions[predictions["site"].notna()].astype({"cohort": str, "site": str})
    own = known.groupby(keys, sort=False, as_index=False)[["age", "predicted_age"]].mean()
    own = own[own.groupby(["cohort", "site"])["age"].transform("size") >= FEWEST_OF_SITE]
    error = own["predicted_age"] - own["age"]
    label = own["site"].where(own["site"] == own["cohort"], own["cohort"] + " " + own["site"])
    people = pd.DataFrame({"site": label, "signed": less_its_line(error, own["age"]), "absolute": error.abs()})
    return people if len(set(label)) > 1 else people.iloc[:0]


def site_table(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of the page: site, n, and the means of `people_of_sites`."""
    means = people_of_sites(predictions).groupby("site", sort=False).agg(
        n=("absolute", "size"), mae=("absolute", "mean"), signed=("signed", "mean")
    )  # fmt: skip
    return means.reset_index().to_dict("records")
