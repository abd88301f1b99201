"""Encoders agree with the libraries, and nothing of a held-out person reaches its own latents."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge

from brainpid.core.errors import InputError
from brainpid.crossfit.encoders import ENCODERS
from brainpid.crossfit.folds import random_folds, stratified_folds
from brainpid.crossfit.latents import cross_fit, encode_fold
from brainpid.crossfit.linear import RIDGE_PENALTIES, PLSEncoder, RidgeEncoder, ridge
from brainpid.crossfit.transforms import Standardizer, normal_scores

QUICK = {"options": {"members": 2, "epochs": 2, "hidden": (4,), "latent_dim": 2}}


def people(n: int = 60, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 15, n)
    return {m: rng.normal(size=(n, p)) + 0.05 * y[:, None] for m, p in (("t1", 5), ("dwi", 100))}, y


@pytest.mark.parametrize("p", [5, 100])
def test_ridge_is_that_of_scikit_learn_at_the_smallest_generalised_error(p):
    rng = np.random.default_rng(1)
    x, new = rng.normal(size=(60, p)), rng.normal(size=(7, p))
    targets = x[:, :3] @ rng.normal(size=(3, 4)) + rng.normal(size=(60, 4))
    found = ridge(x, targets.T, new)
    s2 = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2
    scale = s2[s2 > 1e-10 * s2[0]].mean()
    for target, predicted in zip(targets.T, found, strict=True):
        fits = [Ridge(penalty * scale).fit(x, target) for penalty in RIDGE_PENALTIES]
        free = [59 - (s2 / (s2 + penalty * scale)).sum() for penalty in RIDGE_PENALTIES]
        errors = [
            np.mean((target - fit.predict(x)) ** 2) / f**2 if f >= 1 else np.inf
            for fit, f in zip(fits, free, strict=True)
        ]
        np.testing.assert_allclose(predicted, fits[int(np.argmin(errors))].predict(new), atol=1e-8)


def test_a_constant_feature_and_a_repeated_one_do_no_harm():
    X, y = people()
    x = np.column_stack([X["t1"], X["t1"][:, :1], np.ones(60)])
    assert np.isfinite(ridge(x, y[None], x)).all()
    assert np.ptp(ridge(np.ones((60, 3)), y[None], np.ones((4, 3)))) == 0


@pytest.mark.parametrize("scalar", [True, False])
def test_pls_is_that_of_scikit_learn(scalar):
    X, y = people()
    score = normal_scores(y)
    found = PLSEncoder(2, scalar)({"t1": X["t1"]}, score[None], {"t1": X["t1"][:5]})["t1"]
    fit = PLSRegression(2, scale=False).fit(X["t1"], score)
    expected = fit.predict(X["t1"][:5])[:, None] if scalar else fit.transform(X["t1"][:5])
    np.testing.assert_allclose(found[0], expected.reshape(5, -1), atol=1e-10)


@pytest.mark.parametrize(("name", "options"), [("ridge", {}), ("pls", {}), ("pidreg", QUICK)])
def test_nothing_of_held_out_people_reaches_an_encoder(name, options):
    X, y = people()
    held_out = random_folds(60, 5, np.random.default_rng(0)) == 2
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
    fold = random_folds(60, 4, rng)
    together = cross_fit(X, targets, fold, RidgeEncoder(), seed=0)
    for row, target in enumerate(targets):
        alone = cross_fit(X, target[None], fold, RidgeEncoder(), seed=0)
        for m in X:
            np.testing.assert_allclose(together[m][row], alone[m][0], atol=1e-10)


def test_only_the_ranks_of_the_target_count():
    X, y = people()
    fold = random_folds(60, 4, np.random.default_rng(0))
    plain, bent = (cross_fit(X, target[None], fold, RidgeEncoder(), seed=0) for target in (y, np.exp(y / 10)))
    np.testing.assert_allclose(plain["t1"], bent["t1"], atol=1e-12)


def test_latents_are_those_of_a_fit_by_hand():
    X, y = people()
    fold = random_folds(60, 3, np.random.default_rng(0))
    found = cross_fit(X, y[None], fold, RidgeEncoder(), seed=0)["dwi"][0, :, 0]
    for k in range(3):
        inside = fold == k
        scaler = Standardizer.fit(X["dwi"][~inside])
        training, new = scaler.transform(X["dwi"][~inside]), scaler.transform(X["dwi"][inside])
        np.testing.assert_allclose(found[inside], ridge(training, normal_scores(y[~inside])[None], new)[0], atol=1e-10)


def test_folds_are_even_and_span_the_target():
    y = np.random.default_rng(0).normal(size=103)
    assert sorted(np.bincount(random_folds(103, 10, np.random.default_rng(0)))) == [10] * 7 + [11] * 3
    fold = stratified_folds(y, 10, np.random.default_rng(0))
    assert sorted(np.bincount(fold)) == [10] * 7 + [11] * 3
    assert max(abs(y[fold == k].mean()) for k in range(10)) < 0.25


def test_groups_share_a_fold_and_set_how_many_there_are():
    y = np.random.default_rng(0).normal(size=200)
    group = np.arange(200) // 4
    fold = stratified_folds(y, 5, np.random.default_rng(0), group)
    assert all(len(np.unique(fold[group == label])) == 1 for label in np.unique(group))
    assert np.bincount(fold).tolist() == [40] * 5
    few = stratified_folds(y, 10, np.random.default_rng(0), np.arange(200) % 3)
    assert sorted(np.bincount(few)) == [66, 67, 67]
    with pytest.raises(InputError, match="at least 2 groups, found 1"):
        stratified_folds(y, 5, np.random.default_rng(0), np.zeros(200))
