"""Information that is read out of predictions, cohort by cohort and pooled, against known values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from prediction_tables import MODALITIES, incomplete, out_of_fold

from brainpid.config.analysis import DecompositionSettings
from brainpid.crossfit.null import Null
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.decomposition import PID_COLUMNS
from brainpid.evaluation.information import (
    decompose_all,
    joint_distances,
    normality_table,
    readings_against_target,
)
from brainpid.evaluation.predictions import GROUP, not_decomposable
from brainpid.evaluation.within_cohort import WithinCohorts
from brainpid.report import figures
from brainpid.report.figures import to_svg

UNTESTED = WithinCohorts({}, "ridge", 5, {})
SETTINGS = DecompositionSettings()


def decomposed(rows: pd.DataFrame, within: WithinCohorts = UNTESTED, settings=SETTINGS) -> pd.DataFrame:
    return decompose_all(rows, MODALITIES, settings, within)[0]


def test_known_information_is_read_out_and_pooled():
    table = decomposed(out_of_fold())
    chosen = table[(table["atom"] == "total") & (table["scope"] == "all")]
    totals = chosen.set_index(["estimator", "measure", "cohort"])["bits"]
    truth = 0.5 * np.log2(3)  # gains 1 and 1, unit noise: signal-to-noise ratio 2
    for estimator in ("log_score", "gaussian_score"):
        for cohort in ("a", "b", "pooled"):
            assert totals[estimator, "mmi", cohort] == pytest.approx(truth, abs=0.1)
            assert totals[estimator, "mmi", cohort] == totals[estimator, "idep", cohort]
        shares = table[(table["estimator"] == estimator) & (table["cohort"] == "pooled") & (table["measure"] == "mmi")]
        parts = shares.loc[shares["scope"] == "all"].query("atom != 'total'")["share"]
        assert parts.sum() == pytest.approx(1, abs=1e-6)


def test_the_headline_is_the_information_in_the_prediction():
    rows = out_of_fold()
    table = decomposed(rows)
    assert table["estimator"].iloc[0] == "log_score"  # what a reader takes who takes the first
    total = table[(table["scope"] == "all") & (table["atom"] == "total") & (table["cohort"] == "a")].iloc[0]
    assert total["bits"] == pytest.approx(rows[rows["cohort"] == "a"]["log_score_t1+dwi"].mean(), abs=1e-12)


def test_what_goes_with_the_pooled_rows():
    rows = out_of_fold()
    table, pooling = decompose_all(rows, MODALITIES, SETTINGS, UNTESTED)
    pooled = table[table["cohort"] == "pooled"].reset_index(drop=True)
    np.testing.assert_array_equal(pooled[["bits", "ci_low", "ci_high"]], pooling[["bits", "ci_low", "ci_high"]])
    assert (pooling["predicted_high"] > pooling["ci_high"]).all()
    assert (pooling["tau_low"] < pooling["tau"]).all()
    assert set(pooling["cohorts"]) == {2}
    own = table[(table["cohort"] != "pooled") & (table["atom"] == "total") & (table["scope"] == "all")]
    fixed = pooling[(pooling["atom"] == "total") & (pooling["scope"] == "all")].set_index("estimator")["fixed_bits"]
    np.testing.assert_allclose(fixed["log_score"].iloc[0], own[own["estimator"] == "log_score"]["bits"].mean())
    assert decompose_all(rows[rows["cohort"] == "a"], MODALITIES, SETTINGS, UNTESTED)[1].empty


def test_a_reading_that_runs_against_age_in_one_cohort_is_said():
    rows = out_of_fold(100)
    turned = rows["latent_t1"].where(rows["cohort"] == "a", -rows["latent_t1"])
    (said,) = readings_against_target(rows.assign(latent_t1=turned), MODALITIES)
    assert said.startswith("b: what ridge reads from t1 falls as the target rises (r = -0.")
    assert readings_against_target(rows, MODALITIES) == []


def test_a_reading_that_knows_nothing_is_not_against_age():
    """Its held-out predictions are means of those who are trained on, and fall with the mean age of the fold."""
    rows = out_of_fold(100, repeats=1)
    others = rows.groupby(["cohort", "fold"])["age"].transform("mean")
    noise = np.random.default_rng(0).normal(size=len(rows))
    assert readings_against_target(rows.assign(latent_t1=-others + 0.01 * noise), MODALITIES) == []


def test_no_shares_below_300_people():
    table = decomposed(out_of_fold(140)[lambda t: t["cohort"] == "a"])
    assert table["share"].isna().all()


def test_noise_reads_as_nothing():
    table = decomposed(out_of_fold(1000, gain=0.0))
    totals = table[(table["atom"] == "total") & (table["cohort"] != "pooled")]["bits"]
    assert totals.abs().max() < 0.01


def test_information_is_read_from_people_with_every_modality():
    rows = incomplete()
    complete = rows[(rows["modalities"] == "t1+dwi")]
    found, expected = (decomposed(chosen) for chosen in (rows, complete))
    pd.testing.assert_frame_equal(found, expected)
    assert set(found["n"]) == {35}
    assert set(found["cohort"]) == {"a"}
    assert normality_table(rows, MODALITIES)["n"].tolist() == [35]
    assert [len(values) for values in joint_distances(rows, "ridge", MODALITIES).values()] == [35]


def test_the_mean_has_no_information_to_read():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"participant_id": [f"p{k}" for k in range(40)], "age": rng.uniform(20, 80, 40)})
    rows = rows.assign(
        cohort="a", repeat=0, fold=0, modalities="t1+dwi", latent_t1=rng.normal(size=40),
        latent_dwi=rng.normal(size=40),
        **{f"log_score_{subset}": rng.normal(size=40) for subset in ("t1", "dwi", "t1+dwi")},
    )  # fmt: skip
    both = pd.concat([rows.assign(model="svr"), rows.assign(model="mean", latent_t1=0.0, latent_dwi=0.0)])
    assert set(decomposed(both)["model"]) == {"svr"}
    assert set(normality_table(both, MODALITIES)["model"]) == {"svr"}


def small(values: list[float], n: int) -> Null:
    return Null(np.array(values), {"t1": np.array(values) / 2, "dwi": np.zeros(len(values))}, n)


def test_p_values_stand_beside_the_bits_that_were_tested_and_nowhere_else():
    within = WithinCohorts({"a": small([1.0, 0, 2], 100), "b": small([4.0, 2, 2], 300)}, "pls", 4, {})
    table = decomposed(out_of_fold(60), within)
    tested = table[table["model"] == "pls_within_cohort"]
    assert table["p_value"].notna().equals(table["model"] == "pls_within_cohort")
    rows = tested[tested["measure"] == "mmi"].set_index(["cohort", "scope", "modalities", "atom"])
    everything, added = ("all", "t1+dwi", "total"), ("one_vs_rest", "t1", "added")
    assert rows.loc[[("a", *everything), ("b", *everything), ("pooled", *everything)], "bits"].tolist() == [1, 4, 3.25]
    np.testing.assert_allclose(rows.loc[("a", *everything), "p_value"], 2 / 3)
    np.testing.assert_allclose(rows.loc[("pooled", *added), ["bits", "p_value"]].astype(float), [1.625, 1 / 3])
    assert rows["se"].isna().all()
    assert set(rows["n_folds"]) == {4}
    assert len(rows) == 9
    assert set(tested["measure"]) == {"mmi", "idep"}
    pd.testing.assert_frame_equal(
        table[table["model"] != "pls_within_cohort"],
        decomposed(out_of_fold(60)),
    )


def test_standard_errors_are_widened_by_the_factor_of_their_cohort():
    factors = WithinCohorts({}, "ridge", 5, {"b": {"": 2.5}})
    narrow, wide = (decomposed(out_of_fold(60), w) for w in (UNTESTED, factors))
    ratio = (wide["se"] / narrow["se"]).groupby(wide["cohort"]).median()
    assert ratio["a"] == pytest.approx(1)
    assert ratio["b"] == pytest.approx(2)
    assert wide.groupby("cohort")["se_factor"].first().reindex(["a", "b"]).tolist() == [1.25, 2.5]


def birth_cohort() -> pd.DataFrame:
    """`out_of_fold` where everybody of cohort b is 73."""
    rows = out_of_fold(60)
    return rows.assign(age=rows["age"].where(rows["cohort"] == "a", 73.0))


def test_a_cohort_of_one_target_has_no_rows_and_the_others_all():
    rows = birth_cohort()
    found = decomposed(rows)
    assert set(found["cohort"]) == {"a"}
    alone = decomposed(rows[rows["cohort"] == "a"])
    pd.testing.assert_frame_equal(found, alone)
    assert normality_table(rows, MODALITIES)["cohort"].tolist() == ["a"]
    assert list(joint_distances(rows, "ridge", MODALITIES)) == ["a"]
    assert not_decomposable(rows, MODALITIES) == {
        "b": "all 60 people who take part with every modality have the same target, 73; it must vary"
    }


def test_latents_that_are_the_target_itself_are_named_and_left_out(caplog):
    rows = out_of_fold(60)
    leaked = rows["cohort"] == "b"
    score = rows.groupby(["cohort", "repeat"])["age"].transform(normal_scores)
    rows = rows.assign(latent_t1=rows["latent_t1"].where(~leaked, score))
    assert set(decomposed(rows)["cohort"]) >= {"a"}
    assert "cohort 'b': the decomposition of ridge is left out" in caplog.text
    assert normality_table(rows, MODALITIES)["cohort"].tolist() == ["a"]


def test_nothing_is_an_empty_table():
    rows = birth_cohort()
    only = rows[rows["cohort"] == "b"]
    found = decomposed(only)
    assert len(found) == 0
    assert list(found) == PID_COLUMNS
    assert len(normality_table(only, MODALITIES)) == 0
    to_svg(figures.modalities(found, "ridge", MODALITIES, "log_score"))
    to_svg(figures.normality({}))


def test_standard_errors_are_clustered_by_the_column_of_groups():
    """Everybody three times over under names of their own has, with groups, about the interval of everybody once."""
    rows = out_of_fold(200)
    rows = rows[(rows["cohort"] == "a") & (rows["model"] == "ridge")]
    person = pd.factorize(rows["participant_id"])[0]
    thrice = pd.concat(
        [rows.assign(participant_id=rows["participant_id"] + f"-{k}", **{GROUP: person}) for k in range(3)],
        ignore_index=True,
    ).sample(frac=1, random_state=0)

    def se(table):
        found = decomposed(table, settings=DecompositionSettings(measures=("idep",)))
        return found.set_index(["estimator", "scope", "modalities", "atom"])["se"]

    once, clustered, freely = se(rows), se(thrice), se(thrice.drop(columns=GROUP))
    for estimator in ("log_score", "gaussian_score"):
        key = (estimator, "one_vs_rest", "t1", "alone")
        assert clustered[key] == pytest.approx(once[key], rel=0.05)
        assert freely[key] == pytest.approx(once[key] / np.sqrt(3), rel=0.05)


def test_people_are_weighted_where_having_every_modality_depends_on_age(caplog):
    rows = out_of_fold(2000, repeats=1)
    everybody = rows[rows["cohort"] == "a"]["log_score_t1+dwi"].mean()
    keeps = np.random.default_rng(1).random(len(rows)) < 1 / (1 + np.exp((((rows["age"] - 50) / 10) ** 2 - 1) / 2))
    old = (rows["cohort"] == "a") & ~keeps
    rows.loc[old, [column for column in rows if "dwi" in column]] = np.nan
    rows.loc[old, "modalities"] = "t1"
    table = decomposed(rows)
    totals = table[(table["scope"] == "all") & (table["atom"] == "total") & (table["measure"] == "mmi")]
    totals = totals.set_index(["cohort", "estimator"])["bits"]
    assert ("b", "log_score_weighted") not in totals.index
    assert ("pooled", "log_score_weighted") not in totals.index
    assert abs(totals["a", "log_score_weighted"] - everybody) < 0.5 * abs(totals["a", "log_score"] - everybody)
    assert "cohort 'a': having every modality depends on the target" in caplog.text
