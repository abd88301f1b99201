"""The correction of age bias inverts a line, and refuses where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.model.age_bias import AgeBias, correct_predictions, fit_age_biases


def test_age_bias_inverts_a_known_line():
    age = np.linspace(20, 80, 50)
    bias = AgeBias.fit(20 + 0.6 * age, age)
    assert (bias.intercept, bias.slope) == pytest.approx((20, 0.6))
    np.testing.assert_allclose(bias.correct(20 + 0.6 * age), age)


def test_a_prediction_that_knows_nothing_is_not_corrected_into_accuracy():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 500)
    bias = AgeBias.fit(rng.normal(50, 2, 500), age)
    assert not bias.correctable
    assert np.isnan(bias.correct([50.0])).all()


def test_each_pattern_of_modalities_has_its_own_line():
    age = np.linspace(20, 80, 50)
    lacking = np.where(age < 30, np.nan, 0.0)
    told = {("t1",): 40 + 0.2 * age, ("t1", "dwi"): 10 + 0.8 * age + lacking}
    lines = fit_age_biases(told, age)
    assert lines["t1"].slope == pytest.approx(0.2)
    assert lines["t1+dwi"].slope == pytest.approx(0.8)  # of the people who have both
    found = correct_predictions(lines, np.array([50.0, 50.0, 50.0]), ["t1", "dwi+t1", None])
    np.testing.assert_allclose(found, [50, 50, np.nan])
    assert fit_age_biases({("t1",): told["t1",]}, age)["t1"].correct(told["t1",]) == pytest.approx(age)
