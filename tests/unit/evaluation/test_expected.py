"""Expected values: the study's level, the reader's curve, and what their intervals hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.evaluation.expected import COLUMNS, Plan, expected_table

FRACTIONS = (0.35, 0.5, 0.7, 0.85, 1.0)
NAMES = ("t1", "dwi", "t1+dwi")


def rows(level, cohort="a", n=200, spread=1.0, seed=0, **more):
    """Held-out rows of people whose errors and log scores have known means; `level` is of bits, errors are 10 less."""
    rng = np.random.default_rng([seed, *cohort.encode()])
    scatter = rng.standard_normal(n)
    scatter -= scatter.mean()
    age = np.full(n, 50.0)
    parts = {f"subset_{name}": age + 10 * (2 - level(name) + 0.1 * spread * scatter) for name in NAMES}
    parts |= {f"log_score_{name}": level(name) + spread * scatter for name in NAMES}
    people = pd.DataFrame(
        {"participant_id": [f"{k:03}" for k in range(n)], "cohort": cohort, "site": cohort, "age": age}
    )
    return people.assign(repeat=0, fold=np.arange(n) % 5, **parts, **more)


def level(name):
    """Bits now: .6 alone, .9 together."""
    return 0.9 if name == "t1+dwi" else 0.6


def curve(cohort="a", gain=0.2, at=level, spread=1.0):
    """Refits whose bits are ``level - gain (1 / f - 1)`` of t1 and of both, and do not change of dwi."""
    parts = [
        rows(lambda name, f=f: at(name) - (name != "dwi") * gain * (1 / f - 1), cohort, spread=spread, fraction=f)
        for f in FRACTIONS
    ]
    return pd.concat(parts, ignore_index=True)


def plan(model="ridge", times=(1.5, 2.0), **more):
    return Plan(("t1", "dwi"), model, "ridge", 250, times, 0.95, "years", 0, **more)


def at(table, quantity, modalities, times=2.0, cohort="a"):
    """The row of one quantity at one multiple."""
    own = table[(table["cohort"] == cohort) & (table["times"] == times)]
    return own[(own["quantity"] == quantity) & (own["modalities"] == modalities)].iloc[0]


def test_a_known_curve_goes_on_from_the_level_of_the_study():
    # The study's model tells .1 bits more than the reader, whose curve is of 1 / n.
    table = expected_table(rows(lambda name: level(name) + 0.1), curve(), {"a": 1.0}, plan())
    assert list(table) == COLUMNS
    assert at(table, "total", "t1+dwi", 1.0)["value"] == pytest.approx(1.0)
    found = at(table, "total", "t1+dwi")
    assert found["gain"] == pytest.approx(0.1, abs=0.01)
    assert found["value"] == pytest.approx(1.1, abs=0.01)
    assert found["n"] == 500
    assert found["units"] == "bits"
    assert found["gain_low"] > 0
    # What the others tell does not change, what t1 adds to them does.
    assert at(table, "alone", "dwi")["gain"] == pytest.approx(0.0, abs=1e-6)
    assert at(table, "added", "t1")["gain"] == pytest.approx(0.1, abs=0.01)
    assert at(table, "added", "dwi")["gain"] == pytest.approx(0.0, abs=1e-6)
    # Errors of the reader fall from 11 to 10, those of the study by the same part of 10.
    error = at(table, "mae", "t1+dwi")
    assert error["gain"] == pytest.approx(-1.0 * 10 / 11, abs=0.1)
    assert error["units"] == "years"
    assert error["value"] == pytest.approx(10 + error["gain"])


def test_the_interval_holds_the_people_and_that_of_the_gain_does_not():
    one, other = (
        expected_table(rows(level, spread=spread), curve(), {"a": factor}, plan())
        for spread, factor in ((1.0, 1.0), (1.0, 2.0))
    )
    narrow, wide = at(one, "total", "t1+dwi"), at(other, "total", "t1+dwi")
    se = 1.0 / np.sqrt(200)
    assert narrow["ci_high"] - narrow["ci_low"] == pytest.approx(2 * 1.96 * se, rel=0.1)
    assert wide["ci_high"] - wide["ci_low"] == pytest.approx(4 * 1.96 * se, rel=0.1)
    assert wide["gain_high"] - wide["gain_low"] == pytest.approx(narrow["gain_high"] - narrow["gain_low"])
    assert narrow["gain_high"] - narrow["gain_low"] < 0.2


def test_another_model_than_the_reader_may_gain_otherwise():
    same, other = (expected_table(rows(level), curve(), {"a": 1.0}, plan(model)) for model in ("ridge", "pidreg"))
    widths = [at(table, "total", "t1+dwi")[["gain_low", "gain_high"]].to_list() for table in (same, other)]
    assert widths[1][0] < widths[0][0] < widths[0][1] < widths[1][1]


def test_people_of_several_cohorts_are_told_together_and_one_by_one():
    observed = pd.concat([rows(level), rows(lambda name: level(name) - 0.4, "b", n=100)], ignore_index=True)
    refits = pd.concat([curve(), curve("b", at=lambda name: level(name) - 0.4)], ignore_index=True)
    table = expected_table(observed, refits, {"a": 1.0, "b": 1.0}, plan())
    assert set(table["cohort"]) == {"a", "b", "pooled"}
    pooled = at(table, "total", "t1+dwi", 1.0, "pooled")
    assert pooled["value"] == pytest.approx((200 * 0.9 + 100 * 0.5) / 300)
    assert pooled["n_evaluated"] == 300


def test_of_three_modalities_every_subset_has_its_information():
    rng = np.random.default_rng(0)
    names = ["t1", "dwi", "fmri", "t1+dwi", "t1+fmri", "dwi+fmri", "t1+dwi+fmri"]
    people = pd.DataFrame({"participant_id": [f"{k}" for k in range(40)], "cohort": "a", "age": 50.0, "repeat": 0})
    people = people.assign(fold=np.arange(40) % 4, **{f"subset_{name}": 50 + rng.normal(size=40) for name in names})
    observed = people.assign(**{f"log_score_{name}": rng.normal(size=40) + len(name) for name in names})
    refits = pd.concat([observed.assign(fraction=f) for f in FRACTIONS], ignore_index=True)
    three = Plan(("t1", "dwi", "fmri"), "ridge", "ridge", 40, (2.0,), 0.95, "years", 0)
    table = (
        expected_table(observed, refits, {"a": 1.0}, three).query("times == 1").set_index(["quantity", "modalities"])
    )
    assert [m for q, m in table.index if q == "mae"] == names
    assert [m for q, m in table.index if q == "information"] == ["dwi+fmri", "t1+fmri", "t1+dwi"]
    bits = table["value"]
    rest = bits["total", "t1+dwi+fmri"] - bits["information", "dwi+fmri"]
    assert bits["added", "t1"] == pytest.approx(rest)


def test_no_error_is_expected_below_zero():
    table = expected_table(rows(level), curve(), {"a": 300.0}, plan())
    errors = table[table["quantity"] == "mae"]
    assert (errors["ci_low"] >= 0).all()
    assert (errors["ci_low"] == 0).any()


def test_farther_than_twice_the_people_is_refused_before_anything_is_computed():
    with pytest.raises(InputError, match=r"up to 2, found 2\.5"):
        expected_table(rows(level), curve(), {"a": 1.0}, plan(times=(1.5, 2.5)))
