"""Accuracy, age bias, intervals and pooling against known values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.errors import InputError
from brainpid.evaluation.accuracy import accuracy_table
from brainpid.evaluation.comparison import comparison_table
from brainpid.evaluation.coverage import coverage_table
from brainpid.evaluation.information import decompose_all, joint_distances, normality_table
from brainpid.evaluation.metrics import accuracy, paired_difference
from brainpid.evaluation.predictions import by_repeat
from brainpid.evaluation.random_effects import pool
from brainpid.model.age_bias import AgeBias
from brainpid.model.conformal import AdaptiveConformal

MODALITIES = ["t1", "dwi"]


def test_accuracy_of_known_errors():
    found = accuracy([[11, 19, 33, 37], [9, 21, 27, 43]], [10, 20, 30, 40])
    assert found.n == 4
    assert found.mae == pytest.approx(2)
    assert found.rmse == pytest.approx(np.sqrt(5))
    assert found.r2 == pytest.approx(1 - 5 / 125)
    half = stats.t.ppf(0.975, 3) * np.std([1, 1, 3, 3], ddof=1) / 2
    assert (found.mae_ci_low, found.mae_ci_high) == pytest.approx((2 - half, 2 + half))


def test_repeats_are_not_counted_as_people():
    rng = np.random.default_rng(0)
    target, once = rng.normal(size=(2, 50))
    one, five = accuracy(once, target), accuracy(np.tile(once, (5, 1)), target)
    assert five.mae_se == pytest.approx(one.mae_se)


def test_age_bias_inverts_a_known_line():
    age = np.linspace(20, 80, 50)
    bias = AgeBias.fit(20 + 0.6 * age, age)
    assert (bias.intercept, bias.slope) == pytest.approx((20, 0.6))
    np.testing.assert_allclose(bias.correct(20 + 0.6 * age), age)


def test_paired_difference_of_known_errors():
    target = np.array([10.0, 20, 30, 40])
    one = np.array([11.0, 19, 31, 39])
    two = np.array([[11.0, 22, 27, 44], [13, 22, 31, 36]])  # absolute errors 2, 2, 2, 4 on average over the repeats
    found = paired_difference(one, two, target)
    differences = np.array([-1.0, -1, -1, -3])
    assert (found.n, found.difference) == (4, differences.mean())
    assert found.se == pytest.approx(differences.std(ddof=1) / 2)
    assert (found.ci_high - found.ci_low) / 2 == pytest.approx(3.1824 * found.se, rel=1e-4)
    turned = paired_difference(two, one, target)
    assert (turned.difference, turned.ci_low) == (-found.difference, -found.ci_high)


def test_models_are_compared_among_people_with_every_modality():
    age = np.array([20.0, 40, 60, 80])
    rows = [
        {"participant_id": f"p{person}", "cohort": cohort, "model": model, "repeat": repeat, "fold": 0,
         "age": age[person], "predicted_age": age[person] + error, "modalities": "t1+dwi" if person else "t1"}
        for model, error in (("pidreg", 1.0), ("ridge", -3.0), ("mean", 9.0))
        for cohort in ("a", "b") for repeat in range(2) for person in range(4)
    ]  # fmt: skip
    table = comparison_table(pd.DataFrame(rows), ["t1", "dwi"], 0.95)
    assert list(table["model"]) == ["ridge"] * 3 + ["mean"] * 3
    assert list(table["cohort"]) == ["a", "b", "pooled"] * 2
    assert list(table["n"]) == [3, 3, 6] * 2
    assert set(table["reference"]) == {"pidreg"}
    np.testing.assert_allclose(table["difference"], [-2.0] * 3 + [-8.0] * 3)
    alone = comparison_table(pd.DataFrame(rows[:16]), ["t1", "dwi"], 0.95)
    assert list(alone) == list(table)
    assert alone.empty


def test_a_prediction_that_knows_nothing_is_not_corrected_into_accuracy():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 500)
    bias = AgeBias.fit(rng.normal(50, 2, 500), age)
    assert not bias.correctable
    assert np.isnan(bias.correct([50.0])).all()


def test_conformal_width_is_the_right_order_statistic():
    found = AdaptiveConformal.fit(np.zeros(99), np.arange(1, 100))
    np.testing.assert_allclose(found.half_width(np.zeros(2), 0.9), 90)
    with pytest.raises(InputError, match="needs at least 9 training people, found 8"):
        AdaptiveConformal.fit(np.zeros(8), np.arange(8)).half_width(np.zeros(1), 0.9)


def test_conformal_coverage():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        found = AdaptiveConformal.fit(rng.normal(size=100), rng.standard_t(3, 100))
        low, high = found.interval(rng.normal(size=400), 0.9).T
        target = rng.standard_t(3, 400)  # the prediction says nothing
        covered.append(np.mean((low <= target) & (target <= high)))
    assert 0.88 < np.mean(covered) < 0.92


def test_intervals_are_wider_where_errors_are_larger():
    rng = np.random.default_rng(1)
    predicted = rng.uniform(20, 80, 4000)
    target = predicted + rng.normal(size=4000) * np.where(predicted > 50, 8.0, 2.0)
    found = AdaptiveConformal.fit(predicted[:2000], target[:2000])
    low, high = found.interval(predicted[2000:], 0.9).T
    inside = (low <= target[2000:]) & (target[2000:] <= high)
    old = predicted[2000:] > 50
    assert (high - low)[old].mean() > 2 * (high - low)[~old].mean()
    assert 0.82 < inside[old].mean() < 0.98
    assert 0.82 < inside[~old].mean() < 0.999


def test_pooling_of_equal_estimates_is_that_estimate():
    found = pool([0.3, 0.3, 0.3], [0.1, 0.1, 0.1], [100, 100, 100])
    assert found.estimate == pytest.approx(0.3)
    assert found.tau2 == 0
    # The modification keeps the interval from collapsing where estimates agree by chance.
    assert found.se == pytest.approx(0.1 / np.sqrt(3))
    assert found.ci_high == pytest.approx(0.3 + stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3))


def test_reml_of_equal_variances_is_the_known_closed_form():
    y = np.array([0.1, 0.5, 0.9, 0.2])
    found = pool(y, np.full(4, 0.1), np.full(4, 50))
    assert found.tau2 == pytest.approx(y.var(ddof=1) - 0.01, rel=1e-4)
    assert found.estimate == pytest.approx(y.mean())


def test_weights_follow_n_and_not_the_estimated_errors():
    found = pool([0.2, 0.21, 0.22], [0.01, 0.5, 0.1], [100, 100, 300])
    np.testing.assert_allclose(found.weights, [0.2, 0.2, 0.6])


def test_pooled_intervals_cover():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        n = rng.integers(50, 400, 6)
        y = 0.4 + 0.1 * rng.normal(size=6) + rng.normal(size=6) / np.sqrt(n)
        found = pool(y, 1 / np.sqrt(n), n)
        hits += found.ci_low <= 0.4 <= found.ci_high
    assert 0.92 <= hits / 400 <= 0.99


def test_pooling_needs_two_cohorts():
    with pytest.raises(InputError, match="at least 2 cohorts"):
        pool([0.1], [0.1], [100])


def out_of_fold(n: int = 400, repeats: int = 2, gain: float = 1.0) -> pd.DataFrame:
    """Predictions of two cohorts whose latents have a known information about age."""
    rng = np.random.default_rng(0)
    frames = []
    for cohort in ("a", "b"):
        g = rng.normal(size=n)
        t1, dwi = gain * g + rng.normal(size=n), gain * g + rng.normal(size=n)
        once = pd.DataFrame(
            {
                "participant_id": [f"sub-{k}" for k in range(n)], "cohort": cohort, "age": 50 + 10 * g,
                "model": "ridge", "fold": np.arange(n) % 5, "modalities": "t1+dwi",
                "latent_t1": t1, "latent_dwi": dwi,
                "concatenated_t1": t1, "concatenated_dwi": dwi, "concatenated_t1+dwi": (t1 + dwi) / 3,
                "predicted_age": 50 + 10 * (t1 + dwi) / 3, "predicted_age_corrected": 50 + 5 * (t1 + dwi),
            }
        )  # fmt: skip
        frames += [once.assign(repeat=repeat) for repeat in range(repeats)]
    return pd.concat(frames, ignore_index=True)


def test_known_information_is_read_out_and_pooled():
    table = decompose_all(out_of_fold(), MODALITIES, DecompositionSettings(), {})
    chosen = table[(table["atom"] == "total") & (table["scope"] == "all")]
    totals = chosen.set_index(["model", "measure", "cohort"])["bits"]
    truth = 0.5 * np.log2(3)  # gains 1 and 1, unit noise: signal-to-noise ratio 2
    for cohort in ("a", "b", "pooled"):
        assert totals["ridge", "mmi", cohort] == pytest.approx(truth, abs=0.1)
        assert totals["ridge", "mmi", cohort] == totals["ridge", "idep", cohort]
    check = table[(table["model"] == "ridge_concatenated") & (table["cohort"] == "a") & (table["measure"] == "mmi")]
    assert set(check["atom"]) == {"total", "alone", "added"}
    assert check.loc[check["atom"] == "total", "bits"].iloc[0] == pytest.approx(totals["ridge", "mmi", "a"], abs=0.01)
    shares = table[(table["model"] == "ridge") & (table["cohort"] == "pooled") & (table["measure"] == "mmi")]
    assert shares.loc[shares["scope"] == "all"].query("atom != 'total'")["share"].sum() == pytest.approx(1, abs=1e-6)


def test_no_shares_below_300_people():
    table = decompose_all(out_of_fold(140)[lambda t: t["cohort"] == "a"], MODALITIES, DecompositionSettings(), {})
    assert table["share"].isna().all()


def test_noise_reads_as_nothing():
    table = decompose_all(out_of_fold(1000, gain=0.0), MODALITIES, DecompositionSettings(), {})
    totals = table[(table["atom"] == "total") & (table["cohort"] != "pooled")]["bits"]
    assert totals.abs().max() < 0.01


def test_a_person_predicted_twice_is_refused():
    rows = out_of_fold(50, 1)[lambda t: t["cohort"] == "a"]
    with pytest.raises(InputError, match="each person once in every repeat, found otherwise for 'sub-0'"):
        by_repeat(pd.concat([rows, rows.iloc[:1]]), ["predicted_age"])


def test_pooled_accuracy_lies_between_the_cohorts():
    table = accuracy_table(out_of_fold(), MODALITIES, "kfold", 0.95).set_index("cohort")
    assert table.loc[["a", "b"], "mae"].min() <= table.loc["pooled", "mae"] <= table.loc[["a", "b"], "mae"].max()
    assert table.loc["pooled", "n"] == 800


def incomplete(n: int = 60) -> pd.DataFrame:
    """`out_of_fold` where 20 people of cohort a have t1 alone and 5 dwi alone, and nobody of cohort b has dwi."""
    rows = out_of_fold(n).astype({"modalities": object})
    person = rows["participant_id"].str.removeprefix("sub-").astype(int)
    without_dwi = (rows["cohort"] == "b") | (person < 20)
    without_t1 = (rows["cohort"] == "a") & person.between(20, 24)
    for mask, lacking, left in ((without_dwi, "dwi", "t1"), (without_t1, "t1", "dwi")):
        columns = [column for column in rows if column.startswith(("latent_", "concatenated_")) and lacking in column]
        rows.loc[mask, columns] = np.nan
        rows.loc[mask, "modalities"] = left
    return rows


def test_accuracy_is_told_apart_by_what_people_have():
    rows = incomplete()
    table = accuracy_table(rows, MODALITIES, "kfold", 0.95)
    found = table[["cohort", "modalities", "n"]].itertuples(index=False, name=None)
    # dwi alone has too few people for a row, and the complete pattern is in one cohort only: there is nothing to pool.
    assert list(found) == [("a", "t1+dwi", 35), ("a", "t1", 20), ("b", "t1", 60), ("pooled", "t1", 80)]
    own = rows[(rows["cohort"] == "a") & (rows["modalities"] == "t1")]
    assert table["mae"][1] == pytest.approx((own["predicted_age"] - own["age"]).abs().mean())


def test_information_is_read_from_people_with_every_modality():
    rows = incomplete()
    complete = rows[(rows["modalities"] == "t1+dwi")]
    found, expected = (decompose_all(chosen, MODALITIES, DecompositionSettings(), {}) for chosen in (rows, complete))
    pd.testing.assert_frame_equal(found, expected)
    assert set(found["n"]) == {35}
    assert set(found["cohort"]) == {"a"}
    assert set(found["model"]) == {"ridge", "ridge_concatenated"}
    assert normality_table(rows, MODALITIES)["n"].tolist() == [35]
    assert [len(values) for values in joint_distances(rows, "ridge", MODALITIES).values()] == [35]


def test_coverage_of_known_intervals():
    """One of two repeats covers in cohort a, both in b; the band is a twelfth of the target's range."""
    people = pd.DataFrame({"participant_id": ["1", "2", "3", "4"], "cohort": list("aabb"), "age": [21.0, 35, 22, 38]})
    first, second = (people.assign(repeat=repeat) for repeat in (0, 1))
    rows = pd.concat([first.assign(pi_low=20, pi_high=40), second.assign(pi_low=[50, 50, 20, 20], pi_high=60)])
    found = coverage_table(rows, (0, 120)).set_index("group")
    assert found["n"].to_dict() == {"everybody": 4, "a": 2, "b": 2, "20 to 30": 2, "30 to 40": 2}
    np.testing.assert_allclose(found["coverage"], [0.75, 0.5, 1, 0.75, 0.75])
    np.testing.assert_allclose(found["mean_width"], [22.5, 15, 30, 22.5, 22.5])
    # Wilson 1927 for 1 of 2 people: 0.5 -+ 1.96 sqrt(1/8 + 1.96^2/16) / (1 + 1.96^2/2)
    half = 1.96 * np.sqrt(1 / 8 + 1.96**2 / 16) / (1 + 1.96**2 / 2)
    assert (found.loc["a", "ci_low"], found.loc["a", "ci_high"]) == pytest.approx((0.5 - half, 0.5 + half))


def test_the_mean_has_no_information_to_read():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"participant_id": [f"p{k}" for k in range(40)], "age": rng.uniform(20, 80, 40)})
    rows = rows.assign(
        cohort="a", repeat=0, fold=0, modalities="t1+dwi", latent_t1=rng.normal(size=40), latent_dwi=rng.normal(size=40)
    )
    both = pd.concat([rows.assign(model="svr"), rows.assign(model="mean", latent_t1=0.0, latent_dwi=0.0)])
    assert set(decompose_all(both, MODALITIES, DecompositionSettings(), {})["model"]) == {"svr"}
    assert set(normality_table(both, MODALITIES)["model"]) == {"svr"}
