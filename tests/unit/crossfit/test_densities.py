"""Predictive densities: informations that are known, invariances, intervals, and input that is hardly any."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.ridge import ridge

AB = [("a",), ("b",), ("a", "b")]


def split_readings(blocks, y, new, rng, read=lambda x, y, new: ridge(x, y[None], new)[0], folds=5):
    """Out-of-fold predictions of training people, their folds, and predictions of new people, from every subset."""
    fold = random_folds(np.arange(len(y)), folds, rng)
    held_out, later = {}, {}
    for subset in subsets_of(tuple(blocks)):
        x = np.column_stack([blocks[m] for m in subset])
        x_new = np.column_stack([new[m] for m in subset])
        held_out[subset] = np.empty(len(y))
        for k in range(folds):
            held_out[subset][fold == k] = read(x[fold != k], y[fold != k], x[fold == k])
        later[subset] = read(x, y, x_new)
    return held_out, fold, later


def simulated(draw, seed, n=500, m=2000):
    """Densities fitted to n people of `draw(rng, people)`, and predictions, ages and scores of m new ones."""
    rng = np.random.default_rng(seed)
    y, blocks = draw(rng, n + m)
    old = {name: block[:n] for name, block in blocks.items()}
    held_out, fold, later = split_readings(old, y[:n], {name: b[n:] for name, b in blocks.items()}, rng)
    found = PredictiveDensities.fit(held_out, y[:n], fold)
    return found, later, y[n:], found.log_scores(later, y[n:])


def gaussian(rng, n):
    a = rng.standard_normal(n)
    return 50 + 15 * a, {name: (0.7 * a + rng.standard_normal(n))[:, None] for name in "ab"}


def readings(n=200, seed=0, strength=0.8, ages=None):
    """Predictions that are made up: ages, three readers, folds."""
    rng = np.random.default_rng(seed)
    y = 50 + 15 * rng.standard_normal(n) if ages is None else ages
    a = (y - y.mean()) / y.std()
    return {s: 50 + 15 * (strength * a + 0.6 * rng.standard_normal(n)) for s in AB}, y, np.arange(n) % 5


def test_linear_gaussian_information_is_read():
    found = np.mean([[v.mean() for v in simulated(gaussian, seed)[3].values()] for seed in range(4)], axis=0)
    np.testing.assert_allclose(found, 0.5 * np.log2([1.49, 1.49, 1.98]), atol=0.02)


@pytest.mark.parametrize(
    ("n", "modalities", "whole_years"), [(150, "ab", False), (150, "ab", True), (500, "abc", True)]
)
def test_noise_tells_nothing(n, modalities, whole_years):
    def noise(rng, people):
        y = 50 + 15 * rng.standard_normal(people)
        return np.round(y) if whole_years else y, {m: rng.standard_normal((people, 10)) for m in modalities}

    found = [simulated(noise, seed, n, 500)[3][tuple(modalities)].mean() for seed in range(6)]
    assert abs(np.mean(found)) < 0.006


def test_a_tail_of_old_people_does_not_bend_the_number():
    def few_old(rng, people):
        y = np.where(rng.random(people) < 0.9, rng.uniform(18, 30, people), rng.uniform(30, 85, people))
        a = (y - 27.15) / 12.75
        return y, {name: (a + rng.standard_normal(people))[:, None] for name in "ab"}

    found = np.mean([simulated(few_old, seed)[3]["a", "b"].mean() for seed in range(4)])
    assert found == pytest.approx(0.514, abs=0.05)  # by integration; the Gaussian score reads .23


def test_what_both_modalities_tell_only_together_is_read():
    def read(x, y, new):
        distance = lambda p, q: np.sum((p[:, None] - q) ** 2, axis=2)  # noqa: E731
        kernel = np.exp(-distance(x, x)) + 0.1 * np.eye(len(x))
        return y.mean() + np.exp(-distance(new, x)) @ np.linalg.solve(kernel, y - y.mean())

    rng = np.random.default_rng(0)
    a = rng.standard_normal(900)
    y = 50 + 15 * a
    blocks = {
        "t1": (a + 0.8 * rng.standard_normal(900))[:, None],
        "dwi": (np.cos(2 * a) + 0.2 * rng.standard_normal(900))[:, None],
    }
    held_out, fold, later = split_readings(
        {m: b[:300] for m, b in blocks.items()}, y[:300], {m: b[300:] for m, b in blocks.items()}, rng, read
    )
    scores = PredictiveDensities.fit(held_out, y[:300], fold).log_scores(later, y[300:])
    added = scores["t1", "dwi"] - scores["t1",]
    assert added.mean() - 2 * added.std() / np.sqrt(600) > 0.1
    assert scores["dwi",].mean() < 0.1


def test_order_of_people_and_of_modalities_does_not_matter():
    predictions, y, fold = readings()
    found = PredictiveDensities.fit(predictions, y, fold).log_scores(predictions, y)
    order = np.random.default_rng(1).permutation(len(y))
    turned = {subset[::-1]: predictions[subset][order] for subset in reversed(AB)}
    again = PredictiveDensities.fit(turned, y[order], fold[order]).log_scores(turned, y[order])
    for subset in AB:
        np.testing.assert_allclose(again[subset[::-1]], found[subset][order], atol=1e-6)


def test_units_and_labels_of_folds_do_not_matter():
    predictions, y, fold = readings()
    months = {subset: 12 * values + 3 for subset, values in predictions.items()}
    found = PredictiveDensities.fit(predictions, y, fold)
    again = PredictiveDensities.fit(months, 12 * y + 3, 7 - fold)
    for subset in AB:
        np.testing.assert_allclose(
            again.log_scores(months, 12 * y + 3)[subset], found.log_scores(predictions, y)[subset], atol=1e-6
        )
        np.testing.assert_allclose(
            again.interval(months, subset, 0.9), 12 * found.interval(predictions, subset, 0.9) + 3, rtol=1e-6
        )


def test_a_useless_modality_costs_little_and_a_reader_that_falls_with_age_tells_nothing():
    rng = np.random.default_rng(2)
    y = 50 + 15 * rng.standard_normal(300)
    good, useless = y + 10 * rng.standard_normal(300), 50 + rng.standard_normal(300)
    predictions = {("a",): good, ("b",): 100 - y, ("a", "b"): good + 15 * rng.standard_normal(300)}
    scores = PredictiveDensities.fit(predictions, y, np.arange(300) % 5).log_scores(predictions, y)
    assert scores["a", "b"].mean() > scores["a",].mean() - 0.01  # alone the joint reader would read .43 bits less
    np.testing.assert_array_equal(scores["b",], 0)
    one = PredictiveDensities.fit({("b",): useless}, y, np.arange(300) % 5).log_scores({("b",): useless}, y)
    assert abs(one["b",].mean()) < 0.02


def test_fold_means_are_no_information():
    # Each fold is a site of its own ages, and the reader predicts the mean of the others: the old sites are told young.
    rng = np.random.default_rng(3)
    y = np.sort(rng.gamma(2.0, 15.0, 300))
    fold = np.arange(300) * 5 // 300
    for middle in (np.mean, np.median):
        constant = np.array([middle(y[fold != k]) for k in range(5)])[fold] + 1e-3 * rng.standard_normal(300)
        found = PredictiveDensities.fit({("a",): constant}, y, fold)
        new = {("a",): np.full(300, middle(y)) + 1e-3 * rng.standard_normal(300)}
        assert abs(found.log_scores(new, y)["a",].mean()) < 0.02


def test_log_scores_are_relative_to_the_reference_and_count_the_own_age():
    predictions, y, fold = readings()
    found = PredictiveDensities.fit(predictions, y, fold)
    plain = found.log_scores(predictions, y)["a",]
    np.testing.assert_allclose(found.log_scores(predictions, y, reference=y)["a",], plain, atol=1e-9)
    # With r(y_j | x_i), by definition: log2 r(y_i) - log2 of the mean over the reference and the own age.
    reference = np.array([30.0, 41.0, 58.0])
    at = {age: found.log_scores(predictions, np.full(200, age))["a",] for age in reference}
    n = len(y)

    def ratio(score):  # the ratio before the own age was counted
        return n / ((n + 1) / 2**score - 1)

    r_own, r = ratio(plain), np.array([ratio(score) for score in at.values()])
    expected = np.log2(r_own) - np.log2((r.sum(axis=0) + r_own) / 4)
    np.testing.assert_allclose(found.log_scores(predictions, y, reference=reference)["a",], expected, atol=1e-6)
    assert found.log_scores(predictions, y, reference=reference)["a",].max() <= 2


def test_scores_are_told_against_people_with_every_modality():
    # Nobody above 50 has b; given that, and no more, the reader of a must not be paid for telling who has b.
    predictions, y, fold = readings(400)
    lacking = {s: np.where((y > 50) & ("b" in s), np.nan, v) for s, v in predictions.items()}
    found = PredictiveDensities.fit(lacking, y, fold)
    young = y <= 50
    both = {s: v[young] for s, v in predictions.items()}
    np.testing.assert_allclose(
        found.log_scores(both, y[young])["a",], found.log_scores(both, y[young], reference=y[young])["a",], atol=1e-9
    )
    assert np.isnan(found.log_scores(lacking, y)["a", "b"][~young]).all()
    assert np.isfinite(found.log_scores(lacking, y)["a",]).all()


def test_quantiles_ascend_and_the_median_is_near_what_is_predicted():
    found, later, y, _ = simulated(gaussian, 0)
    levels = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    quantiles = found.quantiles(later, ("a", "b"), levels)
    assert (np.diff(quantiles, axis=1) > 0).all()
    below = (y[:, None] <= quantiles).mean(axis=0)
    np.testing.assert_allclose(below, levels, atol=0.035)
    assert np.abs(quantiles[:, 3] - later["a", "b"]).mean() < 2


@pytest.mark.parametrize("least", [1, 10])
def test_intervals_cover_what_they_say(least):
    covered = []
    for seed in range(10):
        predictions, y, fold = readings(150, seed)
        found = PredictiveDensities.fit(predictions, y, fold, least)
        new, y_new, _ = readings(500, 1000 + seed)
        low, high = found.interval(new, ("a", "b"), 0.8).T
        covered.append(np.mean((low <= y_new) & (y_new <= high)))
    assert np.mean(covered) == pytest.approx(0.8, abs=0.03)


def test_intervals_are_calibrated_where_training_predictions_are_too_sure():
    # The reader errs more than its density can say: errors with heavy tails.
    rng = np.random.default_rng(4)
    y = rng.uniform(20, 80, 2000)
    predictions = {("a",): y + 3 * rng.standard_t(2, 2000)}
    old, new = slice(0, 1000), slice(1000, None)
    found = PredictiveDensities.fit({("a",): predictions["a",][old]}, y[old], np.arange(1000) % 5)
    low, high = found.interval({("a",): predictions["a",][new]}, ("a",), 0.9).T
    assert np.mean((low <= y[new]) & (y[new] <= high)) == pytest.approx(0.9, abs=0.02)


def test_people_at_the_end_of_the_ages_are_covered():
    # Most are from 18 to 22 years: equal tails would leave out those of 18, who are likely and predicted too old.
    rng = np.random.default_rng(5)
    y = np.where(rng.random(3000) < 0.7, rng.uniform(18, 22, 3000), rng.uniform(22, 80, 3000))
    predictions = {("a",): y + 8 * rng.standard_normal(3000)}
    found = PredictiveDensities.fit({("a",): predictions["a",][:1000]}, y[:1000], np.arange(1000) % 5)
    low, high = found.interval({("a",): predictions["a",][1000:]}, ("a",), 0.9).T
    inside = (low <= y[1000:]) & (y[1000:] <= high)
    assert inside.mean() == pytest.approx(0.9, abs=0.025)
    left, right = found.quantiles({("a",): predictions["a",][1000:]}, ("a",), [0.05, 0.95]).T
    equal_tails = (left <= y[1000:]) & (y[1000:] <= right)
    youngest = y[1000:] < 18.3
    assert inside[youngest].mean() > equal_tails[youngest].mean() + 0.15


def test_too_few_people_for_a_coverage():
    predictions, y, fold = readings(9)
    found = PredictiveDensities.fit(predictions, y, fold)
    np.testing.assert_array_equal(found.log_scores(predictions, y)["a",], 0)
    assert np.isfinite(found.interval(predictions, ("a",), 0.9)).all()
    with pytest.raises(InputError, match=r"coverage 0\.95 needs at least 19 training people, found 9"):
        found.interval(predictions, ("a",), 0.95)


def odd_cases():
    predictions, y, fold = readings()
    several = {s: np.where(fold == 0, v, np.nan) if "b" in s else v for s, v in predictions.items()}
    yield "constant predictions", {s: np.full(200, 40.0) for s in AB}, y, fold
    yield "one fold", predictions, y, np.zeros(200, dtype=int)
    yield "a fold for every five", predictions, y, np.arange(200) // 5
    yield "nobody has b", {s: v * (np.nan if "b" in s else 1) for s, v in predictions.items()}, y, fold
    yield "b in one fold alone", several, y, fold
    yield "equal ages of a fold", predictions, np.where(fold == 0, 40, y), fold
    yield "equal ages without a fold", predictions, np.where(fold == 0, y, 40), fold
    yield "two ages", predictions, np.where(y > 50, 70.0, 20.0), fold
    yield "exact", dict.fromkeys(AB, y), y, fold
    yield "the joint reader alone", {("a", "b"): predictions["a", "b"]}, y, fold
    yield "n = 20", *readings(20)


@pytest.mark.parametrize("case", list(odd_cases()), ids=lambda case: case[0])
@pytest.mark.parametrize("least", [1, 10])
def test_hardly_any_input_is_never_nan(case, least):
    _, predictions, y, fold = case
    found = PredictiveDensities.fit(predictions, y, fold, least)
    for subset, values in found.log_scores(predictions, y).items():
        np.testing.assert_array_equal(np.isnan(values), np.isnan(predictions[subset]))
        there = np.isfinite(predictions[subset])
        assert np.isfinite(found.quantiles(predictions, subset, [0.1, 0.5, 0.9])[there]).all()
        assert (values[there] <= np.log2(len(y) + 1)).all()


def test_one_runaway_prediction_does_not_silence_the_others():
    predictions, y, fold = readings()
    runaway = {s: np.where(np.arange(200) == 3, 1e6, v) for s, v in predictions.items()}
    plain, with_it = (PredictiveDensities.fit(p, y, fold).log_scores(p, y)["a",] for p in (predictions, runaway))
    assert with_it.mean() == pytest.approx(plain.mean(), abs=0.1)


def test_many_people_are_thinned_and_read_alike():
    few, many = (PredictiveDensities.fit(*readings(n)) for n in (4000, 17_000))
    predictions, y, _ = readings(2000, 1)
    assert len(many.readers["a",].needed) <= 8000
    assert many.log_scores(predictions, y)["a",].mean() == pytest.approx(
        few.log_scores(predictions, y)["a",].mean(), abs=0.01
    )


def test_shared_densities_hold_no_person_s_values():
    predictions, y, fold = readings(400, ages=np.random.default_rng(6).uniform(20, 80, 400))
    found = PredictiveDensities.fit(predictions, y, fold, least=10)
    kept = [found.target_map.values, found.reference.values]
    kept += [reader.tilted.ages.values for reader in found.readers.values()]
    assert not np.isin(np.concatenate(kept), y).any()
    assert len(found.target_map.values) == 40


def test_state_round_trip():
    predictions, y, fold = readings()
    found = PredictiveDensities.fit(predictions, y, fold)
    again = PredictiveDensities.from_state(asdict(found))
    for subset in AB:
        np.testing.assert_array_equal(
            again.log_scores(predictions, y)[subset], found.log_scores(predictions, y)[subset]
        )
        np.testing.assert_array_equal(
            again.interval(predictions, subset, 0.9), found.interval(predictions, subset, 0.9)
        )


def test_input_that_does_not_fit_is_refused():
    predictions, y, fold = readings()
    found = PredictiveDensities.fit(predictions, y, fold)
    with pytest.raises(InputError, match=r"reader of a\+b needs the predictions from b too; found a, a\+b"):
        found.log_scores({s: predictions[s] for s in [("a",), ("a", "b")]}, y)
    with pytest.raises(InputError, match=r"no reader of c was fitted; fitted: a, b, a\+b"):
        found.quantiles({("c",): y}, ("c",), [0.5])
    with pytest.raises(InputError, match="1 predictions from a are infinite"):
        PredictiveDensities.fit({("a",): np.where(fold == 0, np.inf, y)[:5]}, y[:5], fold[:5])
    with pytest.raises(InputError, match=r"200 people, targets of shape \(199,\)"):
        PredictiveDensities.fit(predictions, y[1:], fold)
    with pytest.raises(InputError, match="1 of n = 200 targets are not finite"):
        PredictiveDensities.fit(predictions, np.where(np.arange(200) == 7, np.nan, y), fold)
    with pytest.raises(InputError, match="1 distinct value"):
        PredictiveDensities.fit(predictions, np.full(200, 50.0), fold)
    with pytest.raises(InputError, match="expected one or more finite ages"):
        found.log_scores(predictions, y, reference=[])


def test_sites_count_alike_in_intervals_for_new_sites():
    """One site of 400 with errors of 2 years, 20 of 20 with errors of 8: nine tenths of people, or of sites' people."""
    rng = np.random.default_rng(0)
    site = np.r_[np.zeros(400, int), np.repeat(np.arange(1, 21), 20)]
    spread, y = np.where(site == 0, 2.0, 8.0), rng.uniform(20, 80, 800)
    predictions, fold = {("a",): y + spread * rng.standard_normal(800)}, site % 10
    by_people = PredictiveDensities.fit(predictions, y, fold)
    by_site = PredictiveDensities.fit(predictions, y, fold, site=site)
    new = rng.uniform(35, 65, 4000)
    told = {("a",): new + 8 * rng.standard_normal(4000)}
    covered = []
    for found in (by_people, by_site):
        low, high = found.interval(told, ("a",), 0.9).T
        covered.append(np.mean((low <= new) & (new <= high)))
    assert covered[0] < 0.84
    assert 0.87 < covered[1] < 0.92
    everybody = PredictiveDensities.fit(predictions, y, fold, site=np.arange(800))
    np.testing.assert_array_equal(everybody.readers["a",].needed, by_people.readers["a",].needed)
