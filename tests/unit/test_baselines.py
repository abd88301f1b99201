"""Baselines learn what is there, see nothing of the test rows, and come back from disk as they were."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from brainpid.baselines import GradientBoosting, Ridge
from brainpid.errors import InputError

MODELS = [Ridge(), GradientBoosting(max_iter=30)]


def cohort(n: int = 200, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    features = {"t1": g[:, None] + rng.normal(size=(n, 6)), "dwi": 0.5 * g[:, None] + rng.normal(size=(n, 4))}
    features["t1"][::17, 2] = np.nan
    return features, 50 + 15 * g


@pytest.fixture(params=MODELS, ids=lambda model: type(model).__name__)
def fitted(request):
    X, y = cohort()
    return clone(request.param).fit(X, y)


def test_it_learns(fitted):
    X, y = cohort(seed=1)
    assert np.corrcoef(fitted.predict(X), y)[0, 1] > 0.8
    assert np.corrcoef(fitted.scalar_latents(X)["dwi"], y)[0, 1] > 0.4  # the truth allows 0.71


def test_out_of_fold_errors_are_larger_than_those_of_the_fit(fitted):
    X, y = cohort()
    out_of_fold = np.abs(fitted.out_of_fold_prediction_ - y).mean()
    assert np.abs(fitted.predict(X) - y).mean() < out_of_fold < np.abs(y - y.mean()).mean()


def test_it_comes_back_from_disk(fitted, tmp_path):
    X, _ = cohort(seed=1)
    fitted.save(tmp_path)
    np.testing.assert_array_equal(type(fitted).load(tmp_path).predict(X), fitted.predict(X))


def test_a_missing_modality_is_named(fitted):
    with pytest.raises(InputError, match=r"\['dwi'\] are missing"):
        fitted.predict({"t1": np.zeros((3, 6))})


def test_ridge_fits_every_subset():
    X, y = cohort()
    predictions = Ridge().fit(X, y).subset_predictions(X)
    assert set(predictions) == {("t1",), ("dwi",), ("t1", "dwi")}
