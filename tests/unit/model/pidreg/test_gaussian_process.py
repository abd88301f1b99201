"""Gaussian processes of several modalities are those of scikit-learn, and predict people left out as without them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from brainpid.model.pidreg import gaussian_process
from brainpid.model.pidreg.gaussian_process import GaussianProcess


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


@pytest.fixture
def carried(monkeypatch):
    """A process of 90 people, nine of them without a modality, that so many of them carry."""

    def fit(number: int) -> tuple[GaussianProcess, np.ndarray]:
        monkeypatch.setattr(gaussian_process, "EXACT_ROWS", 0 if number else 1000)
        monkeypatch.setattr(gaussian_process, "INDUCING_ROWS", number)
        blocks, g = people(90)
        blocks["a"][:9] = np.nan
        return GaussianProcess.fit(blocks, g, np.arange(90) % 4, np.random.default_rng(0))

    return fit


def test_a_process_that_everybody_carries_is_the_exact_one(carried):
    new, _ = people(seed=1)
    exact, left_out = carried(0)
    whole, also_left_out = carried(90)
    # People who lack a modality have a variance of their own in the exact process, which no covariance carries.
    np.testing.assert_allclose(whole.predict(new), exact.predict(new), atol=0.05)
    np.testing.assert_allclose(also_left_out[9:], left_out[9:], atol=0.05)


def test_left_out_people_of_a_carried_process_are_predicted_without_them(carried):
    blocks, g = people(90)
    blocks["a"][:9] = np.nan
    process, left_out = carried(40)
    assert len(process.dual) == 40
    identity = np.eye(40)
    columns = [replace(process, mean=0.0, dual=row) for row in identity]
    between = np.column_stack([one.predict(blocks) for one in columns])
    prior = np.column_stack([one.predict(process.blocks) for one in columns])
    np.fill_diagonal(prior, np.exp(process.log_variance).sum() * (1 + 1e-6))
    fold = np.arange(90) % 4
    for k in range(4):
        own = fold == k
        inside = between[~own]
        dual = np.linalg.solve(
            inside.T @ inside + np.exp(process.log_noise) * prior, inside.T @ (g[~own] - process.mean)
        )
        np.testing.assert_allclose(left_out[own], process.mean + between[own] @ dual, atol=1e-6)


@pytest.mark.parametrize("exact_rows", [1500, 50])
def test_other_folds_are_left_out_by_the_hyperparameters_at_hand(monkeypatch, exact_rows):
    monkeypatch.setattr(gaussian_process, "EXACT_ROWS", exact_rows)
    blocks, g = people()
    fold = np.arange(80) % 4
    process, left_out = GaussianProcess.fit(blocks, g, fold, np.random.default_rng(0))
    np.testing.assert_allclose(process.leave_out(blocks, g, fold), left_out, atol=1e-10)
    assert np.abs(process.leave_out(blocks, g, fold[::-1] // 2) - left_out).max() > 1e-3
