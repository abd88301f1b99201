"""Accuracy and paired differences of known errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from brainpid.evaluation.metrics import accuracy, paired_difference


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
