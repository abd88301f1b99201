"""Ridge and the elastic net are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import linear_model

from brainpid.crossfit.transforms import NormalScores, Standardizer
from brainpid.model.baselines.linear import ElasticNet, Ridge


def cohort(n: int = 150, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    features = {"t1": g[:, None] + rng.normal(size=(n, 6)), "dwi": 0.5 * g[:, None] + rng.normal(size=(n, 4))}
    features["t1"][::17, 2] = np.nan
    return features, 50 + 15 * g


def test_ridge_is_ridge():
    X, y = cohort()
    model = Ridge((1.0, 2.0), 2, target_transform="none").fit(X, y)
    alpha = model.fits_[("t1", "dwi")].regressor.alpha
    Z = np.column_stack([Standardizer.fit(X[name]).transform(X[name]) for name in ("dwi", "t1")])
    scores = NormalScores.straight(y)
    plain = linear_model.Ridge(alpha=alpha).fit(Z, scores.transform(y)).predict(Z)
    np.testing.assert_allclose(model.predict(X), scores.inverse_transform(plain))


@pytest.mark.parametrize("model", [Ridge(alphas=3), ElasticNet(alphas=4, l1_ratios=(0.2, 0.8))])
def test_a_path_is_its_single_fits(model):
    X, y = cohort()
    Z = Standardizer.fit(X["t1"]).transform(X["t1"])
    scores = NormalScores.fit(y).transform(y)
    settings = model.settings(Z[:100], scores[:100])
    single = [model.regressor(setting).fit(Z[:100], scores[:100]).predict(Z[100:]) for setting in settings]
    np.testing.assert_allclose(model.path(Z[:100], scores[:100], Z[100:], settings), single, atol=0.01)
