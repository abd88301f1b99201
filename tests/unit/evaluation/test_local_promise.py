"""Expected error and coverage at a new site: every site counts once, and is promised by the others alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student_t

from brainpid.evaluation import local_promise
from brainpid.evaluation.local_promise import (
    PROMISE_COLUMNS,
    coverage_of_new_site,
    error_of_new_site,
    expected,
    learned,
    people_of_sites,
    promise_table,
)
from brainpid.model.calibration import Learned
from brainpid.report.calibration_columns import CALIBRATION_COLUMNS

SCHEMES = ("kfold", "leave_one_site_out")


def predictions(seed: int, sites: int = 12, n: int = 16, offset: float = 6.0) -> pd.DataFrame:
    """Errors of sd 4; with sites left out an offset of the site on top, intervals as wide as random folds need."""
    rng = np.random.default_rng(seed)
    site = np.repeat([f"s{k:02d}" for k in range(sites)], n)
    own = dict(zip(np.unique(site), rng.normal(0, offset, sites), strict=True))
    age = (rng.uniform(30, 60, sites))[np.repeat(np.arange(sites), n)] + rng.normal(0, 5, sites * n)
    error = rng.normal(0, 4, sites * n)
    people = pd.DataFrame({"participant_id": [f"sub-{k}" for k in range(sites * n)], "cohort": "a", "site": site,
                           "age": age, "model": "ridge", "repeat": 0, "fold": 0})  # fmt: skip
    parts = []
    for scheme, off in (("kfold", error), ("leave_one_site_out", error + people["site"].map(own).to_numpy())):
        told = age + off
        seen = "yes" if scheme == "kfold" else "no"
        parts.append(people.assign(predicted_age=told, pi_low=told - 6.6, pi_high=told + 6.6, scheme=scheme,
                                   site_seen=seen))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(local_promise, "DRAWS", 5)


def test_local_people_take_the_offset_away_and_the_promise_is_kept():
    """E|N(0, 36)| is 4.8, E|N(0, 16)| 3.2; ages of a site have sd 5, so that its own line leaves sd 3.1 and 2.5."""
    promise = promise_table(predictions(0, sites=10, n=26), SCHEMES, 0.9, 0.95)
    table = promise.table.set_index("people")
    assert list(promise.table) == PROMISE_COLUMNS == list(CALIBRATION_COLUMNS)
    assert table.index.tolist() == [0, 5, 10, 20]
    assert (table["sites"] == 10).all()
    assert table.loc[0, "site_bias"] == pytest.approx(4.8, abs=2.0)
    assert table.loc[0, "change"] == 0
    assert table.loc[10, "site_bias"] < 0.4 * table.loc[10, "site_bias_none"]
    assert table.loc[10, "mae"] == pytest.approx(2.7, abs=0.3)
    assert table.loc[10, "change_high"] < 0
    assert table.loc[[0, 5, 10], "coverage"].to_numpy() == pytest.approx(0.9, abs=0.07)
    assert (table["mae_held"] >= 0.8).all()
    assert table["mae_seen"].unique() == pytest.approx([promise.seen["ridge"]])
    assert promise.seen["ridge"] == pytest.approx(3.2, abs=0.3)
    assert table.loc[10, "width"] == pytest.approx(2 * 1.645 * 3.1, rel=0.15)
    assert table.loc[0, "width"] > 1.5 * table.loc[10, "width"]


def test_too_few_sites_give_no_promise():
    few = promise_table(predictions(1, sites=4), SCHEMES, 0.9, 0.95)
    assert few.table.empty
    assert list(few.table) == PROMISE_COLUMNS
    assert not few.spreads
    assert promise_table(predictions(1), ["kfold"], 0.9, 0.95).table.empty


def test_people_of_sites_that_training_has_seen_and_of_small_sites_are_left_out():
    table = predictions(2).query("scheme == 'leave_one_site_out'").reset_index(drop=True)
    table.loc[table["site"] == "s01", "site_seen"] = "yes"
    table.loc[:3, "site"] = "small"
    found = people_of_sites(table)
    assert set(found["site"]) == {f"s{k:02d}" for k in range(12)} - {"s01"}
    assert (found.groupby("site").size() == [12] + [16] * 10).all()


def test_every_site_counts_once_and_the_interval_of_a_new_site_holds_more():
    sites = pd.DataFrame({"site": range(5), "people": 10, "n": [500, 20, 20, 20, 20], "mae": [0.5, 2, 3, 4, 5],
                          "mae_none": 4.9, "site_bias": 1.0, "site_bias_none": 2.0,
                          "coverage": [0.8, 0.9, 0.9, 0.9, 1.0], "width": 10.0})  # fmt: skip
    row = expected(sites, 0.95).iloc[0]
    assert (row["mae"], row["change"], row["n"], row["sites"]) == (pytest.approx(2.9), pytest.approx(-2), 580, 5)
    t = student_t.ppf(0.975, 4)
    assert row["mae_high"] == pytest.approx(2.9 + t * np.sqrt(np.var([0.5, 2, 3, 4, 5], ddof=1) / 5))
    logs = np.log([0.5, 2, 3, 4, 5])
    ends = np.exp(logs.mean() + np.array([-1, 1]) * t * logs.std(ddof=1) * np.sqrt(6 / 5))
    assert error_of_new_site(np.array([0.5, 2, 3, 4, 5]), 0.95) == pytest.approx(tuple(ends))
    assert row["coverage"] == pytest.approx(0.9)
    assert coverage_of_new_site(sites["coverage"].to_numpy(), 0.95)[1] == 1
    # Without the site of error 0.5, the others promise 0.8 to 13.6 years.
    assert row["mae_held"] == 0.8
    assert expected(sites.head(4), 0.95).empty


def test_what_is_handed_on_holds_no_person_and_the_nearest_row_is_told():
    promise = promise_table(predictions(3, sites=6), SCHEMES, 0.9, 0.95)
    told = learned(promise, "years")["ridge"]
    assert told.spread.people == 96
    assert [row.people for row in told.expected] == promise.table["people"].tolist() == [0, 5, 10]
    assert told.expected[1].mae == promise.table["mae"][1]
    assert [told.at(k).people for k in (0, 3, 7, 400)] == [0, 0, 5, 10]
    assert learned(promise_table(predictions(3, sites=6), SCHEMES[1:], 0.9, 0.95), "years")["ridge"].error_seen is None
    text = told.model_dump_json()
    assert Learned.model_validate_json(text) == told
    assert "sub-" not in text
