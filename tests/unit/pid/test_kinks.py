"""Bias at kinks against simulation."""

import numpy as np
import pytest
from pid_cases import MEASURES

from brainpid.core.modalities import subsets_of
from brainpid.pid import decompose_information
from brainpid.pid.atoms import atoms_of
from brainpid.pid.kinks import kink_bias


def case(m, single):
    names = tuple("abc"[:m])
    bits = np.array([sum(single[names.index(x)] for x in s) * (0.6 if len(s) > 1 else 1) for s in subsets_of(names)])
    factor = np.random.default_rng(m).standard_normal((len(bits), len(bits) + 1)) * 0.04 / np.sqrt(len(bits))
    return names, bits, factor @ factor.T


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("m", "single"), [(2, (0.3, 0.3)), (2, (0.3, 0.34)), (3, (0.3, 0.3, 0.3)), (3, (0.4, 0.33, 0.3))]
)
def test_the_bias_is_the_mean_of_draws_less_the_truth(m, single, measure):
    names, truth, covariance = case(m, single)
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(len(truth)), covariance, 20_000)
    draws = truth + np.concatenate([draws, -draws])
    atoms = atoms_of(truth, names, measure)
    bias = kink_bias(truth, covariance, names, measure, atoms)
    simulated = atoms_of(draws, names, measure)
    for found, one, exact in zip(bias, simulated, atoms, strict=True):
        # What curvature adds under idep is a tenth of it, and left.
        expected = one.term.value.mean() - exact.term.value
        assert found == pytest.approx(expected, abs=1e-3 if measure == "mmi" else 2e-3), one[:3]
    assert np.abs(bias).max() > 0.005 or measure == "idep"


@pytest.mark.parametrize("m", [2, 3])
def test_corrected_atoms_are_less_biased_and_add_up(m):
    names, truth, covariance = case(m, (0.3,) * m)
    draws = np.random.default_rng(1).multivariate_normal(truth, covariance, 60)
    redundant, plain = [], []
    for bits in draws:
        found = decompose_information(bits, covariance, names, 300)
        assert sum(row.bits for row in found.rows[1:] if row.scope == "all") == pytest.approx(bits[-1], abs=1e-12)
        row = found.atom("all", names, "redundant")
        redundant.append(row.bits)
        plain.append(row.bits_raw)
        assert row.ci_low < row.bits <= row.ci_high
    assert abs(np.mean(redundant) - 0.3) < 0.5 * abs(np.mean(plain) - 0.3)


def test_equal_copies_have_no_kink():
    covariance = np.full((3, 3), 0.01) + np.diag([0, 0, 0.01])
    bits = np.array([0.3, 0.3, 0.5])
    assert np.abs(kink_bias(bits, covariance, "ab", "mmi", atoms_of(bits, "ab", "mmi"))).max() < 1e-12
