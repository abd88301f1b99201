"""Encoders agree with the libraries, and nothing of a held-out person reaches its own latents."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.encoders import ENCODERS
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.latents import cross_fit, encode_fold
from brainpid.crossfit.ridge import RidgeEncoder, ridge
from brainpid.crossfit.transforms import Standardizer, normal_scores

QUICK = {"options": {"members": 2, "epochs": 2, "hidden": (4,), "latent_dim": 2}}


def people(n: int = 60, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 15, n)
    return {m: rng.normal(size=(n, p)) + 0.05 * y[:, None] for m, p in (("t1", 5), ("dwi", 100))}, y


@pytest.mark.parametrize(("name", "options"), [("ridge", {}), ("pls", {}), ("pidreg", QUICK)])
def test_nothing_of_held_out_people_reaches_an_encoder(name, options):
    X, y = people()
    held_out = random_folds(np.arange(60), 5, np.random.default_rng(0)) == 2
    encoder = ENCODERS[name].load(**options)
    before = encode_fold(X, y[None], held_out, encoder, seed=1)
    spoilt, wrong = {m: block.copy() for m, block in X.items()}, y.copy()
    rows = np.flatnonzero(held_out)
    wrong[rows] = wrong[rows[::-1]] * 100
    for block in spoilt.values():
        block[rows[1:]] = 1e6  # all held-out people but the first
    after = encode_fold(spoilt, wrong[None], held_out, encoder, seed=1)
    for m in X:
        np.testing.assert_array_equal(after[m][:, 0], before[m][:, 0])


def test_a_stack_of_targets_is_each_of_them():
    X, y = people()
    rng = np.random.default_rng(2)
    targets = np.stack([y, rng.permutation(y), np.round(y / 10)])
    fold = random_folds(np.arange(60), 4, rng)
    together = cross_fit(X, targets, fold, RidgeEncoder(), seed=0)
    for row, target in enumerate(targets):
        alone = cross_fit(X, target[None], fold, RidgeEncoder(), seed=0)
        for m in X:
            np.testing.assert_allclose(together[m][row], alone[m][0], atol=1e-10)


def test_only_the_ranks_of_the_target_count():
    X, y = people()
    fold = random_folds(np.arange(60), 4, np.random.default_rng(0))
    plain, bent = (cross_fit(X, target[None], fold, RidgeEncoder(), seed=0) for target in (y, np.exp(y / 10)))
    np.testing.assert_allclose(plain["t1"], bent["t1"], atol=1e-12)


def test_latents_are_those_of_a_fit_by_hand():
    X, y = people()
    fold = random_folds(np.arange(60), 3, np.random.default_rng(0))
    found = cross_fit(X, y[None], fold, RidgeEncoder(), seed=0)["dwi"][0, :, 0]
    for k in range(3):
        inside = fold == k
        scaler = Standardizer.fit(X["dwi"][~inside])
        training, new = scaler.transform(X["dwi"][~inside]), scaler.transform(X["dwi"][inside])
        np.testing.assert_allclose(found[inside], ridge(training, normal_scores(y[~inside])[None], new)[0], atol=1e-10)
