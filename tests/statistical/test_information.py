"""Estimates against a planted truth: no bias, and intervals that cover what they say."""

import numpy as np
import pytest
from simulator import planted

from brainpid.pid import decompose, decompose_covariance
from brainpid.pid.estimation import covariance_of_zero, information_from_data

MODALITIES = ("t1", "dwi", "fmri")
TRUTHS = {
    "zero": planted(0.0, dict.fromkeys(MODALITIES, 0.0)),
    "weak": planted(0.05, {"t1": 0.03, "dwi": 0.01, "fmri": 0.01}),
    "moderate": planted(0.35, {"t1": 0.2, "dwi": 0.15, "fmri": 0.1}),
}


def test_simulator_draws_from_the_planted_covariance():
    truth = TRUTHS["moderate"]
    sources, target = truth.draw(200_000, np.random.default_rng(0))
    sample = np.cov(np.column_stack([target, *sources.values()]), rowvar=False)
    scale = np.sqrt(np.diag(truth.cov))
    assert np.abs((sample - truth.cov) / np.outer(scale, scale)).max() < 0.02
    bits = decompose_covariance(truth.cov, truth.dims).information
    for subset, value in bits.items():
        assert value == pytest.approx(truth.information(*(m for m in MODALITIES if m in subset)), abs=1e-10)


@pytest.mark.parametrize("strength", TRUTHS)
def test_total_information_is_unbiased(strength):
    truth = TRUTHS[strength]
    rng = np.random.default_rng(11)
    found = [information_from_data(*truth.draw(1000, rng, (20,))) for _ in range(10)]
    total = np.concatenate([f.bits[:, -1] for f in found])
    raw = np.concatenate([f.raw[:, -1] for f in found])
    assert len(total) == 200
    assert total.mean() == pytest.approx(truth.information(*MODALITIES), abs=0.01)
    # The correction is what removes the bias: without it the estimate is 0.0176 bits too high.
    assert raw.mean() - total.mean() == pytest.approx(0.017565, abs=1e-5)


@pytest.mark.parametrize("strength", ["weak", "moderate"])
def test_intervals_cover_the_truth(strength):
    truth = TRUTHS[strength]
    rows = {("all", "t1+dwi+fmri", "total")}
    rows |= {("one_vs_rest", m, atom) for m in MODALITIES for atom in ("added", "unique")}
    expected = decompose_covariance(truth.cov, truth.dims, "idep")
    rng = np.random.default_rng(23)
    covered = dict.fromkeys(sorted(rows), 0)
    draws = 500
    for _ in range(draws):
        found = decompose(*truth.draw(1000, rng), "idep")
        for row in rows:
            interval = found.atom(*row)
            covered[row] += interval.ci_low <= expected.atom(*row).bits <= interval.ci_high
    for atom in ("total", "added", "unique"):
        share = np.mean([count / draws for row, count in covered.items() if row[2] == atom])
        assert 0.92 <= share <= 0.98, (atom, covered)


def test_the_standard_error_of_nothing_is_exact():
    # Influences vanish where the information is zero; the spread of the estimate does not.
    rng = np.random.default_rng(5)
    n, dims = 200, {"t1": 3, "dwi": 2}
    sources = {m: rng.standard_normal((4000, n, d)) for m, d in dims.items()}
    found = information_from_data(sources, rng.standard_normal((4000, n)))
    expected = covariance_of_zero(tuple(dims), [3, 2, 5], n)
    assert np.cov(found.bits, rowvar=False) == pytest.approx(expected, rel=0.15, abs=0.05 * expected.max())
