"""Decomposition beyond controls, from tables of out-of-fold predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from prediction_tables import MODALITIES, out_of_fold

from brainpid.config.analysis import DecompositionSettings
from brainpid.evaluation.control_models import CONTROL, MODALITY, MODEL, control_table, within_site_r2
from brainpid.evaluation.given import reported_sets, sets_of
from brainpid.evaluation.information import decompose_all
from brainpid.evaluation.within_cohort import WithinCohorts

SETTINGS = DecompositionSettings(measures=("mmi",))
UNTESTED = WithinCohorts({}, "ridge", 5, {"a": {"": 1.0}, "b": {"": 1.0}})


def rows_and_controls(n=400):
    """Predictions of two cohorts, of sites whose ages differ, and a control that is half of t1's latent."""
    rows = out_of_fold(n, repeats=1)
    g = (rows["age"] - 50) / 10
    rows["site"] = np.where(g + 0.5 * np.random.default_rng(0).standard_normal(len(rows)) > 0, "old", "young")
    people = rows.drop_duplicates(["cohort", "participant_id"])
    index = pd.MultiIndex.from_frame(people[["cohort", "participant_id"]])
    return rows, {
        "site": people[["site"]].set_axis(index),
        "motion": pd.DataFrame({"fd": people["latent_t1"].to_numpy()}, index=index),
    }


def test_sets_of_controls_are_the_site_and_all():
    one = {"site": None}
    assert reported_sets(one) == [("site",)]
    assert reported_sets({"sex": None, "age2": None}) == [("sex", "age2")]
    assert sets_of(one | {"sex": None}) == [("site",), ("sex",), ("site", "sex")]
    assert reported_sets(one | {"sex": None}) == [("site",), ("site", "sex")]
    assert reported_sets({}) == []


def test_information_is_given_beyond_the_site_and_beyond_all_controls_and_pooled():
    rows, controls = rows_and_controls()
    table, pooling = decompose_all(rows, MODALITIES, SETTINGS, UNTESTED, controls)
    keys = ["estimator", "cohort", "given", "modalities", "atom"]
    bits = table[table["scope"] == "one_vs_rest"].set_index(keys)["bits"].sort_index()
    for cohort in ("a", "b", "pooled"):
        own = bits["log_score", cohort]
        # the motion is t1's latent itself: beyond it t1 adds nothing, dwi what it did
        assert own["site+motion", "t1", "alone"] == pytest.approx(0, abs=0.01)
        assert own["site+motion", "dwi", "alone"] == pytest.approx(own["site+motion", "t1", "total"], abs=0.01)
        assert 0.1 < own["site+motion", "dwi", "alone"] < own["", "dwi", "alone"]
        assert own["site", "t1", "total"] < own["", "t1", "total"] - 0.2
    gaussian = bits["gaussian_score", "a"]
    assert gaussian["site+motion", "t1", "alone"] == pytest.approx(0, abs=0.01)
    # linear in a normal site effect the two estimators agree
    assert gaussian["site", "t1", "total"] == pytest.approx(bits["log_score", "a"]["site", "t1", "total"], abs=0.06)
    assert set(pooling["given"]) == {"", "site", "site+motion"}
    assert table["given"].iloc[0] == ""  # what a reader takes who takes the first


def test_without_controls_nothing_changes():
    rows, _ = rows_and_controls()
    plain = decompose_all(rows, MODALITIES, SETTINGS, UNTESTED)[0]
    pd.testing.assert_frame_equal(plain, decompose_all(rows, MODALITIES, SETTINGS, UNTESTED, {})[0])
    assert set(plain["given"]) == {""}


def test_what_controls_tell_by_themselves_and_beyond_the_site():
    rows, controls = rows_and_controls()
    told = {"a": {"t1": {"balanced_accuracy": 0.75, "chance": 0.5, "n": 400}}}
    table = control_table(rows, MODALITIES, controls, 0.95, told)
    own = table[(table["cohort"] == "a") & (table["kind"] == CONTROL)].set_index(["name", "given"])
    assert list(own.index) == [("site", ""), ("motion", ""), ("motion", "site"), ("site+motion", "")]
    both = own.xs("", level="given")["bits"]
    assert both["motion"] == pytest.approx(0.5, abs=0.08)  # signal-to-noise ratio 1
    assert both["site+motion"] == pytest.approx(both["site"] + own["bits"][("motion", "site")], abs=1e-12)
    assert (own["ci_low"] < own["bits"]).all()
    assert own.xs("", level="given")["mae"].notna().all()
    models = table[(table["cohort"] == "a") & (table["kind"] == MODEL)].iloc[0]
    assert models["r2_within_site"] < models["r2"]
    sites = table[table["kind"] == MODALITY].iloc[0]
    assert (sites["name"], sites["balanced_accuracy"], sites["chance"]) == ("t1", 0.75, 0.5)


def test_within_sites_the_mean_of_a_site_is_no_merit():
    site = np.repeat([0, 1], 50)
    age = 20.0 + 40 * site + np.tile(np.linspace(-5, 5, 50), 2)
    assert within_site_r2(age, 20.0 + 40 * site, site) == pytest.approx(0)
    assert within_site_r2(age, age + 7 * site, site) == pytest.approx(1)
    assert np.isnan(within_site_r2(np.repeat([20.0, 40], 50), age, site))


def test_information_of_a_cohort_of_one_site_is_given_its_site_all_the_same():
    rows, controls = rows_and_controls()
    rows.loc[rows["cohort"] == "b", "site"] = "b"
    controls["site"].loc["b"] = "b"
    table = decompose_all(rows, MODALITIES, SETTINGS, UNTESTED, {"site": controls["site"]})[0]
    own = table[(table["scope"] == "all") & (table["atom"] == "total") & (table["estimator"] == "log_score")]
    found = own.set_index(["cohort", "given"])["bits"]
    assert found["b", "site"] == pytest.approx(found["b", ""], abs=0.05)
    assert ("pooled", "site") in found.index
