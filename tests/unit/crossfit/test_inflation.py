"""The widening of standard errors: near 1 where nothing can be overfitted, larger where features are many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.inflation import inflation


def cohort(n: int, p: int, seed: int, gain: float = 1.0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    return {m: gain * y[:, None] / np.sqrt(p) + rng.normal(size=(n, p)) for m in ("t1", "dwi")}, y


def test_it_grows_with_features_and_falls_with_people():
    few, many, of_more_people = (
        inflation(*cohort(n, p, 0), folds=3, seed=0) for n, p in ((150, 2), (150, 60), (450, 60))
    )
    assert 1.0 <= few < 1.12
    assert 1.15 < many < 1.7
    assert of_more_people < many - 0.05


def test_it_is_one_at_least_and_the_same_each_time():
    X, y = cohort(100, 5, 0, gain=0.0)
    found = inflation(X, y, folds=4, seed=3)
    assert 1.0 <= found < 2.5
    assert inflation(X, y, folds=4, seed=3) == found
    assert inflation({m: 7 * x + 3 for m, x in X.items()}, np.exp(y), folds=4, seed=3) == pytest.approx(found, rel=1e-6)


def test_groups_are_deleted_as_wholes():
    """Three rows of the same features a person: who is deleted by rows stays in what readers are fitted to."""
    X, y = cohort(100, 30, 0)
    person = np.repeat(np.arange(100), 3)
    thrice = {m: x[person] for m, x in X.items()}
    rows, grouped = (inflation(thrice, y[person], folds=4, seed=0, groups=g) for g in (None, person))
    assert grouped > rows + 0.2
    assert inflation(X, y, folds=4, seed=0, groups=[f"p{k:03d}" for k in range(100)]) == inflation(
        X, y, folds=4, seed=0
    )


def test_beyond_the_site_it_is_that_of_what_is_left():
    """Features tell the site, and sites differ in age: beyond it readers have less to go by, and overfit more."""
    rng = np.random.default_rng(2)
    site = np.arange(300) % 6
    y = rng.normal(size=6)[site] + rng.normal(size=300)
    X = {m: 0.15 * y[:, None] + rng.normal(size=(6, 60))[site] + rng.normal(size=(300, 60)) for m in ("t1", "dwi")}
    by_site, by_chance = (
        ControlDesign.of({"site": pd.Series(own.astype(str))}) for own in (site, rng.permutation(site))
    )
    plain, nothing, beyond, unrelated = (
        inflation(X, y, folds=4, seed=0, controls=given) for given in (None, ControlDesign.of({}), by_site, by_chance)
    )
    assert plain == nothing
    assert beyond > plain + 0.05
    assert unrelated == pytest.approx(plain, abs=0.04)


def test_too_few_groups_are_refused():
    X, y = cohort(60, 3, 0)
    with pytest.raises(InputError, match="cannot be told from 6 groups of people; expected at least 10"):
        inflation(X, y, folds=5, seed=0, groups=np.arange(60) % 6)
