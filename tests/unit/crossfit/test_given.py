"""Information given controls, against what is known: nothing, a site's signature, a Gaussian, sites of one age."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.given import CONTROLS, folds_for, scores_given
from brainpid.crossfit.level_spread import level_ratios
from brainpid.crossfit.ridge import ridge

A = ("a",)


def held_out(x, y, fold):
    """Out-of-fold predictions of a ridge."""
    found = np.empty(len(y))
    for k in np.unique(fold):
        found[fold == k] = ridge(x[fold != k], y[None, fold != k], x[fold == k])[0]
    return found


def bits(x, y, columns, seed=0, groups=None):
    """Scores (n,) of the controls, and of the features beyond them."""
    fold = stratified_folds(y, 10, np.random.default_rng(seed), groups)
    design = ControlDesign.of({name: pd.Series(cells) for name, cells in columns.items()})
    found = scores_given({A: held_out(x, y, fold)}, design, y, fold, groups)
    return found[CONTROLS], found[A] - found[CONTROLS]


def of_sites(seed, n=400, sites=8):
    rng = np.random.default_rng(seed)
    site = rng.integers(0, sites, n)
    ages = rng.permutation(np.linspace(25, 70, sites))
    return rng, site, ages[site] + 7 * rng.standard_normal(n)


@pytest.mark.parametrize("seed", range(3))
def test_noise_tells_nothing_beyond_a_control(seed):
    rng, site, y = of_sites(seed)
    of_control, more = bits(rng.standard_normal((len(y), 20)), y, {"site": site.astype(str)})
    assert of_control.mean() > 0.5
    assert abs(more.mean()) < 0.005


def test_features_that_tell_the_site_alone_tell_nothing_given_the_site():
    more, without = [], []
    for seed in range(5):
        rng, site, y = of_sites(seed, 300)
        x = 3 * rng.standard_normal((8, 15))[site] + rng.standard_normal((len(y), 15))
        more.append(bits(x, y, {"site": site.astype(str)})[1].mean())
        without.append(bits(x, y, {"site": np.zeros(len(y))})[1].mean())
    assert abs(np.mean(more)) < 0.01
    assert min(without) > 0.3


def test_what_a_gaussian_adds_to_a_quantity_is_read():
    found, covered = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        c, u, e, v = rng.standard_normal((4, 600))
        y, x = 50 + 10 * (0.7 * c + 0.8 * u + 0.6 * e), u + 0.5 * c + 0.7 * v
        truth = -0.5 * np.log2(1 - 0.64 / 1.49)  # of u + 0.7 v about 0.8 u + 0.6 e
        own = bits(x[:, None], y, {"c": c}, seed)[1]
        found.append(own.mean())
        covered.append(abs(own.mean() - truth) < 2.5 * own.std() / np.sqrt(600))
    assert np.mean(found) == pytest.approx(truth, abs=0.03)
    assert all(covered)


def test_a_site_of_one_age_knows_it_without_features():
    """A pooled spread would credit the features with what the site knows: half a bit where .46 is true."""
    found, truth = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        site = rng.integers(0, 8, 600)
        spread = np.array([2, 2, 2, 3, 4, 12, 15, 18.0])[site]
        y = np.array([20, 22, 25, 21, 23, 35, 45, 50.0])[site] + spread * rng.standard_normal(600)
        x = y + 8 * rng.standard_normal(600) + np.linspace(-6, 6, 8)[site]
        found.append(bits(x[:, None], y, {"site": site.astype(str)}, seed)[1].mean())
        truth.append(0.5 * np.log2(1 + spread**2 / 64).mean())
    assert np.mean(found) - np.mean(truth) == pytest.approx(-0.015, abs=0.03)


def test_a_control_of_one_value_changes_nothing():
    rng = np.random.default_rng(0)
    y = 50 + 10 * rng.standard_normal(200)
    of_control, more = bits(y[:, None] + 5 * rng.standard_normal((200, 1)), y, {"sex": ["f"] * 200})
    assert abs(of_control.mean()) < 0.005  # log scores are 0 but for what the folds' ages bring
    assert more.mean() > 0.8


def test_folds_in_which_a_site_is_left_out_are_dealt_anew():
    _, site, y = of_sites(0)
    design = ControlDesign.of({"site": pd.Series(site.astype(str))})
    dealt = folds_for(site, design, y, None)
    assert all(len(np.unique(dealt[site == k])) > 5 for k in range(8))
    mixed = np.arange(len(y)) % 5
    np.testing.assert_array_equal(folds_for(mixed, design, y, None), mixed)
    together = folds_for(site, design, y, np.arange(len(y)) // 2)
    assert (together[::2] == together[1::2]).all()


def test_controls_that_tell_hardly_anything_of_few_people_have_scores():
    """Their predictions differ by rounding alone, and the slope of the target on them is of any size."""
    rng = np.random.default_rng(1)
    for n in (20, 53):
        y, site = 50 + 10 * rng.standard_normal(n), rng.integers(0, 2, n)
        of_control, more = bits(y[:, None] + 5 * rng.standard_normal((n, 1)), y, {"site": site.astype(str)}, 1)
        assert np.isfinite(of_control).all()
        assert np.isfinite(more).all()
    x = np.full(40, 1e-9) * np.arange(40)
    g, own = rng.standard_normal(40), np.arange(40) >= 30
    ratio, mean = level_ratios(x * np.where(own, 1e9, 1), g, own, np.arange(40) % 2, np.sort(g), np.full(40, 1 / 40))
    assert np.isfinite(ratio / mean).all()
