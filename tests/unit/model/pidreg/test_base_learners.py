"""Gaussian processes, forests and the weights that join them are what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_learners import TrainingPeople, base_learners_for, fit_base_learner
from brainpid.model.pidreg.normative import Products


def people(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {"a": np.tanh(g)[:, None] + rng.normal(size=(n, 3)), "b": g[:, None] + rng.normal(size=(n, 2))}, g


@pytest.mark.parametrize("name", ["normative", "normative_scores", "kernel", "forest", "boosting"])
def test_a_base_learner_predicts_nothing_from_what_is_missing(name):
    blocks, g = people()
    blocks["a"][::3] = np.nan
    fold = np.arange(80) % 4
    seed, products = np.random.SeedSequence(0), Products(blocks, fold)
    training = TrainingPeople(blocks, g, NormalScores.fit(g), fold, seed, products)
    learner, left_out = fit_base_learner(name, training)
    lacking = np.isnan(blocks["a"]).any(1)
    for found in (left_out, learner.read(blocks)):
        np.testing.assert_array_equal(np.isnan(found.together), lacking)
        np.testing.assert_array_equal(np.isnan(found.alone), np.column_stack([lacking, np.zeros(80, bool)]))
    own = ~lacking
    assert np.corrcoef(left_out.together[own], g[own])[0, 1] > 0.5


def test_what_is_worth_fitting_is_fitted_and_what_is_asked_for():
    cheap = ("normative", "normative_scores", "kernel")
    assert base_learners_for(False, ("auto",)) == cheap
    assert base_learners_for(True, ("auto",)) == (*cheap, "forest", "boosting")
    assert base_learners_for(True, ("auto",), share=True) == ("normative", "normative_scores", "boosting")
    assert base_learners_for(False, ("forest",)) == ("forest",)
    assert base_learners_for(True, ()) == ()
