"""Gaussian processes, forests and the weights that join them are what their formulas say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_learners import (
    TrainingPeople,
    base_learners_for,
    fit_base_learner,
    leave_sites_out,
)
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


@pytest.mark.parametrize("name", ["normative", "normative_scores", "kernel", "forest"])
def test_sites_are_left_out_with_what_was_chosen(name):
    """People of a site are predicted the same whatever their own targets are."""
    blocks, g = people()
    blocks["a"][::3] = np.nan
    fold, site = np.arange(80) % 4, np.arange(80) // 8
    training = TrainingPeople(blocks, g, NormalScores.fit(g), fold, np.random.SeedSequence(0), Products(blocks, fold))
    learner, _ = fit_base_learner(name, training)
    folds = site % 5
    told = []
    for target in (g, np.where(folds == 2, g[::-1], g)):
        leaving = replace(training, y=target, fold=folds, target_map=NormalScores.straight(g))
        at_new, left_out = leave_sites_out(name, learner, leaving, site)
        told.append(left_out.scores)
    own = folds == 2
    np.testing.assert_allclose(told[0][own], told[1][own], atol=0.02 if "normative" not in name else 0.1)
    assert np.nanmax(np.abs(told[0][~own] - told[1][~own])) > 0.1
    np.testing.assert_array_equal(np.isnan(told[0][:, -1]), np.isnan(blocks["a"]).any(1))
    assert at_new.read(blocks).scores.shape == told[0].shape


def test_what_is_worth_fitting_is_fitted_and_what_is_asked_for():
    cheap = ("normative", "normative_scores", "kernel")
    assert base_learners_for(False, ("auto",)) == cheap
    assert base_learners_for(True, ("auto",)) == (*cheap, "forest", "boosting")
    assert base_learners_for(True, ("auto",), share=True) == ("normative", "normative_scores", "boosting")
    assert base_learners_for(False, ("forest",)) == ("forest",)
    assert base_learners_for(True, ()) == ()
