"""A model that is to be passed on holds nobody, and predicts all the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainpid.core.errors import InputError
from brainpid.crossfit.transforms import NormalScores
from brainpid.model import PIDReg

SMALL = {"members": 4, "epochs": 10, "hidden": (8,), "latent_dim": 4, "learning_rate": 0.02}


def cohort(n: int = 200, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=n)
    return {m: g[:, None] + rng.normal(size=(n, p)) for m, p in (("t1", 9), ("dwi", 8))}, 50 + 15 * g


def numbers_in(content: object) -> np.ndarray:
    """Every floating-point number in nested containers of a file."""
    if isinstance(content, torch.Tensor):
        return content.double().numpy().ravel() if content.is_floating_point() else np.empty(0)
    if isinstance(content, dict):
        return np.concatenate([numbers_in(value) for value in content.values()] or [np.empty(0)])
    if isinstance(content, list | tuple):
        return np.concatenate([numbers_in(value) for value in content] or [np.empty(0)])
    return np.array([content]) if isinstance(content, float) else np.empty(0)


def found_in(stored: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which values are among sorted stored ones, to single precision."""
    at = np.clip(np.searchsorted(stored, values), 1, len(stored) - 1)
    near = np.minimum(np.abs(stored[at] - values), np.abs(stored[at - 1] - values))
    return near <= 1e-6 * np.maximum(np.abs(values), 1e-3)


def traces(model: PIDReg, X: dict[str, np.ndarray], y: np.ndarray, folder) -> dict[str, float]:
    """Part of the training people of whom the file has features (half of a row at least), target or prediction."""
    model.save(folder)
    stored = np.sort(numbers_in(torch.load(folder / "model.pt", weights_only=True)))
    scaled = {m: model.scalers_[m].transform(block) for m, block in X.items()}
    rows = [found_in(stored, block).mean(axis=1) >= 0.5 for form in (X, scaled) for block in form.values()]
    in_units = {"target": y, "prediction": model.out_of_fold_prediction_, "deviation": (y - y.mean()) / y.std()}
    return {"features": float(np.any(rows, axis=0).mean())} | {
        name: float(found_in(stored, values).mean()) for name, values in in_units.items()
    }


EXPRESSIVE = {"bins": 4, "target_transform": "none", "experts": ("normative", "boosting")}


@pytest.mark.parametrize(
    ("options", "sites"),
    [({}, None), ({}, [f"site {k % 6}" for k in range(200)]), (EXPRESSIVE, None)],
    ids=["recommended", "of several sites", "trees and bins"],
)
def test_nobody_is_found_in_the_file(tmp_path, options, sites):
    X, y = cohort()
    shared = traces(PIDReg(**SMALL | options, share=True).fit(X, y, sites=sites), X, y, tmp_path)
    # A few of thousands of numbers are near another by chance.
    assert shared["features"] == 0
    assert all(part < 0.05 for part in shared.values()), shared


def test_everybody_is_found_where_it_was_not_asked_for(tmp_path):
    X, y = cohort()
    whole = traces(PIDReg(**SMALL).fit(X, y), X, y, tmp_path)
    assert (whole["features"], whole["target"], whole["prediction"]) == (1, 1, 1)


def test_it_comes_back_without_people_and_predicts_as_before(tmp_path):
    X, y = cohort()
    model = PIDReg(**SMALL, share=True).fit(X, y)
    assert set(model.expert_weights_) == {"network", "normative", "normative_scores", "head"}
    assert np.isfinite(model.out_of_fold_prediction_).all()  # for the age bias, which is a line
    model.save(tmp_path)
    loaded = PIDReg.load(tmp_path)
    new, _ = cohort(seed=1)
    np.testing.assert_array_equal(loaded.predict(new), model.predict(new))
    np.testing.assert_array_equal(loaded.predict_interval(new), model.predict_interval(new))
    assert not [name for name in vars(loaded) if name.startswith("out_of_fold")]
    loaded.save(tmp_path / "again")
    np.testing.assert_array_equal(PIDReg.load(tmp_path / "again").predict(new), model.predict(new))


def test_it_errs_hardly_more():
    X, y = cohort(300)
    new, target = cohort(2000, seed=1)
    errors = {
        share: np.abs(
            PIDReg(**SMALL, experts=("normative",), share=share).fit(X, y).predict(new) - target
        ).mean() for share in (False, True)
    }  # fmt: skip
    assert errors[True] < 1.02 * errors[False]


@pytest.mark.parametrize("name", ["kernel", "forest"])
def test_what_keeps_people_is_refused_by_name(name):
    with pytest.raises(InputError, match=f"experts: {name} keeps training people"):
        PIDReg(**SMALL, experts=("normative", name), share=True).fit(*cohort(40))
    with pytest.raises(InputError, match="share: expected True or False, found 'yes'"):
        PIDReg(share="yes").fit(*cohort(40))


def test_knots_stand_for_ten_people_each():
    y = np.random.default_rng(0).normal(50, 15, 205)
    exact, thinned = NormalScores.fit(y), NormalScores.fit(y, least=10)
    assert len(thinned.values) == 20
    assert not found_in(np.sort(y), thinned.values).any()
    inner = np.quantile(y, [0.05, 0.3, 0.5, 0.7, 0.95])
    np.testing.assert_allclose(thinned.transform(inner), exact.transform(inner), atol=0.1)
    tied = NormalScores.fit(np.repeat([20.0, 30.0, 40.0], 40), least=10)
    np.testing.assert_allclose(tied.values[[0, -1]], [20, 40])
    assert (np.diff(tied.values) > 0).all()
    assert (np.diff(tied.scores) > 0).all()
