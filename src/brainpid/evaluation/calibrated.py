"""Predictions of new people, corrected at sites of which a few people are known, with what is expected of the error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.model.calibration import Calibration, Learned, digest_of
from brainpid.model.local_people import NOBODY, Corrected, Raw, Sums, correct, sums_of, without
from brainpid.model.sites import SITE_SEEN

LOCAL_PEOPLE, EXPECTED, GROWTH = "local_people", "expected_error", "error_growth"
"""Columns: people of the site by whom the prediction is corrected; expected absolute error, and by how much it is
larger than at sites that training has seen."""


def calibrated(
    table: pd.DataFrame, half_width: FloatArray, sites: Sequence[str | None], calibration: Calibration, coverage: float
) -> pd.DataFrame:
    """Correct predictions and intervals of people of sites that training has not seen.

    Parameters
    ----------
    table : DataFrame, n rows
        participant_id, predicted_age, pi_low, pi_high, site_seen (``yes``, ``no`` or None), and ``gain_<m>``.
    half_width : ndarray, shape (n,)
        Half-widths of the model's own intervals at the coverage of the calibration, in the target's units.
    sites : sequence of str or None
        Site of each person.
    calibration : Calibration
    coverage : float
        Nominal coverage of the intervals.

    Returns
    -------
    DataFrame
        The table with predicted_age and interval corrected where the site is calibrated; where training has not seen
        it and nobody of it is known, the prediction as it was, with an interval as wide as errors at sites left out.
        People who calibrated their site are corrected by the others of them. ``gain_<m>`` is as much wider as the
        interval. With the columns `LOCAL_PEOPLE`, `EXPECTED` and `GROWTH`.
    """
    told_of = _corrected(table, half_width, sites, calibration.learned, calibration, coverage)
    found = _with_expected(table, told_of, calibration.learned)
    for rows, _, told in told_of:
        before = found["pi_high"].to_numpy(float)[rows] - found["pi_low"].to_numpy(float)[rows]
        index = found.index[rows]
        for column in (name for name in found if name.startswith("gain_")):
            found.loc[index, column] *= (told.high - told.low) / before
        found.loc[index, ["predicted_age", "pi_low", "pi_high"]] = np.column_stack(told[:3])
    return found


def with_expected_error(
    table: pd.DataFrame, half_width: FloatArray, sites: Sequence[str | None], learned: Learned
) -> pd.DataFrame:
    """The table with `LOCAL_PEOPLE`, `EXPECTED` and `GROWTH`, empty where it is not known whether the site is new.

    Parameters are those of `calibrated`; nobody of any site is known.
    """
    told_of = _corrected(table, half_width, sites, learned, None, learned.spread.coverage)
    return _with_expected(table, told_of, learned)


def _corrected(
    table: pd.DataFrame,
    half_width: FloatArray,
    sites: Sequence[str | None],
    learned: Learned,
    calibration: Calibration | None,
    coverage: float,
) -> list[tuple[IntArray, int, Corrected]]:
    """People of each new site, by how many of it they are corrected, and what they are corrected to."""
    return [
        (rows, sums.n, correct(learned.spread, sums, _raw(table, half_width, rows), coverage))
        for rows, sums in _of_sites(table, half_width, sites, learned, calibration)
    ]


def _with_expected(
    table: pd.DataFrame, told_of: Sequence[tuple[IntArray, int, Corrected]], learned: Learned
) -> pd.DataFrame:
    """The table with what is expected of the error of everybody."""
    told = table.assign(**{LOCAL_PEOPLE: pd.array([pd.NA] * len(table), dtype="Int64"), EXPECTED: np.nan})
    seen = _seen(told).eq("yes") & told["predicted_age"].notna()
    told.loc[seen, EXPECTED] = np.nan if learned.error_seen is None else learned.error_seen
    for rows, people, corrected in told_of:
        index = told.index[rows]
        told.loc[index, EXPECTED] = corrected.expected_error
        told.loc[index, LOCAL_PEOPLE] = people
    told[GROWTH] = told[EXPECTED] - (np.nan if learned.error_seen is None else learned.error_seen)
    return told[[*(name for name in told if name != "reason"), *(["reason"] if "reason" in told else [])]]


def growth_in_words(learned: Learned) -> str:
    """What is expected of the error at a new site, without its full stop."""
    none = learned.at(0)
    beside = "" if learned.error_seen is None else f" instead of {learned.error_seen:.1f}"
    ten = learned.at(10)
    more = f", and {ten.mae:.1f} once {ten.people} of its people are known (brainpid calibrate)" if ten.people else ""
    return f"{none.mae:.1f} on average{beside}{more}"


def _seen(table: pd.DataFrame) -> pd.Series:
    """Whether training has seen each person's site; not known by models that do not know their sites."""
    return table[SITE_SEEN] if SITE_SEEN in table else pd.Series(None, index=table.index, dtype=object)


def _of_sites(
    table: pd.DataFrame,
    half_width: FloatArray,
    sites: Sequence[str | None],
    learned: Learned,
    calibration: Calibration | None,
) -> list[tuple[IntArray, Sums]]:
    """Predicted people of each site that is new to the model, and the sums of those of it who are known.

    Of people who are among the known themselves, each stands alone, with the sums of the others.
    """
    known = {} if calibration is None else calibration.sites
    new = [
        site is not None and (seen == "no" or site in known) and predicted
        for site, seen, predicted in zip(sites, _seen(table), table["predicted_age"].notna(), strict=True)
    ]
    of_new = pd.Series(sites, dtype=object).where(new)
    found: list[tuple[IntArray, Sums]] = []
    for site in of_new.dropna().unique():
        rows = np.flatnonzero(of_new == site)
        if site not in known:
            found.append((rows, NOBODY))
            continue
        own = known[site]
        labels = table["participant_id"].to_numpy()
        off = np.array([own.known.get(digest_of(site, str(labels[row])), np.nan) for row in rows])
        found.append((rows[np.isnan(off)], own.sums))
        for row in rows[~np.isnan(off)]:
            alone = np.array([row])
            raw = _raw(table, half_width, alone)
            theirs = sums_of(raw, raw.predicted + off[rows == row], learned.spread)
            found.append((alone, without(own.sums, theirs)))
    return [(rows, sums) for rows, sums in found if len(rows)]


def _raw(table: pd.DataFrame, half_width: FloatArray, rows: IntArray) -> Raw:
    """What the model says of some people."""
    predicted, low, high = table[["predicted_age", "pi_low", "pi_high"]].to_numpy(float)[rows].T
    return Raw(predicted, low, high, half_width[rows])
