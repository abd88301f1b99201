"""Sites of training people are remembered by name, and said of those who are predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.model import PIDReg
from brainpid.model.baselines.linear import Ridge
from brainpid.model.sites import checked_sites, several_sites, sites_seen, unseen_in_words

QUICK = {"members": 2, "epochs": 1, "experts": (), "recipe": "compact"}


def cohort(n: int = 40) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    g = rng.normal(size=n)
    return {m: g[:, None] + rng.normal(size=(n, 3)) for m in ("t1", "dwi")}, 50 + 15 * g


@pytest.mark.parametrize("model", [Ridge(), PIDReg(**QUICK)])
def test_a_saved_model_knows_its_training_sites_and_predicts_as_without(model, tmp_path):
    X, y = cohort()
    sites = np.array(["b", "a"] * 19 + [None, np.nan], dtype=object)
    expected = model.fit(X, y).predict(X)
    assert not hasattr(model, "sites_")
    np.testing.assert_array_equal(model.fit(X, y, sites=sites).predict(X), expected)
    model.save(tmp_path)
    assert type(model).load(tmp_path).sites_ == ("a", "b")
    assert not hasattr(model.fit(X, y), "sites_")


@pytest.mark.parametrize("model", [Ridge(), PIDReg(**QUICK)])
def test_sites_that_are_not_those_of_the_rows_are_refused(model):
    X, y = cohort()
    with pytest.raises(InputError, match=r"expected sites of shape \(40,\), one per row .*found \(39,\)"):
        model.fit(X, y, sites=["a"] * 39)
    with pytest.raises(InputError, match="sites: expected texts, found int"):
        model.fit(X, y, sites=[1] * 40)
    turned = pd.Series(["a"] * 40, index=range(40, 0, -1))
    with pytest.raises(InputError, match="labels of sites differ from those of y"):
        model.fit(X, pd.Series(y), sites=turned)


def test_sites_that_are_not_known_are_none():
    assert checked_sites(None, 2).tolist() == [None, None]
    assert checked_sites(["a", float("nan"), None, pd.NA], 4).tolist() == ["a", None, None, None]


def test_sites_are_given_where_there_are_several_in_a_fold():
    people = pd.DataFrame({"site": ["a", "a", "b"]})
    rows = np.array([True, True, False])
    assert several_sites(people, rows).tolist() == ["a", "a"]
    assert several_sites(people.iloc[:2], rows[:2]) is None


def test_who_is_of_a_site_that_was_not_seen_is_counted_and_the_sites_are_named():
    sites = ["a", "z", None, "y", "z"]
    seen = sites_seen(("a", "b"), sites)
    assert seen == ["yes", "no", None, "no", "no"]
    words = "3 of 5 people are of sites that training has not seen: y, z; the site of 1 is not known"
    assert unseen_in_words(sites, seen) == words
    assert not unseen_in_words(["a", None], ["yes", None])
