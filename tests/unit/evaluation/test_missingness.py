"""People are weighted where having every modality depends on the target, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.evaluation.missingness import LARGEST_WEIGHT, missingness


def test_weights_bring_back_the_mean_target_of_the_cohort():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 4000)
    complete = rng.random(4000) < 1 / (1 + np.exp((age - 50) / 15))
    found = missingness(age, complete)
    assert found.depends
    assert found.p_value < 1e-10
    assert age[complete].mean() < 45
    assert np.average(age[complete], weights=found.weights) == pytest.approx(age.mean(), abs=1)
    assert found.weights.mean() == pytest.approx(1)


def test_chance_gives_a_p_value_that_is_uniform():
    p = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        p.append(missingness(rng.uniform(20, 80, 200), rng.random(200) < 0.7).p_value)
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("n_complete", [200, 195, 5])
def test_few_people_tell_nothing(n_complete):
    found = missingness(np.linspace(20, 80, 200), np.arange(200) < n_complete)
    assert not found.depends
    np.testing.assert_array_equal(found.weights, np.ones(n_complete))


def test_nobody_stands_for_very_many():
    age = np.linspace(20, 80, 500)
    complete = age < 50
    complete[-10:] = True
    assert missingness(age, complete).weights.max() <= 1.5 * LARGEST_WEIGHT
