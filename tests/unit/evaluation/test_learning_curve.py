"""Learning curves: a known one is recovered, noise is promised nothing, and nothing is said beyond twice the people."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError, NumericalError
from brainpid.evaluation.learning_curve import checked_times, covariance_of_means, fit_learning_curve

FRACTIONS = np.array([0.35, 0.5, 0.7, 0.85, 1.0])


def power_law(a, b, c, noise, seed=0):
    """Points of ``a + b f^-c`` with independent noise, and their covariance."""
    rng = np.random.default_rng(seed)
    values = a + b * FRACTIONS**-c + noise * rng.standard_normal(len(FRACTIONS))
    return FRACTIONS, values, noise**2 * np.eye(len(FRACTIONS))


def interval(curve, times, confidence=0.95):
    """Interval of the gain at each multiple."""
    gains = curve.draw_gains(times, 20_000, np.random.default_rng(1))
    return np.quantile(gains, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)


@pytest.mark.parametrize("exponent", [0.5, 1.0])
def test_a_known_curve_is_continued_and_its_exponent_told(exponent):
    curve = fit_learning_curve(*power_law(5.0, 1.0, exponent, 1e-4))
    truth = np.array([1.5, 2.0]) ** -exponent - 1
    np.testing.assert_allclose(curve.mean_gains([1.5, 2.0]), truth, atol=0.01)
    assert curve.weight @ curve.exponent == pytest.approx(exponent, abs=0.05)
    assert curve.level == pytest.approx(6.0, abs=5e-3)


def test_a_flat_curve_in_noise_is_promised_nothing():
    inside = 0
    for seed in range(25):
        low, high = interval(fit_learning_curve(*power_law(0.3, 0.0, 1.0, 0.02, seed)), 2.0)
        inside += low[0] < 0 < high[0]
    assert inside >= 22


def test_intervals_hold_the_truth_in_most_draws_of_noise():
    truth = -0.6 * (1 - 2**-0.7)
    held = 0
    for seed in range(40):
        low, high = interval(fit_learning_curve(*power_law(5.0, 0.6, 0.7, 0.03, seed)), 2.0)
        held += low[0] <= truth <= high[0]
    assert held >= 36


def test_the_interval_widens_with_the_distance():
    low, high = interval(fit_learning_curve(*power_law(5.0, 0.6, 0.7, 0.03)), [1.1, 1.5, 2.0])
    assert (np.diff(high - low) > 0).all()


def test_without_a_curve_there_is_no_gain():
    curve = fit_learning_curve(FRACTIONS, np.full(5, 4.0), np.zeros((5, 5)))
    np.testing.assert_allclose(curve.mean_gains([1.5, 2.0]), 0.0, atol=1e-9)


@pytest.mark.parametrize("times", [2.01, 0.0, -1.0, np.nan, np.inf])
def test_no_number_of_people_is_told_beyond_twice_or_that_is_none(times):
    curve = fit_learning_curve(*power_law(5.0, 0.6, 0.7, 0.03))
    with pytest.raises(InputError, match=r"above 0 and up to 2, found .*whole population cannot be told"):
        curve.mean_gains([1.5, times])
    assert checked_times(2.0).tolist() == [2.0]


def test_what_is_no_curve_is_refused():
    with pytest.raises(InputError, match=r"3 or more different parts .* found \[0.5, 1.0\]"):
        fit_learning_curve([0.5, 1.0], [1.0, 2.0], np.eye(2))
    with pytest.raises(InputError, match="3 or more different parts"):
        fit_learning_curve([0.5, 0.7, 1.2], [1.0, 2.0, 3.0], np.eye(3))
    with pytest.raises(InputError, match=r"covariance of shape \(2, 2\)"):
        fit_learning_curve([0.5, 0.7, 1.0], [1.0, 2.0, 3.0], np.eye(2))
    with pytest.raises(NumericalError, match="nan"):
        fit_learning_curve([0.5, 0.7, 1.0], [1.0, np.nan, 3.0], np.eye(3))


def test_the_covariance_counts_people_and_what_those_of_a_fold_share():
    rng = np.random.default_rng(0)
    n, folds, repeats = 400, 10, 3
    cell = np.array([rng.permutation(np.arange(n) % folds) for _ in range(repeats)])
    shares = 1 / (folds * repeats) + 1 / (folds - 1)
    people = np.broadcast_to(rng.standard_normal(n), (repeats, 1, n))
    means_of_folds = np.array([people[r, 0, cell[r] == k].mean() for r in range(repeats) for k in range(folds)])
    expected = people[0, 0].var(ddof=1) / n + means_of_folds.var(ddof=1) * shares
    assert covariance_of_means(people, cell)[0, 0] == pytest.approx(expected)
    drawn = rng.standard_normal((repeats, folds))
    together = np.stack([drawn[r][cell[r]] for r in range(repeats)])[:, None, :]
    assert covariance_of_means(together, cell)[0, 0] >= shares * drawn.var(ddof=1)


def test_covariance_of_one_fold_is_that_of_people():
    values = np.random.default_rng(0).standard_normal((1, 3, 50))
    np.testing.assert_allclose(covariance_of_means(values, np.zeros((1, 50), int)), np.cov(values[0]) / 50)
