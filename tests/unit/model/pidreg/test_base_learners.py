"""Gaussian processes, forests and the weights that join them are what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.transforms import NormalScores
from brainpid.model import PIDReg
from brainpid.model.pidreg.base_learners import TrainingPeople, base_learners_for, fit_base_learner


def people(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {"a": np.tanh(g)[:, None] + rng.normal(size=(n, 3)), "b": g[:, None] + rng.normal(size=(n, 2))}, g


@pytest.mark.parametrize("name", ["normative", "kernel", "forest", "boosting"])
def test_a_base_learner_predicts_nothing_from_what_is_missing(name):
    blocks, g = people()
    blocks["a"][::3] = np.nan
    training = TrainingPeople(blocks, g, NormalScores.fit(g), np.arange(80) % 4, np.random.SeedSequence(0))
    learner, left_out = fit_base_learner(name, training)
    lacking = np.isnan(blocks["a"]).any(1)
    for found in (left_out, learner.read(blocks)):
        np.testing.assert_array_equal(np.isnan(found.together), lacking)
        np.testing.assert_array_equal(np.isnan(found.alone), np.column_stack([lacking, np.zeros(80, bool)]))
    own = ~lacking
    assert np.corrcoef(left_out.together[own], g[own])[0, 1] > 0.5


def test_base_learners_suit_the_number_of_people():
    assert base_learners_for(300, 300, ("auto",)) == ("normative", "kernel")
    assert base_learners_for(1500, 1500, ("auto",)) == ("normative", "kernel", "forest", "boosting")
    assert base_learners_for(5000, 5000, ("auto",)) == ("normative", "forest", "boosting")
    assert base_learners_for(300, 300, ("forest",)) == ("forest",)
    assert base_learners_for(300, 300, ()) == ()


def test_everybody_who_would_enter_the_matrix_of_a_process_counts():
    """1,900 people with every modality and 8,000 with T1 alone would make matrices of 9,900 by 9,900."""
    assert base_learners_for(9900, 1900, ("auto",)) == ("normative", "forest", "boosting")
    assert base_learners_for(9900, 900, ("auto",)) == ("normative",)
    assert base_learners_for(9900, 1900, ("kernel",)) == ("kernel",)


def test_a_fit_asks_with_everybody_who_has_a_modality(monkeypatch):
    asked = []
    monkeypatch.setattr("brainpid.model.pidreg.estimator.base_learners_for", lambda *args: asked.append(args[:2]) or ())
    blocks, g = people(60)
    blocks["a"][:30] = np.nan
    blocks["b"][:5] = np.nan
    PIDReg(members=2, epochs=1, hidden=(4,)).fit(blocks, g)
    assert asked == [(55, 30)]
