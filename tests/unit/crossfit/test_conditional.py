"""Draws of a modality given the others: what is kept, what is lost, and the same reader however it is computed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import brainpid.crossfit.conditional as conditional
from brainpid.crossfit.conditional import latents_of_draws, leading_components, ridge_reader
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.ridge import RidgeEncoder

N = 90


def people() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.uniform(20, 80, N)
    rest = (y[:, None] - 50) / 17 + rng.normal(size=(N, 5))
    blocks = {"own": rest @ rng.normal(size=(5, 4)) + rng.normal(size=(N, 4)), "rest": rest}
    return blocks, y, rng.permutation(np.arange(N) % 4)


@pytest.mark.parametrize("width", [3, 60, 200])
def test_stacked_ridges_are_the_ridge_encoder(width):
    """Of features of unit variance in every fold; also of more features than people."""
    rng = np.random.default_rng(width)
    y, fold = rng.normal(size=N), np.sort(np.arange(N) % 3)
    features = np.stack([0.2 * y[:, None] + rng.normal(size=(N, width)) for _ in range(2)])
    found = ridge_reader(y, fold)(features)
    for x, latent in zip(features, found, strict=True):
        expected = np.empty(N)
        for k in range(3):
            own = fold == k
            scores = conditional.scores_within(y[None, ~own])
            expected[own] = RidgeEncoder()({"x": x[~own]}, scores, {"x": x[own]})["x"][0, :, 0]
        np.testing.assert_allclose(latent, expected, atol=1e-8)


def test_components_keep_all_inner_products_of_centred_features():
    x = np.random.default_rng(0).normal(size=(20, 30)) + 5
    scores = leading_components(x, 100)
    centred = x - x.mean(axis=0)
    assert scores.shape == (20, 19)
    np.testing.assert_allclose(scores @ scores.T, centred @ centred.T, atol=1e-9)
    assert leading_components(x, 4).shape == (20, 4)


def test_draws_of_a_function_of_the_others_are_itself():
    blocks, y, fold = people()
    blocks["own"] = blocks["rest"] @ np.ones((5, 2)) + 3 * blocks["rest"][:, :2]
    orders = np.stack([np.arange(N), np.random.default_rng(1).permutation(N)])
    found = latents_of_draws(blocks, "own", y, fold, orders, RidgeEncoder(), 0)
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)


def test_draws_keep_what_the_others_tell_and_lose_the_rest():
    blocks, y, fold = people()
    rng = np.random.default_rng(2)
    blocks["own"] = np.column_stack([blocks["rest"][:, 0] + 0.3 * rng.normal(size=N), y + rng.normal(size=N)])
    orders = np.stack([np.arange(N), *(rng.permutation(N) for _ in range(20))])
    found = latents_of_draws(blocks, "own", y, fold, orders, RidgeEncoder(), 0)
    r = [np.corrcoef(latent, y)[0, 1] for latent in found]
    assert r[0] > 0.97
    assert 0.6 < np.mean(r[1:]) < 0.9


def test_pieces_and_the_order_of_people_do_not_matter(monkeypatch):
    blocks, y, fold = people()
    rng = np.random.default_rng(3)
    orders = np.stack([np.arange(N), *(rng.permutation(N) for _ in range(6))])
    whole = latents_of_draws(blocks, "own", y, fold, orders, RidgeEncoder(), 0)
    monkeypatch.setattr(conditional, "_CELLS", 2 * N * 4)
    np.testing.assert_allclose(latents_of_draws(blocks, "own", y, fold, orders, RidgeEncoder(), 0), whole, atol=1e-12)
    shuffled = rng.permutation(N)
    again = latents_of_draws(
        {m: x[shuffled] for m, x in blocks.items()}, "own", y[shuffled], fold[shuffled],
        np.arange(N)[None], RidgeEncoder(), 0,
    )  # fmt: skip
    np.testing.assert_allclose(again[0], whole[0][shuffled], atol=1e-8)


def test_other_encoders_read_the_same_draws():
    """A ridge that is not known as one is fitted draw by draw, through the interface of all encoders."""

    def ridge(training, scores, new, seed):
        return RidgeEncoder()(training, scores, new, seed)

    blocks, y, fold = people()
    orders = np.stack([np.arange(N), np.random.default_rng(1).permutation(N)])
    slow, fast = (latents_of_draws(blocks, "own", y, fold, orders, encoder, 0) for encoder in (ridge, RidgeEncoder()))
    np.testing.assert_allclose(slow[0], cross_fit(blocks, y[None], fold, RidgeEncoder(), 0)["own"][0, :, 0], atol=1e-8)
    assert np.corrcoef(slow[1], fast[1])[0, 1] > 0.99


@pytest.mark.parametrize("seed", [8, 39])
def test_others_with_more_features_than_people_leave_something_to_exchange(seed):
    """They follow anything; a draw would be the observation, and nothing could be shown to add."""
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(size=(2, 60))
    shared = rng.normal(size=(60, 3))
    own, others = (
        np.outer(signal, rng.normal(size=p)) + shared @ rng.normal(size=(3, p)) + rng.normal(size=(60, p))
        for signal, p in ((ours, 40), (theirs, 380))
    )
    leading = leading_components(own, 1)
    fitted, residual = conditional._parts(leading, others)
    np.testing.assert_allclose(fitted + residual, leading)
    assert (residual**2).sum() / (leading**2).sum() > 0.1  # 0.0003 with fits that may interpolate


def test_draws_keep_what_controls_tell_of_a_modality():
    rng = np.random.default_rng(3)
    own, others = rng.normal(size=(80, 3)), rng.normal(size=(80, 2))
    design = ControlDesign.of({"site": pd.Series([str(k % 4) for k in range(80)])})
    own += 5 * rng.normal(size=(4, 3))[np.arange(80) % 4]
    fitted, residual = conditional._parts(own, others, design.less)
    np.testing.assert_allclose(fitted + residual, own, atol=1e-12)
    assert max(abs(residual[np.arange(80) % 4 == k].mean()) for k in range(4)) < 1e-9
