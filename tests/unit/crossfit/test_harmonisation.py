"""Site effects: the formulas of Johnson et al. written out once more, and what must hold without an age at hand."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.harmonisation import FEWEST_OF_OWN, Harmonisation, labels_of
from brainpid.crossfit.splines import natural_spline

NOTHING = np.empty((60, 0))


def study(n: int = 60, p: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features with a slope on age, shifts and spreads of three sites whose ages overlap."""
    rng = np.random.default_rng(seed)
    site = np.array(["a", "b", "c"] * (n // 3), dtype=object)
    code = np.arange(n) % 3
    age = rng.uniform(20, 60, n) + 8 * code
    shift, spread = rng.normal(0, 2, (3, p)), rng.uniform(0.6, 1.8, (3, p))
    values = 10 + np.outer(age, rng.normal(0, 0.1, p)) + shift[code] + spread[code] * rng.normal(size=(n, p))
    return values, site, age


def combat(values: np.ndarray, site: np.ndarray, covariate: np.ndarray) -> np.ndarray:
    """Parametric ComBat (Johnson, Li & Rabinovic 2007) of all people, feature by feature and site by site."""
    n, p = values.shape
    names = sorted(set(site))
    standard, mean, sigma = np.empty((n, p)), np.empty((n, p)), np.empty(p)
    for j in range(p):
        columns = [[1.0 if site[i] == name else 0.0 for name in names] + [covariate[i]] for i in range(n)]
        design = np.array(columns)
        beta = np.linalg.inv(design.T @ design) @ design.T @ values[:, j]
        grand = sum(beta[k] * sum(site == name) / n for k, name in enumerate(names))
        sigma[j] = np.sqrt(sum((values[i, j] - design[i] @ beta) ** 2 for i in range(n)) / n)
        for i in range(n):
            mean[i, j] = grand + covariate[i] * beta[-1]
            standard[i, j] = (values[i, j] - mean[i, j]) / sigma[j]
    adjusted = np.empty((n, p))
    for name in names:
        own = [i for i in range(n) if site[i] == name]
        gamma = [sum(standard[i, j] for i in own) / len(own) for j in range(p)]
        delta = [sum((standard[i, j] - gamma[j]) ** 2 for i in own) / (len(own) - 1) for j in range(p)]
        bar, tau2 = np.mean(gamma), np.var(gamma, ddof=1)
        m, s2 = np.mean(delta), np.var(delta, ddof=1)
        alpha, beta_prior = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
        for j in range(p):
            g, d = gamma[j], delta[j]
            for _ in range(300):
                g = (len(own) * tau2 * gamma[j] + d * bar) / (len(own) * tau2 + d)
                squares = sum((standard[i, j] - g) ** 2 for i in own)
                d = (0.5 * squares + beta_prior) / (len(own) / 2 + alpha - 1)
            for i in own:
                adjusted[i, j] = sigma[j] * (standard[i, j] - g) / np.sqrt(d) + mean[i, j]
    return adjusted


REFERENCE = np.array(
    [
        [11.710511045, 5.436009333, 16.400824992],
        [9.483044874, 8.387052286, 15.175859393],
        [12.831034069, 6.210867171, 16.446465112],
    ]
)
"""First three people, first two features and the last, of `combat` on `study()` with age, stored."""


def test_it_is_combat_where_what_is_preserved_is_known_of_everybody():
    values, site, age = study()
    found = Harmonisation.fit(values, site, age[:, None], NOTHING, scaled=True).apply(values, site, age[:, None])
    np.testing.assert_allclose(found[:3][:, [0, 1, -1]], REFERENCE, atol=1e-6)
    np.testing.assert_allclose(found, combat(values, site, age), atol=1e-6)


def test_location_needs_no_age():
    """With the age as a covariate at hand, or preserved at the fit and not at hand: the same features."""
    values, site, age = study()
    known = Harmonisation.fit(values, site, age[:, None], NOTHING, scaled=False).apply(values, site, age[:, None])
    preserved = Harmonisation.fit(values, site, NOTHING, age[:, None], scaled=False).apply(values, site, NOTHING)
    np.testing.assert_allclose(preserved, known, atol=1e-9)


def test_scale_without_age_differs_by_what_is_said():
    values, site, age = study()
    fitted = Harmonisation.fit(values, site, NOTHING, age[:, None], scaled=True)
    row = np.searchsorted(["a", "b", "c"], site.astype(str))
    slope = Harmonisation.fit(values, site, age[:, None], NOTHING, scaled=True).covariates[0]
    centred = age - np.array([age[site == name].mean() for name in "abc"])[row]
    cost = np.outer(centred, slope) * (1 - 1 / np.sqrt(fitted.delta[row]))
    np.testing.assert_allclose(fitted.apply(values, site, NOTHING) + cost, combat(values, site, age), atol=1e-6)


def test_what_age_brings_stays_where_it_is_preserved_and_goes_where_not():
    rng = np.random.default_rng(1)
    n = 3000
    code = np.arange(n) % 2
    site = np.where(code == 0, "young", "old").astype(object)
    age = rng.normal(40, 8, n) + 15 * code
    values = np.column_stack([k * age / 10 + 5 * code + rng.normal(size=n) for k in (1, 2, 3, 4)])
    basis, none = natural_spline(age, age), np.empty((n, 0))
    kept = Harmonisation.fit(values, site, none, basis, scaled=False).apply(values, site, none)
    gone = Harmonisation.fit(values, site, none, none, scaled=False).apply(values, site, none)
    apart = [found[code == 1].mean(axis=0) - found[code == 0].mean(axis=0) for found in (kept, gone)]
    np.testing.assert_allclose(apart[0], 1.5 * np.arange(1, 5), atol=0.25)
    np.testing.assert_allclose(apart[1], 0, atol=0.02)


def test_small_sites_are_drawn_to_the_others_features_and_none_fails():
    values, site, age = study()
    small = site.copy()
    small[:1], small[1:4] = "one", "few"
    fitted = Harmonisation.fit(values, small, NOTHING, age[:, None], scaled=True)
    assert np.isfinite(fitted.apply(values, small, NOTHING)).all()
    one = fitted.sites.index("one")
    np.testing.assert_array_equal(fitted.delta[one], 1)  # nobody's spread is known from one person
    rest = (values[0] - fitted.intercept - fitted.by_age[one]) / fitted.sigma
    assert np.ptp(fitted.gamma[one]) < 0.9 * np.ptp(rest)


def test_missing_modalities_and_cells_are_left_and_do_not_reach_others():
    values, site, age = study()
    holes = values.copy()
    holes[7] = np.nan
    holes[site == "c", 2] = np.nan
    fitted = Harmonisation.fit(holes, site, NOTHING, age[:, None], scaled=True)
    found = fitted.apply(holes, site, NOTHING)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(holes))
    without = np.delete(np.arange(60), 7)
    again = Harmonisation.fit(holes[without], site[without], NOTHING[:59], age[without, None], scaled=True)
    np.testing.assert_allclose(again.apply(holes[without], site[without], NOTHING[:59]), found[without], atol=1e-9)
    assert np.isfinite(fitted.apply(values, site, NOTHING)).all()  # a feature that a site lacked in training


def test_a_single_site_people_without_one_and_a_constant_feature_stay_as_they_are():
    values, site, age = study()
    alone = np.full(60, "a", dtype=object)
    fitted = Harmonisation.fit(values, alone, NOTHING, age[:, None], scaled=True)
    np.testing.assert_allclose(fitted.apply(values, alone, NOTHING), values, atol=1e-9)
    values[:, 3] = 4.0
    fitted = Harmonisation.fit(values, site, NOTHING, age[:, None], scaled=True)
    np.testing.assert_allclose(fitted.apply(values, site, NOTHING)[:, 3], 4.0)
    nowhere = np.full(60, None, dtype=object)
    np.testing.assert_array_equal(fitted.apply(values, nowhere, NOTHING), values)
    nothing = Harmonisation.fit(values, nowhere, NOTHING, age[:, None], scaled=True)
    np.testing.assert_array_equal(nothing.apply(values, site, NOTHING), values)


def test_a_feature_that_is_the_site_is_made_equal():
    values, site, _ = study()
    values[:, 0] = np.where(site == "b", 9.0, 5.0)
    fitted = Harmonisation.fit(values, site, NOTHING, NOTHING, scaled=True)
    found = fitted.apply(values, site, NOTHING)
    assert np.ptp(found[:, 0]) < 1e-9
    others = Harmonisation.fit(values[:, 1:], site, NOTHING, NOTHING, scaled=True).apply(values[:, 1:], site, NOTHING)
    np.testing.assert_allclose(found[:, 1:], others, atol=1e-9)


def test_a_test_fold_may_lack_sites_and_have_others():
    values, site, age = study()
    fitted = Harmonisation.fit(values, site, NOTHING, age[:, None], scaled=False)
    whole, some = fitted.apply(values, site, NOTHING), site == "b"
    np.testing.assert_array_equal(fitted.apply(values[some], site[some], NOTHING[some]), whole[some])
    new = np.where(some, "new", site).astype(object)
    np.testing.assert_array_equal(fitted.apply(values, new, NOTHING)[some], values[some])


def test_an_unseen_site_by_its_own_people():
    values, site, age = study(p=200)
    some = site != "c"
    fitted = Harmonisation.fit(values[some], site[some], NOTHING[some], age[some, None], scaled=False)
    shifted = values[~some] + 50 * fitted.sigma
    found = fitted.apply(shifted, site[~some], NOTHING[~some], unseen_by_own=True)
    middle = fitted.intercept + fitted.mean_by_age
    np.testing.assert_allclose(((found.mean(axis=0) - middle) / fitted.sigma).mean(), 0, atol=0.05)
    few = slice(0, FEWEST_OF_OWN - 1)
    np.testing.assert_array_equal(
        fitted.apply(shifted[few], site[~some][few], NOTHING[few], unseen_by_own=True), shifted[few]
    )


def test_what_was_fitted_comes_back_from_its_state():
    values, site, age = study()
    fitted = Harmonisation.fit(values, site, age[:, None], NOTHING, scaled=True)
    again = Harmonisation.from_state(fitted.state())
    np.testing.assert_array_equal(again.apply(values, site, age[:, None]), fitted.apply(values, site, age[:, None]))


@pytest.mark.parametrize(("cells", "expected"), [(["F", "M", None], [0, 1, np.nan]), (["M", "D", "F"], [1, np.nan, 0])])
def test_labels_become_columns_and_others_are_not_known(cells, expected):
    np.testing.assert_array_equal(labels_of(("F", "M"), cells)[:, 0], expected)
    assert labels_of((), cells).shape == (3, 0)
