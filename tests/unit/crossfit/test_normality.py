"""Normal people raise no doubt; heavy tails, skewness and bent relations do."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import NumericalError
from brainpid.crossfit.normality import check_normality, squared_mahalanobis
from brainpid.crossfit.transforms import normal_scores


def latents(rng: np.random.Generator, n: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    y = rng.normal(size=n)
    return {m: gain * y + rng.normal(size=(2, n)) for m, gain in (("t1", 1.0), ("dwi", 0.5))}, normal_scores(y)


def test_normal_people_raise_a_doubt_in_few_samples():
    rng = np.random.default_rng(0)
    found = [check_normality(*latents(rng, n)) for n in (100, 300, 1000) for _ in range(50)]
    assert sum(bool(one.doubts) for one in found) <= 2
    assert np.mean([one.kurtosis_ratio for one in found]) == pytest.approx(1, abs=0.02)
    assert np.mean([one.skewness_p < 0.05 for one in found]) < 0.1


def test_a_useless_modality_whose_scale_differs_between_folds_raises_no_doubt():
    rng = np.random.default_rng(1)
    values, score = latents(rng, 500)
    values["fmri"] = rng.normal(size=(2, 500)) * np.repeat(10.0 ** np.arange(5), 100)
    assert check_normality(values, score).doubts == ()


@pytest.mark.parametrize(
    ("bend", "word"),
    [
        (lambda z, rng: z * rng.chisquare(3, len(z)) ** -0.5, "heavier"),
        (lambda z, rng: np.exp(z), "skewed"),
        (lambda z, rng: np.sign(z) * np.abs(z) ** 5, "ranked latents"),
    ],
)
def test_departures_are_named(bend, word):
    rng = np.random.default_rng(2)
    y = rng.normal(size=1000)
    z = bend(y + 0.5 * rng.normal(size=1000), rng)
    found = check_normality({"t1": z[None], "dwi": rng.normal(size=(1, 1000))}, normal_scores(y))
    assert word in "; ".join(found.doubts)


def test_distances_are_those_of_two_normal_variables():
    distances = squared_mahalanobis(*latents(np.random.default_rng(3), 5000))
    assert distances.shape == (2, 5000)
    assert distances.mean() == pytest.approx(2, abs=1e-9)
    assert np.mean(distances > 5.991) == pytest.approx(0.05, abs=0.01)


def test_a_latent_that_is_the_target_cannot_be_judged():
    y = np.random.default_rng(4).normal(size=50)
    with pytest.raises(NumericalError, match="collinear: n = 50, d = 2, condition number"):
        check_normality({"t1": y[None], "dwi": np.ones((1, 50))}, y)
