"""Nuisance columns as a design, and the regression on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.crossfit.controls import ControlDesign, mixed_regression, quantity
from brainpid.crossfit.level_spread import level_variances


def test_labels_and_quantities_are_told_apart():
    assert quantity(pd.Series(["f", "m", None])) is None
    assert quantity(pd.Series([1, 2, 1, 2])) is None
    np.testing.assert_array_equal(quantity(pd.Series([*map(str, range(11)), None])), [*range(11), np.nan])
    design = ControlDesign.of({"site": pd.Series(["a", "b", None] * 5), "fd": pd.Series(np.arange(15.0))})
    assert design.fixed.shape == (15, 1)
    assert [block.shape[1] for block in design.random] == [3, 5]
    np.testing.assert_array_equal(design.levels["site"], [1, 2, 0] * 5)


def test_a_column_of_one_value_is_no_control():
    assert ControlDesign.of({"site": pd.Series(["a"] * 9)}).empty


def test_labels_that_nobody_shares_are_refused():
    with pytest.raises(InputError, match="control 'day': found 8 labels among 9 people, such as '2001-01-07'"):
        ControlDesign.of({"day": pd.Series([f"2001-01-0{k % 8}" for k in range(9)])})


def test_a_missing_quantity_has_an_effect_of_its_own():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(300)
    x[:60] = np.nan
    design = ControlDesign.of({"fd": pd.Series(x)})
    y = np.where(np.isnan(x), 3.0, 0.0) + 0.1 * rng.standard_normal(300)
    fixed = np.column_stack([np.ones(300), design.fixed])
    found = mixed_regression(fixed, design.random, y, np.ones(300, dtype=bool))
    told = np.concatenate([fixed, *design.random], axis=1) @ found
    np.testing.assert_allclose(told, np.where(np.isnan(x), 3.0, 0.0), atol=0.1)


def test_sites_that_do_not_differ_are_drawn_to_the_mean_and_those_that_do_are_not():
    rng = np.random.default_rng(1)
    site = np.arange(400) % 20
    block, one, used = np.eye(20)[site], np.ones((400, 1)), np.ones(400, dtype=bool)
    noise = rng.standard_normal(400)
    alike = mixed_regression(one, (block,), noise, used)[1:]
    raw = np.array([noise[site == k].mean() for k in range(20)])
    assert alike.std() < 0.5 * raw.std()
    effects = 3 * rng.standard_normal(20)
    found = mixed_regression(one, (block,), effects[site] + noise, used)
    np.testing.assert_allclose(found[0] + found[1:], effects + raw, atol=0.15)


def test_spreads_of_sites_are_drawn_together_by_as_much_as_they_are_alike():
    rng = np.random.default_rng(2)
    site = np.arange(1000) % 10
    alike = level_variances(rng.standard_normal(1000), site, 11)
    assert np.ptp(alike) < 0.15  # chance alone: about .45
    assert abs(alike[10] - 1) < 0.1  # of a site that nobody was seen of
    spread = np.where(np.arange(10) < 5, 0.3, 2.0)
    found = level_variances(spread[site] * rng.standard_normal(1000), site, 10)
    np.testing.assert_allclose(found, spread**2, rtol=0.45)
