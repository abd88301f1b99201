"""Pooling over cohorts against direct integration, its limits, and its coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from brainpid.core.errors import InputError
from brainpid.evaluation.random_effects import (
    COMMON,
    RELATIVE_HETEROGENEITY,
    pool,
    pool_decompositions,
    pool_information,
)
from brainpid.pid import decompose_covariance, decompose_information

SCALE = 0.15


def test_pooling_is_the_integral_over_tau_and_the_mean():
    y, se, n = np.array([0.2, 0.5, 0.35]), np.array([0.05, 0.08, 0.1]), np.array([400, 100, 200])
    found = pool(y, se, n, SCALE)
    variance = np.mean(n * se**2) / n
    mu, tau = np.linspace(-1.5, 2.2, 1500), np.linspace(0, 1.0, 1200)[1:]
    log = np.zeros((len(tau), len(mu)))
    for one, v in zip(y, variance, strict=True):
        log += stats.norm.logpdf(one, mu, np.sqrt(v + tau[:, None] ** 2))
    joint = np.exp(log) * stats.halfnorm.pdf(tau, scale=SCALE)[:, None]
    joint /= joint.sum()
    of_mu, of_tau = joint.sum(axis=0), joint.sum(axis=1)
    assert found.estimate == pytest.approx(of_mu @ mu, abs=1e-3)
    assert found.se == pytest.approx(np.sqrt(of_mu @ (mu - of_mu @ mu) ** 2), abs=1e-3)
    assert (found.ci_low, found.ci_high) == pytest.approx(np.interp([0.025, 0.975], np.cumsum(of_mu), mu), abs=4e-3)
    quantiles = np.interp([0.5, 0.025, 0.975], np.cumsum(of_tau), tau)
    assert (found.tau, found.tau_low, found.tau_high) == pytest.approx(quantiles, abs=2e-3)
    assert np.dot(found.weights, y) == pytest.approx(found.estimate)
    assert sum(found.weights) == pytest.approx(1)


def test_without_heterogeneity_it_is_the_fixed_effect():
    y, n = np.array([0.2, 0.24, 0.3]), np.array([100, 300, 200])
    found = pool(y, 1 / np.sqrt(n), n, 1e-6)
    assert found.estimate == pytest.approx(n @ y / n.sum(), abs=1e-6) == found.fixed
    assert found.fixed_se == pytest.approx(1 / np.sqrt(600))
    assert found.ci_high - found.estimate == pytest.approx(1.959964 / np.sqrt(600), rel=1e-4)
    assert found.tau_high < 1e-5


def test_many_cohorts_that_differ_have_their_own_mean_and_spread():
    rng = np.random.default_rng(3)
    y = 0.5 + 0.2 * rng.standard_normal(60)
    found = pool(y, np.full(60, 0.01), np.full(60, 500), SCALE)
    assert found.estimate == pytest.approx(y.mean(), abs=1e-3)
    assert found.tau == pytest.approx(y.std(ddof=1), rel=0.05)
    assert found.predicted_high - found.predicted_low == pytest.approx(2 * 1.96 * y.std(ddof=1), rel=0.1)


def test_weights_follow_n_and_not_the_estimated_errors():
    found = pool([0.2, 0.21, 0.22], [0.01, 0.5, 0.1], [100, 100, 300], 1e-6)
    np.testing.assert_allclose(found.weights, [0.2, 0.2, 0.6], rtol=1e-6)


def test_two_cohorts_have_an_interval_that_says_something():
    """The interval of Hartung and Knapp is 1.3 bits wide here, and [0.00, 24.27] years."""
    assert np.ptp([*interval(pool([0.5, 0.52], [0.05, 0.05], [300, 300], SCALE))]) < 0.45
    error = np.array([4.3, 5.6])
    low, high = interval(pool(error, [0.2, 0.3], [300, 200], RELATIVE_HETEROGENEITY * error.mean()))
    assert 2 < low < 4.3 < 5.6 < high < 8


def interval(found):
    return found.ci_low, found.ci_high


@pytest.mark.parametrize(("k", "tau"), [(2, 0.0), (3, 0.15), (6, 0.05), (20, 0.15)])
def test_pooled_intervals_cover(k, tau):
    rng = np.random.default_rng(k)
    hits = widths = 0.0
    for _ in range(150):
        n = rng.integers(150, 600, k)
        y = 0.4 + tau * rng.normal(size=k) + rng.normal(size=k) / np.sqrt(n)
        low, high = interval(pool(y, 1 / np.sqrt(n), n, SCALE))
        hits, widths = hits + (low <= 0.4 <= high), widths + high - low
    assert hits / 150 >= 0.9
    if k == 2:
        assert widths / 150 < 0.45


def cohorts(rng, k, truth, tau=0.0, sd=0.6):
    """Estimated informations of k cohorts, their covariances and sizes."""
    size = len(truth)
    sampling = sd**2 * (0.5 * np.eye(size) + 0.5)
    n = rng.integers(150, 600, k)
    shift = tau * rng.normal(size=(k, 1))
    y = truth + shift + np.stack([rng.multivariate_normal(np.zeros(size), sampling / m) for m in n])
    return y, sampling / n[:, None, None], n


def test_one_information_is_pooled_as_one_estimate():
    rng = np.random.default_rng(0)
    y, n = rng.normal(0.5, 0.1, 5), rng.integers(100, 400, 5)
    one, joint = pool(y, 1 / np.sqrt(n), n, SCALE), pool_information(y[:, None], 1 / n[:, None, None], n, SCALE)
    assert joint.bits[0] == pytest.approx(one.estimate, abs=1e-9)
    assert np.sqrt(joint.covariance[0, 0]) == pytest.approx(one.se, rel=1e-6)
    assert (joint.tau, joint.tau_high) == pytest.approx((one.tau, one.tau_high))
    assert joint.n == n.sum()


def test_informations_are_pooled_as_by_direct_integration():
    y, cov, n = cohorts(np.random.default_rng(1), 4, np.array([0.5, 0.3, 0.6]), tau=0.2)
    sampling = np.mean(n[:, None, None] * cov, axis=0)
    parts = []
    for common in COMMON:
        structure = (1 - common) * np.eye(3) + common
        for tau in (np.arange(400) + 0.5) / 400:
            total = sampling / n[:, None, None] + tau**2 * structure
            precision = np.linalg.inv(total)
            variance = np.linalg.inv(precision.sum(axis=0))
            mean = variance @ np.einsum("kij,kj->i", precision, y)
            misfit = np.einsum("ki,kij,kj->", y - mean, precision, y - mean)
            log = 0.5 * (np.linalg.slogdet(variance)[1] - np.linalg.slogdet(total)[1].sum() - misfit)
            parts.append((log + stats.halfnorm.logpdf(tau, scale=SCALE), mean, variance, tau**2 * structure))
    log, means, variances, structures = (np.array(column) for column in zip(*parts, strict=True))
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = weight @ means
    spread = np.einsum("p,pi,pj->ij", weight, means - mean, means - mean) + np.tensordot(weight, variances, 1)
    found = pool_information(y, cov, n, SCALE)
    np.testing.assert_allclose(found.bits, mean, atol=1e-4)
    np.testing.assert_allclose(found.covariance, spread, atol=1e-4)
    np.testing.assert_allclose(found.heterogeneity, np.tensordot(weight, structures, 1), atol=3e-4)
    np.testing.assert_allclose(found.fixed, n @ y / n.sum())
    np.testing.assert_allclose(found.fixed_covariance, sampling / n.sum())


def test_atoms_of_many_equal_cohorts_are_unbiased_at_a_kink():
    """The mean of the minima of 20 cohorts is .03 bits too low; the minimum of the means is not."""
    rng, truth = np.random.default_rng(2), np.array([0.4, 0.4, 0.6])
    redundant = []
    for _ in range(30):
        found = pool_information(*cohorts(rng, 20, truth, sd=1.2), SCALE)
        pooled = decompose_information(found.bits, found.covariance, ("t1", "dwi"), found.n)
        redundant.append(pooled.atom("all", "t1+dwi", "redundant").bits)
    assert np.mean(redundant) == pytest.approx(0.4, abs=0.01)


def test_decompositions_are_pooled_before_their_atoms_are_formed():
    rng, truth = np.random.default_rng(4), np.array([0.4, 0.4, 0.6])
    y, cov, n = cohorts(rng, 5, truth, tau=0.1)
    own = [decompose_information(*each[:2], ("t1", "dwi"), int(each[2])) for each in zip(y, cov, n, strict=True)]
    found = pool_decompositions(own, "idep", SCALE)
    joint = pool_information(y, cov, n, SCALE)
    expected = decompose_information(joint.bits, joint.covariance, ("t1", "dwi"), joint.n, "idep")
    assert found.random.to_frame().equals(expected.to_frame())
    assert found.tau == joint.tau
    for row, other in zip(found.random.rows, found.predicted, strict=True):
        assert other.low <= row.ci_low
        assert row.ci_high <= other.high
    assert found.fixed.rows[0].se < found.random.rows[0].se
    with pytest.raises(InputError, match="cannot be pooled"):
        pool_decompositions([own[0], decompose_covariance(np.eye(3), {"t1": 1, "fmri": 1})], "mmi", SCALE)
    with pytest.raises(InputError, match="without a sampling covariance"):
        pool_decompositions([own[0], decompose_covariance(np.eye(3), {"t1": 1, "dwi": 1})], "mmi", SCALE)


def test_what_cannot_be_pooled_is_refused():
    with pytest.raises(InputError, match="at least 2 cohorts"):
        pool([0.1], [0.1], [100], SCALE)
    with pytest.raises(InputError, match="scale of the heterogeneity between cohorts is 0"):
        pool([0.1, 0.2], [0.1, 0.1], [100, 100], 0)
    with pytest.raises(InputError, match=r"of k = 2 cohorts or more, found \(1, 3\)"):
        pool_information(np.zeros((1, 3)), np.zeros((1, 3, 3)), [100], SCALE)
    with pytest.raises(InputError, match="needs finite numbers"):
        pool_information(np.full((2, 3), np.nan), np.zeros((2, 3, 3)), [100, 100], SCALE)
