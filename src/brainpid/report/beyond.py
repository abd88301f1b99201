"""Information beyond nuisance, for the page: which rows are the headline, and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainpid.core.names import LOG_SCORE_ESTIMATOR, SITE, WITHIN_COHORT
from brainpid.evaluation.control_models import CONTROL, MODALITY, MODEL
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.words import LABELS, listed, number

MUCH = 0.25
"""Part of the information that is the site's from which on it is told."""
TOLD = 0.3
"""By how much the site is told better than by chance from which on it is told."""


def given_of(pid: pd.DataFrame) -> pd.Series:
    """Controls of each row, an empty text for none, as all rows are without the column."""
    if "given" not in pid:
        return pd.Series("", index=pid.index)
    return pid["given"].astype(object).fillna("").astype(str)


def headline_given(pid: pd.DataFrame) -> str:
    """Controls beyond which information is the headline: all of them where the site is one, else none."""
    found = [given for given in given_of(pid).unique() if SITE in given.split("+")]
    return max(found, key=lambda given: given.count("+"), default="")


def rows_given(table: pd.DataFrame, given: str) -> pd.DataFrame:
    """Rows beyond these controls; of the encoder of the null those without, where it was not tested beyond them."""
    own = table[given_of(table) == given]
    if not given or own["model"].str.endswith(WITHIN_COHORT).any():
        return own
    tested = table[(given_of(table) == "") & table["model"].str.endswith(WITHIN_COHORT)]
    return pd.concat([own, tested]) if len(tested) else own


def in_words(given: str) -> str:
    """Controls as a sentence has them.

    Examples
    --------
    >>> in_words("site+motion")
    'site and motion'
    """
    return listed(given.split("+"))


def beyond_rows(pid: pd.DataFrame, model: str, modalities: Sequence[str]) -> list[dict[str, Any]]:
    """Total and added of one model by the log score, one row a cohort and set of controls; none without controls."""
    own = pid[(pid["model"] == model) & (pid["estimator"] == LOG_SCORE_ESTIMATOR) & (pid["scope"] == "one_vs_rest")]
    if (given_of(own) == "").all():
        return []
    rows = []
    keys = ["modalities", "atom"]
    for (cohort, given), chosen in own.assign(given=given_of(own)).groupby(["cohort", "given"], sort=False):
        first = chosen.drop_duplicates(keys).set_index(keys)
        rows.append(
            {
                "cohort": cohort, "given": in_words(str(given)) if given else "nothing",
                "total": first.loc[(modalities[0], "total")],
                "added": {modality: first.loc[(modality, "added")] for modality in modalities},
            }
        )  # fmt: skip
    return rows


def control_rows(controls: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Rows of ``aggregate/controls.tsv`` by kind."""
    told = controls.assign(given=given_of(controls)) if len(controls) else controls
    return {kind: told[told["kind"] == kind].to_dict("records") for kind in (CONTROL, MODEL, MODALITY)}


def warnings_beyond(pid: pd.DataFrame, controls: pd.DataFrame, model: str, target: str) -> list[str]:
    """How much of the information is the site's, and how well the site is told, where either is much.

    Parameters
    ----------
    pid, controls : DataFrame
        ``aggregate/pid.tsv`` and ``aggregate/controls.tsv``.
    model : str
        The one that is told of.
    target : str
        Name of the target.
    """
    said = []
    totals = pid[
        (pid["model"] == model) & (pid["estimator"] == LOG_SCORE_ESTIMATOR) & (pid["scope"] == "one_vs_rest")
        & (pid["atom"] == "total")
    ]  # fmt: skip
    totals = totals.assign(given=given_of(totals)).drop_duplicates(["cohort", "given"])
    by_cohort = totals.set_index(["cohort", "given"])["bits"]
    for cohort in dict.fromkeys(totals["cohort"]):
        own = by_cohort[cohort]
        without, beyond = own.get("", np.nan), own.get(SITE, np.nan)
        where = "all cohorts together" if cohort == POOLED else cohort
        if without > 0 and (part := 1 - beyond / without) >= MUCH:
            said.append(
                f"{number(min(100 * part, 100), 0)}% of what {LABELS[model]} tells of {target} in {where} is told by "
                f"the site: {number(without)} bits in all, {number(beyond)} beyond the site"
            )
    told = controls[controls["kind"] == MODALITY]
    told = told[told["balanced_accuracy"] - told["chance"] >= TOLD]
    for cohort, rows in told.groupby("cohort", sort=False):
        parts = [
            f"{row.name_} in {number(100 * row.balanced_accuracy, 0)}%"
            for row in rows.rename(columns={"name": "name_"}).itertuples()
        ]
        chance = number(100 * float(rows["chance"].iloc[0]), 0)
        said.append(f"The site of people of {cohort} is told from {listed(parts)} (by chance {chance}%)")
    return said
