"""Pooling over cohorts against closed forms, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from brainpid.core.errors import InputError
from brainpid.evaluation.random_effects import pool


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
