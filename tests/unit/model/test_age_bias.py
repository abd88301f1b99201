"""The correction of age bias inverts a line, and refuses where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.model.age_bias import AgeBias


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
