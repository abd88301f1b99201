"""A few people of a new site: what is shrunken to what, and that nobody's own target is in it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from brainpid.model.local_people import (
    NOBODY,
    Factor,
    Raw,
    SiteSpread,
    correct,
    line_of,
    sums_of,
)

ONE = Factor(1.0, 1.0)
OFFSETS = SiteSpread(
    offset=4.0, slope=1e-6, correlation=0.0, scatter=5.0, scatter_spread=1e-9, centre=50.0, spread=10.0, apart=1.0,
    half_width=8.0, coverage=0.9, width=ONE, error=ONE, sites=20, people=400,
)  # fmt: skip
"""Sites that differ in offset alone, with one scatter."""


def raw(predicted: np.ndarray, half: float = 8.0) -> Raw:
    return Raw(predicted, predicted - half, predicted + half, np.full(len(predicted), half))


def test_nobody_leaves_predictions_and_gives_the_widths_of_sites_left_out():
    new = raw(np.array([20.0, 50.0, 90.0]))
    told = correct(OFFSETS, NOBODY, new, 0.9)
    np.testing.assert_array_equal(told.predicted, new.predicted)
    half = norm.ppf(0.95) * np.sqrt(4**2 + 5**2)
    np.testing.assert_allclose(told.high - told.predicted, half, rtol=1e-6)
    np.testing.assert_allclose(told.predicted - told.low, half, rtol=1e-6)
    np.testing.assert_allclose(told.expected_error, np.sqrt(2 / np.pi) * np.sqrt(41), rtol=1e-6)
    assert line_of(OFFSETS, NOBODY) == (0.0, 0.0, 50.0)


@pytest.mark.parametrize("k", [1, 4, 25])
def test_the_offset_is_shrunken_and_the_interval_is_that_of_the_posterior_predictive(k):
    """k people off by 6: 6 x 16 / (16 + 25 / k), with the variance 16 x 25 / (25 + 16 k) + 25 of one more."""
    known = raw(np.linspace(40, 60, k))
    sums = sums_of(known, known.predicted + 6, OFFSETS)
    told = correct(OFFSETS, sums, raw(np.array([45.0])), 0.9)
    assert told.predicted[0] - 45 == pytest.approx(6 * 16 / (16 + 25 / k), rel=1e-5)
    variance = 16 * 25 / (25 + 16 * k) + 25
    assert told.high[0] - told.predicted[0] == pytest.approx(norm.ppf(0.95) * np.sqrt(variance), rel=1e-5)


def test_many_people_leave_the_line_and_the_scatter_of_the_site():
    rng = np.random.default_rng(0)
    spread = OFFSETS.model_copy(update={"slope": 4.0, "scatter_spread": 0.6})
    predicted = rng.uniform(20, 80, 20000)
    y = predicted + 7 - 0.3 * (predicted - 50) + rng.normal(0, 2, 20000)
    sums = sums_of(raw(predicted), y, spread)
    told = correct(spread, sums, raw(np.array([30.0, 70.0])), 0.9)
    np.testing.assert_allclose(told.predicted, [43, 71], atol=0.1)
    np.testing.assert_allclose(told.high - told.low, 2 * norm.ppf(0.95) * 2, rtol=0.03)
    offset, slope, at = line_of(spread, sums)
    assert offset - slope * at == pytest.approx(22, abs=0.2)
    assert slope == pytest.approx(-0.3, abs=0.01)


def test_intervals_widen_as_people_lack_and_keep_their_shape():
    rng = np.random.default_rng(1)
    known = raw(rng.uniform(40, 60, 20))
    y = known.predicted + 3 + rng.normal(0, 5, 20)
    new = Raw(np.array([50.0]), np.array([46.0]), np.array([62.0]), np.array([8.0]))
    widths = []
    for k in (0, 1, 5, 20):
        told = correct(OFFSETS, sums_of(known.of(np.arange(k)), y[:k], OFFSETS), new, 0.9)
        widths.append(float(told.high[0] - told.low[0]))
        assert (told.high - told.predicted) / (told.predicted - told.low) == pytest.approx(12 / 4)
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4


def test_a_person_with_a_wide_interval_counts_less_and_keeps_a_wide_one():
    """Half-widths of 8 and 16, off by 0 and 10: weights 1 and 1/4, so that the mean is 2, of 1.25 people's worth."""
    known = Raw(np.full(2, 50.0), np.array([42.0, 34.0]), np.array([58.0, 66.0]), np.array([8.0, 16.0]))
    sums = sums_of(known, np.array([50.0, 60.0]), OFFSETS)
    told = correct(OFFSETS, sums, known, 0.9)
    np.testing.assert_allclose(told.predicted - 50, 2 * 16 / (16 + 25 / 1.25), rtol=1e-5)
    assert told.high[1] - told.low[1] > 1.7 * (told.high[0] - told.low[0])


def test_factors_pass_from_that_of_nobody_to_that_of_some():
    factor = Factor(0.7, 1.1)
    assert factor.at(0) == 0.7
    assert factor.at(1) == pytest.approx(0.9)
    assert factor.at(1000) == pytest.approx(1.1, abs=1e-3)
    spread = OFFSETS.model_copy(update={"width": Factor(2.0, 1.0), "error": Factor(0.5, 1.0)})
    plain, told = (correct(own, NOBODY, raw(np.array([50.0])), 0.9) for own in (OFFSETS, spread))
    assert told.high[0] - told.low[0] == pytest.approx(2 * (plain.high[0] - plain.low[0]))
    assert told.expected_error[0] == pytest.approx(0.5 * plain.expected_error[0])
