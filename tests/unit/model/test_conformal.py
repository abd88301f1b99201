"""Conformal intervals: the right order statistic, coverage, and width where errors are large."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.model.conformal import AdaptiveConformal


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
