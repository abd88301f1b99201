"""From informations and their covariance to rows: identities, widths, and what is refused."""

import numpy as np
import pytest
from pid_cases import MEASURES

from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.pid import decompose, decompose_information
from brainpid.pid.assemble import covariance_of_mean


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("m", [2, 3, 4])
def test_no_interval_is_missing_or_empty_and_all_add_up(m, measure):
    rng = np.random.default_rng(m)
    names = tuple("abcd"[:m])
    for strength in (0.0, 0.4):
        bits = strength * np.array([0.7 + 0.3 * len(s) for s in subsets_of(names)])
        factor = 0.03 * rng.standard_normal((len(bits), 3))  # of low rank, and singular
        found = decompose_information(bits, factor @ factor.T, names, 300, measure)
        for row in found.rows:
            assert row.ci_low <= row.bits <= row.ci_high
            assert row.ci_high - row.ci_low > 1 / 301
        for name in names:
            parts = ("unique", "rest_unique", "redundant", "synergy")
            total = sum(found.atom("one_vs_rest", name, part).bits for part in parts)
            assert total == pytest.approx(bits[-1], abs=1e-12)


def test_known_informations_have_no_interval_and_a_zero_covariance_an_empty_one():
    known = decompose_information([0.5, 0.2, 0.6], None, ("a", "b"), None)
    assert np.isnan([row.ci_low for row in known.rows]).all()
    exact = decompose_information([0.5, 0.2, 0.6], np.zeros((3, 3)), ("a", "b"), 300)
    assert all(row.ci_low == row.bits == row.ci_high for row in exact.rows)


def test_a_sample_is_decomposed_by_its_informations_and_their_covariance():
    rng = np.random.default_rng(0)
    y = rng.standard_normal(400)
    found = decompose({"a": y + rng.standard_normal(400), "b": y + 2 * rng.standard_normal(400)}, y, "idep")
    again = decompose_information(list(found.information.values()), found.covariance, found.modalities, 400, "idep")
    for one, other in zip(found.rows, again.rows, strict=True):
        assert (one.bits, one.se, one.ci_low, one.ci_high) == (other.bits, other.se, other.ci_low, other.ci_high)
    assert found.rows[0].se == pytest.approx(np.sqrt(found.covariance[-1, -1]))


def test_the_covariance_of_a_mean_is_that_of_the_sample_over_n():
    influence = np.random.default_rng(1).standard_normal((50, 3))
    covariance, rows = covariance_of_mean(influence, None)
    np.testing.assert_allclose(covariance, np.cov(influence, rowvar=False) / 50)
    assert rows == 1.0
    same, rows = covariance_of_mean(influence, np.arange(50))
    np.testing.assert_allclose(same, covariance)
    twice, rows = covariance_of_mean(np.repeat(influence, 2, axis=0), np.repeat(np.arange(50), 2))
    np.testing.assert_allclose(twice, covariance)
    assert rows == 2.0


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"informations have shape \(2,\); expected \(3,\)"):
        decompose_information([0.5, 0.2], np.eye(3), ("a", "b"), 300)
    with pytest.raises(InputError, match=r"covariance have shape \(2, 2\); expected \(3, 3\)"):
        decompose_information([0.5, 0.2, 0.6], np.eye(2), ("a", "b"), 300)
    with pytest.raises(InputError, match="1 of 3 numbers are missing"):
        decompose_information([0.5, np.nan, 0.6], np.eye(3), ("a", "b"), 300)
    with pytest.raises(InputError, match="negative variance"):
        decompose_information([0.5, 0.2, 0.6], -np.eye(3), ("a", "b"), 300)
