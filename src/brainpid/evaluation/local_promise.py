"""What a few local people are worth: expected error and coverage at a new site, before any of them is scanned.

Every site that models were trained without plays the new one: k of its people are known, by draw, the others are
corrected (`brainpid.model.local_people`), and how much sites differ is learned from the other sites, which alone say
what they promise. Each site counts once, whatever its number of people, because a new site is one site. Two intervals
stand beside each mean: of the mean over sites, and of one new site, which is what the next site will show:

    mean +- t sd / sqrt(S)    and    mean +- t sd sqrt(1 + 1 / S),

of S sites with Student's t of S - 1 degrees of freedom. Errors of one site are taken as logarithms; parts are cut at 0
and 1. Rows of the table rest on the sites that are large enough for their k, and compare with the same people
uncorrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from brainpid.cohort.schemes import BY_SITE, of_scheme
from brainpid.core.arrays import FloatArray, IntArray
from brainpid.evaluation.predictions import without_rows
from brainpid.evaluation.transfer import FEWEST_SITES
from brainpid.model.calibration import Expected, Learned
from brainpid.model.local_people import Raw, SiteSpread
from brainpid.model.site_spread import FEWEST_OF_SITE, learn_spread, play_new_site
from brainpid.model.sites import SITE_SEEN

PEOPLE = (0, 5, 10, 20, 50)
"""Numbers of local people that the table has."""
DRAWS = 20
"""Times that the people of a site who are known are drawn."""
MOST_TESTED = 200
"""People of a site who are corrected in one draw."""
PARTS = 20
"""Into how many parts sites are divided at most; what sites of a part promise is learned from the other parts."""
BY_COHORT = "leave_one_cohort_out"
VALUES = ("mae", "coverage", "site_bias", "change")
ENDS = {"coverage": (0.0, 1.0), "change": (-np.inf, np.inf)}
"""Least and largest value, where they are not zero and none."""
PROMISE_COLUMNS = [
    "model", "people", "scheme", "sites", "n", "mae", "mae_low", "mae_high", "mae_site_low", "mae_site_high",
    "mae_held", "mae_none", "mae_seen", "change", "change_low", "change_high", "site_bias", "site_bias_low",
    "site_bias_high", "site_bias_none", "coverage", "coverage_low", "coverage_high", "coverage_site_low",
    "coverage_site_high", "coverage_held", "width",
]  # fmt: skip


class Promise(NamedTuple):
    """What is expected at a new site, by model.

    Attributes
    ----------
    table : DataFrame
        Columns `PROMISE_COLUMNS`, one row a model and number of people.
    spreads : dict of str to SiteSpread
        How much sites differ, by model, learned from all of them.
    seen : dict of str to float
        Mean absolute error at sites that training has seen, in the target's units; NaN where there are no random folds.
    """

    table: pd.DataFrame
    spreads: dict[str, SiteSpread]
    seen: dict[str, float]


def left_out_scheme(schemes: Sequence[str]) -> str | None:
    """Scheme by which people are predicted whose site took no part in the training; None where there is none."""
    return next((scheme for scheme in (BY_SITE, BY_COHORT) if scheme in schemes), None)


def promise_table(predictions: pd.DataFrame, schemes: Sequence[str], coverage: float, confidence: float) -> Promise:
    """Expected error and coverage at a new site with `PEOPLE` of its people, of every model.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions of all schemes and models; one scheme leaves sites or cohorts out.
    schemes : sequence of str
    coverage : float
        Nominal coverage of the intervals.
    confidence : float
        Coverage of the intervals over sites.

    Returns
    -------
    Promise
        Without a row where fewer than `FEWEST_SITES` sites have `FEWEST_OF_SITE` people or more.
    """
    scheme = left_out_scheme(schemes)
    rows: list[pd.DataFrame] = []
    spreads, seen = {}, {}
    if scheme is not None:
        for model, own in of_scheme(predictions, scheme).groupby("model", sort=False):
            people = people_of_sites(own)
            if people["site"].nunique() < FEWEST_SITES:
                continue
            with without_rows(model, "what a few local people are worth"):
                everybody, y, site = arrays_of(people)
                spreads[str(model)] = learn_spread(everybody, y, site, coverage, 0)
                sites = table_of_sites(everybody, y, site, coverage)
                error = seen_error(predictions[predictions["model"] == model], people, schemes)
                seen[str(model)] = error
                rows.append(expected(sites, confidence).assign(model=model, scheme=scheme, mae_seen=error))
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=PROMISE_COLUMNS)
    return Promise(table[PROMISE_COLUMNS], spreads, seen)


def people_of_sites(predictions: pd.DataFrame) -> pd.DataFrame:
    """People whose site took no part in the training, of sites with enough of them, repeats averaged.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one model and scheme.
    """
    unseen = predictions[predictions[SITE_SEEN].eq("no")] if SITE_SEEN in predictions else predictions
    values = ["age", "predicted_age", "pi_low", "pi_high"]
    people = unseen.groupby(["site", "cohort", "participant_id"], sort=True, as_index=False)[values].mean()
    return people[people.groupby("site")["age"].transform("size") >= FEWEST_OF_SITE].reset_index(drop=True)


def arrays_of(people: pd.DataFrame) -> tuple[Raw, FloatArray, IntArray]:
    """What models say of people, their targets, and the numbers of their sites."""
    predicted, low, high, y = (people[name].to_numpy(float) for name in ("predicted_age", "pi_low", "pi_high", "age"))
    return Raw(predicted, low, high, (high - low) / 2), y, pd.factorize(people["site"])[0]


def table_of_sites(raw: Raw, y: FloatArray, site: IntArray, coverage: float) -> pd.DataFrame:
    """What every site shows with k of its people known, by a spread that is learned without it.

    Parameters
    ----------
    raw, y, site, coverage
        As for `brainpid.model.site_spread.learn_spread`.

    Returns
    -------
    DataFrame
        site (number), people (k), n (people of the site), and means over draws: mae, mae_none and site_bias_none
        (uncorrected), site_bias (absolute value of the mean error), coverage (0 to 1), width; errors and widths are in
        the target's units. A site has a row for every k that leaves `FEWEST_OF_SITE` people.
    """
    names = np.unique(site)
    part = np.arange(len(names)) % PARTS
    records = []
    for number in np.unique(part):
        inside = np.isin(site, names[part == number])
        others = np.flatnonzero(~inside)
        spread = learn_spread(raw.of(others), y[others], site[others], coverage, 0)
        for one in names[part == number]:
            own = np.flatnonzero(site == one)
            for k in PEOPLE:
                if len(own) < k + FEWEST_OF_SITE:
                    continue
                draws = DRAWS if k or len(own) > MOST_TESTED else 1
                found = [_one_draw(spread, raw, y, own, k, draw) for draw in range(draws)]
                records.append({"site": one, "people": k, "n": len(own)} | pd.DataFrame(found).mean().to_dict())
    return pd.DataFrame(records)


def _one_draw(spread: SiteSpread, raw: Raw, y: FloatArray, own: IntArray, k: int, draw: int) -> dict[str, float]:
    """Errors, coverage and width of the people of a site who are not known in one draw."""
    tested, told = play_new_site(spread, raw, y, own, k, draw, 1, MOST_TESTED)
    target = y[tested]
    error, before = told.predicted - target, raw.predicted[tested] - target
    return {
        "mae": float(np.abs(error).mean()),
        "mae_none": float(np.abs(before).mean()),
        "site_bias": abs(float(error.mean())),
        "site_bias_none": abs(float(before.mean())),
        "coverage": float(((told.low <= target) & (target <= told.high)).mean()),
        "width": float((told.high - told.low).mean()),
    }


def expected(sites: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Means over sites with their intervals, and those of one new site, by number of local people.

    Parameters
    ----------
    sites : DataFrame
        As `table_of_sites` gives it.
    confidence : float
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        The columns of `PROMISE_COLUMNS` that follow from the sites. `change` is to the same people uncorrected.
        `mae_held` and `coverage_held` are the parts of sites whose error and coverage lie in the interval that the
        other sites promise for one new site.
    """
    records = []
    for k, own in sites.groupby("people"):
        if len(own) < FEWEST_SITES:
            continue
        own = own.assign(change=own["mae"] - own["mae_none"])
        record: dict[str, Any] = {"people": k, "sites": len(own), "n": int(own["n"].sum())}
        for value in VALUES:
            numbers = own[value].to_numpy(float)
            record[value] = float(numbers.mean())
            least, most = ENDS.get(value, (0.0, np.inf))
            low, high = of_mean(numbers, confidence)
            record |= {f"{value}_low": max(least, low), f"{value}_high": min(most, high)}
        for value, of_new_site in (("mae", error_of_new_site), ("coverage", coverage_of_new_site)):
            numbers = own[value].to_numpy(float)
            record[f"{value}_site_low"], record[f"{value}_site_high"] = of_new_site(numbers, confidence)
            ends = [of_new_site(np.delete(numbers, one), confidence) for one in range(len(numbers))]
            inside = [low <= number <= high for number, (low, high) in zip(numbers, ends, strict=True)]
            record[f"{value}_held"] = float(np.mean(inside))
        records.append(record | own[["mae_none", "site_bias_none", "width"]].mean().to_dict())
    return pd.DataFrame(records)


def of_mean(values: FloatArray, confidence: float) -> tuple[float, float]:
    """Interval of the mean over sites of values (S,)."""
    half = _student(values, confidence) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def error_of_new_site(errors: FloatArray, confidence: float) -> tuple[float, float]:
    """Interval of the mean absolute error of one new site, from those of S sites, in their unit."""
    logs = np.log(errors)
    half = _student(logs, confidence) * np.sqrt(1 + 1 / len(logs))
    return float(np.exp(logs.mean() - half)), float(np.exp(logs.mean() + half))


def coverage_of_new_site(covered: FloatArray, confidence: float) -> tuple[float, float]:
    """Interval of the coverage at one new site, from the coverages of S sites."""
    half = _student(covered, confidence) * np.sqrt(1 + 1 / len(covered))
    return max(0.0, float(covered.mean() - half)), min(1.0, float(covered.mean() + half))


def seen_error(predictions: pd.DataFrame, people: pd.DataFrame, schemes: Sequence[str]) -> float:
    """Mean absolute error of the same people in random folds, every site counting once; NaN without random folds.

    Parameters
    ----------
    predictions : DataFrame
        Of one model, all schemes.
    people : DataFrame
        As `people_of_sites` gives it.
    schemes : sequence of str
    """
    if "kfold" not in schemes:
        return np.nan
    rows = of_scheme(predictions, "kfold")
    error = (rows["predicted_age"] - rows["age"]).abs()
    of_people = error.groupby([rows["cohort"], rows["participant_id"]]).mean()
    index = pd.MultiIndex.from_frame(people[["cohort", "participant_id"]])
    return float(of_people.reindex(index).groupby(people["site"].to_numpy()).mean().mean())


def learned(promise: Promise, units: str) -> dict[str, Learned]:
    """What `brainpid calibrate` needs, by model, in these units of the target; nothing of a single person."""
    found = {}
    for model, spread in promise.spreads.items():
        own = promise.table[promise.table["model"] == model]
        rows = tuple(Expected(**{name: row[name] for name in Expected.model_fields}) for row in own.to_dict("records"))
        error = promise.seen[model]
        seen = None if np.isnan(error) else error
        found[model] = Learned(units=units, spread=spread, error_seen=seen, expected=rows)
    return found


def _student(values: FloatArray, confidence: float) -> float:
    """Student's t of the values' standard deviation."""
    return float(student_t.ppf((1 + confidence) / 2, len(values) - 1) * values.std(ddof=1))
