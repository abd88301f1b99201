"""Gaussian processes, forests and the weights that join them are what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from brainpid.crossfit.transforms import NormalScores
from brainpid.model import PIDReg
from brainpid.model.pidreg.base_learners import TrainingPeople, base_learners_for, fit_base_learner
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.gaussian_process import GaussianProcess
from brainpid.model.pidreg.stacking import Stack, equal_drawn_weights
from brainpid.model.pidreg.trees import BOOSTING, RANDOMISED, Trees


def people(n: int = 80, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {"a": np.tanh(g)[:, None] + rng.normal(size=(n, 3)), "b": g[:, None] + rng.normal(size=(n, 2))}, g


def test_a_process_of_one_modality_is_that_of_scikit_learn():
    blocks, g = people()
    block = {"b": blocks["b"]}
    process, _ = GaussianProcess.fit(block, g, np.arange(80) % 5, np.random.default_rng(0))
    # scikit-learn's length scale is of the distance, ours of the root mean squared difference.
    length = np.exp(process.log_length[0]) * np.sqrt(2)
    kernel = ConstantKernel(np.exp(process.log_variance[0])) * Matern(length, nu=1.5) + WhiteKernel(
        np.exp(process.log_noise)
    )
    reference = GaussianProcessRegressor(kernel, optimizer=None).fit(block["b"], g - g.mean())
    new, _ = people(seed=1)
    np.testing.assert_allclose(process.predict({"b": new["b"]}), g.mean() + reference.predict(new["b"]), atol=1e-8)


def test_left_out_people_are_predicted_as_by_a_process_without_them():
    blocks, g = people()
    blocks["a"][:9] = np.nan
    fold = np.arange(80) % 4
    process, left_out = GaussianProcess.fit(blocks, g, fold, np.random.default_rng(0))
    held = {name: getattr(process, name) for name in ("terms", "mean", "log_variance", "log_length", "log_noise")}
    for k in range(4):
        inside = fold == k
        training = {m: block[~inside] for m, block in blocks.items()}
        covariance = gram(process, training) + np.exp(process.log_noise) * np.eye((~inside).sum())
        dual = np.linalg.solve(covariance, g[~inside] - process.mean)
        without = GaussianProcess(**held, blocks=training, dual=dual)
        np.testing.assert_allclose(
            left_out[inside], without.predict({m: b[inside] for m, b in blocks.items()}), atol=1e-8
        )


def gram(process: GaussianProcess, blocks: dict[str, np.ndarray]) -> np.ndarray:
    """Covariance among people, with each person's own variance on the diagonal whatever is missing."""
    n = len(blocks["a"])
    columns = []
    for row in np.eye(n):
        one = GaussianProcess(
            process.terms, blocks, 0.0, process.log_variance, process.log_length, process.log_noise, row
        )
        columns.append(one.predict(blocks))
    found = np.column_stack(columns)
    np.fill_diagonal(found, np.exp(process.log_variance).sum())
    return found


def test_a_modality_that_nobody_has_changes_nothing_but_the_noise():
    blocks, g = people()
    alone, _ = GaussianProcess.fit({"b": blocks["b"]}, g, np.arange(80) % 5, np.random.default_rng(0))
    blocks["a"][:] = np.nan
    both, _ = GaussianProcess.fit(blocks, g, np.arange(80) % 5, np.random.default_rng(0))
    np.testing.assert_allclose(both.predict(blocks), alone.predict({"b": blocks["b"]}), atol=0.02)


@pytest.mark.parametrize(
    ("grow", "reference"),
    [
        (Trees.randomised, ExtraTreesRegressor(**RANDOMISED, random_state=3)),
        (Trees.boosted, HistGradientBoostingRegressor(**BOOSTING, random_state=3)),
    ],
)
def test_trees_of_arrays_are_those_of_scikit_learn(grow, reference):
    blocks, g = people(300)
    table, new = (
        np.column_stack(list(b.values())).astype(np.float32).astype(float) for b in (blocks, people(50, 1)[0])
    )
    trees = grow({"all": table}, g, 3)
    np.testing.assert_allclose(trees.predict({"all": new}), reference.fit(table, g).predict(new), rtol=1e-10)


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


def test_weights_favour_the_better_prediction_and_share_between_equals():
    rng = np.random.default_rng(0)
    g = rng.normal(size=2000)
    good, bad = g + 0.3 * rng.normal(size=2000), g + 3 * rng.normal(size=2000)
    weights = equal_drawn_weights(np.column_stack([good, bad]), g)
    assert weights[0] > 0.7
    assert 0 <= weights[1] < 0.1
    np.testing.assert_allclose(equal_drawn_weights(np.column_stack([g, g]), g), 0.5, atol=1e-6)


def test_the_head_of_a_subset_is_the_full_head_after_filling_in_the_conditional_mean():
    rng = np.random.default_rng(1)
    g = rng.normal(size=500)
    alone = g[:, None] + rng.normal(size=(500, 3)) @ np.array([[1, 0.4, 0], [0, 1, 0.3], [0, 0, 1]])
    found = Stack.fit([BasePredictions(g + rng.normal(size=500), alone)], g, NormalScores.straight(g))
    latents = found.latents([BasePredictions(g, alone)])
    pattern = np.array([True, False, True])
    mean, covariance = found.mean[1:], found.covariance[1:, 1:]
    slope = covariance[1, [0, 2]] @ np.linalg.inv(covariance[np.ix_([0, 2], [0, 2])])
    filled = latents.copy()
    filled[:, 1] = mean[1] + (latents[:, [0, 2]] - mean[[0, 2]]) @ slope
    np.testing.assert_allclose(found.head(latents, pattern), found.head(filled, np.ones(3, bool)), atol=1e-9)
