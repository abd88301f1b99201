"""The correction of age bias inverts a line, and refuses where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.model.age_bias import AgeBias, AgeBiases, fit_age_biases


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
    found = AgeBiases(lines).correct(np.array([50.0, 50.0, 50.0]), ["t1", "dwi+t1", None], [None] * 3)
    np.testing.assert_allclose(found, [50, 50, np.nan])
    assert fit_age_biases({("t1",): told["t1",]}, age)["t1"].correct(told["t1",]) == pytest.approx(age)


def test_people_of_new_sites_have_lines_of_their_own_between_those_of_people_and_sites_left_out():
    age = np.linspace(20, 80, 50)
    told = {("t1",): 10 + 0.8 * age}, {("t1",): 30 + 0.4 * age}
    biases = AgeBiases.fit(*told, age)
    assert (biases.known["t1"].intercept, biases.known["t1"].slope) == pytest.approx((10, 0.8))
    assert (biases.new_sites["t1"].intercept, biases.new_sites["t1"].slope) == pytest.approx((20, 0.6))
    predicted = np.array([50.0, 50.0, 50.0, 50.0])
    found = biases.correct(predicted, ["t1", "t1", "t1", None], ["yes", "no", None, "no"])
    np.testing.assert_allclose(found, [50, 50, 50, np.nan])
    found = biases.correct(predicted + 6, ["t1", "t1", "t1", None], ["yes", "no", None, "no"])
    np.testing.assert_allclose(found, [57.5, 60, 57.5, np.nan])
    assert AgeBiases.read(biases.written()) == biases
    # Where nothing was learned of new sites, the lines of known ones are all that there is.
    alone = AgeBiases.fit(told[0], {}, age)
    assert list(alone.written()) == ["age_bias"]
    np.testing.assert_allclose(alone.correct(predicted[:2] + 6, ["t1", "t1"], ["yes", "no"]), 57.5)
    assert AgeBiases.read({}) == AgeBiases()
