"""Ridge and partial least squares are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge

from brainpid.crossfit.partial_least_squares import PLSEncoder
from brainpid.crossfit.ridge import RIDGE_PENALTIES, ridge
from brainpid.crossfit.transforms import normal_scores


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
