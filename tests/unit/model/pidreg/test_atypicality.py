"""People of the same population are uniform, and those of another scanner stand out, whatever they have."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.model import PIDReg
from brainpid.model.pidreg import atypicality
from brainpid.model.pidreg.atypicality import Atypicality, FeaturesGivenTarget

WIDTHS = {"dwi": 20, "t1": 30}


def people(n, seed, n_factors=3):
    """Features that bend with age and scatter by common factors; the population is the same for every seed."""
    shape = np.random.default_rng(99).normal(0, 0.4, (2 + n_factors, 50))
    rng = np.random.default_rng(seed)
    y = rng.uniform(20, 80, n)
    t = (y - 50) / 17
    x = np.outer(t, shape[0]) + np.outer(t**2, shape[1]) + rng.normal(size=(n, n_factors)) @ shape[2:]
    x += rng.normal(size=x.shape)
    return {"dwi": x[:, :20], "t1": x[:, 20:]}, y


@pytest.fixture(scope="module")
def fitted():
    X, y = people(400, 0)
    return Atypicality.fit(X, y, np.arange(400) % 10, np.random.default_rng(0))


@pytest.mark.parametrize("lacking", [None, "t1", "dwi"])
def test_people_of_the_same_population_are_uniform(lacking):
    found = []
    for draw in range(8):
        (X, y), (new, _) = people(400, 100 + draw), people(500, 200 + draw)
        if lacking:
            new[lacking][:] = np.nan
        found.append(Atypicality.fit(X, y, np.arange(400) % 10, np.random.default_rng(0)).of(new))
    found = np.concatenate(found)
    assert found.min() >= 0
    assert found.max() < 1
    for level in (0.1, 0.5, 0.9, 0.95):
        assert (found < level).mean() == pytest.approx(level, abs=0.03)


@pytest.mark.parametrize("lacking", [None, "t1", "dwi"])
def test_another_scanner_stands_out(fitted, lacking):
    X, _ = people(200, 2)
    sign = np.random.default_rng(3).choice([-1, 1], 50)
    shifted = {"dwi": X["dwi"] + 1.5 * sign[:20], "t1": X["t1"] + 1.5 * sign[20:]}
    scaled = {m: 2 * block for m, block in X.items()}
    for other in (shifted, scaled):
        if lacking:
            other[lacking][:] = np.nan
        assert (fitted.of(other) > 0.95).mean() > 0.95


def test_an_old_or_young_brain_is_not_atypical():
    X, y = people(600, 4)
    found = Atypicality.fit(X, y, np.arange(600) % 5, np.random.default_rng(0))
    new, age = people(2000, 5)
    assert abs(np.corrcoef(found.of(new), age)[0, 1]) < 0.08
    assert found.of(new)[age > 75].mean() == pytest.approx(0.5, abs=0.1)


def test_distances_are_those_of_the_normal_distribution():
    X, y = people(300, 6)
    one = FeaturesGivenTarget.fit(X, y, least=1)
    for subset in (["t1"], ["dwi", "t1"]):
        curves = np.column_stack([one.curves[m] for m in subset])
        loadings = np.concatenate([one.loadings[m] for m in subset])
        covariance = loadings @ loadings.T + np.diag(np.concatenate([one.rest[m] for m in subset]))
        off = np.column_stack([X[m] for m in subset])[:, None] - one.basis @ curves
        by_hand = np.einsum("nkp,pq,nkq->nk", off, np.linalg.inv(covariance), off).min(axis=1)
        np.testing.assert_allclose(one.distance({m: X[m] for m in subset}), by_hand, rtol=1e-8)


def test_more_features_than_people_and_copies_of_features():
    rng = np.random.default_rng(7)
    X, y = people(60, 8)
    X = {"dwi": np.repeat(X["dwi"], 4, axis=1), "t1": X["t1"]}
    found = Atypicality.fit(X, y, np.arange(60) % 5, rng)
    assert np.isfinite(found.of(X)).all()
    new, _ = people(500, 9)
    new["dwi"] = np.repeat(new["dwi"], 4, axis=1)
    assert found.of(new).mean() == pytest.approx(0.5, abs=0.12)


def test_who_lacks_everything_has_none_and_it_comes_back_from_its_state(fitted):
    X, _ = people(5, 10)
    X = {m: block.copy() for m, block in X.items()}
    X["dwi"][0], X["t1"][0] = np.nan, np.nan
    found = fitted.of(X)
    assert np.isnan(found).tolist() == [True, False, False, False, False]
    np.testing.assert_array_equal(Atypicality.from_state(fitted.state()).of(X), found)


def test_its_cost_is_bounded_and_who_lacks_a_modality_is_not_fitted_to(monkeypatch):
    seen = []

    class Counted(FeaturesGivenTarget):
        @classmethod
        def fit(cls, blocks, y, least):
            seen.append(len(y))
            assert not any(np.isnan(block).any() for block in blocks.values())
            return FeaturesGivenTarget.fit(blocks, y, least)

    monkeypatch.setattr(atypicality, "FeaturesGivenTarget", Counted)
    X, y = people(1500, 11)
    X["t1"][::4] = np.nan
    Atypicality.fit(X, y, np.arange(1500) % 10, np.random.default_rng(0))
    assert len(seen) == 5
    assert max(seen) < 850


def test_a_model_tells_it_and_keeps_it(tmp_path):
    (X, y), (new, _) = people(200, 12), people(300, 13)
    model = PIDReg(recipe="compact", latent_dim=2, hidden=(4,), members=5, epochs=1, experts=()).fit(X, y)
    found = model.atypicality(new)
    assert found.mean() == pytest.approx(0.5, abs=0.07)
    assert (model.atypicality({m: 10 + 3 * block for m, block in new.items()}) > 0.95).all()
    model.save(tmp_path)
    np.testing.assert_array_equal(PIDReg.load(tmp_path).atypicality(new), found)
