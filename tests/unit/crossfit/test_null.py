"""The permutation null: exact p-values, the same statistics as the decomposition, and tables that come back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import brainpid.crossfit.null
from brainpid.core.errors import InputError
from brainpid.crossfit.controls import ControlDesign
from brainpid.crossfit.encoders import ENCODERS
from brainpid.crossfit.exchange import exchange_of, exchange_of_rows
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.null import (
    Null,
    null_of_table,
    null_table,
    nulls_of_table,
    p_value,
    permutation_null,
    pool_nulls,
)
from brainpid.crossfit.partial_least_squares import PLSEncoder
from brainpid.crossfit.ridge import RidgeEncoder
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid import decompose

OPTIONS = {"permutations": 60, "folds": 4, "seed": 3}


def people(n: int = 120, gain: float = 1.0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.normal(50, 15, n)
    z = (y - 50) / 15
    X = {"t1": gain * z[:, None] + rng.normal(size=(n, 4)), "dwi": rng.normal(size=(n, 6))}
    return X, y


def test_p_values_count_what_is_reached():
    assert p_value(np.array([3.0, 1, 2, 4, 3])) == pytest.approx(3 / 5)
    assert p_value(np.array([9.0, 1, 2, 4])) == pytest.approx(1 / 4)


def test_the_observed_statistics_are_those_of_the_decomposition():
    X, y = people()
    null = permutation_null(X, y, RidgeEncoder(), **OPTIONS)
    fold = random_folds(np.arange(len(y)), 4, np.random.default_rng(3))
    latents = {m: z[0] for m, z in cross_fit(X, y[None], fold, RidgeEncoder(), seed=3).items()}
    found = decompose(latents, normal_scores(y), "idep")
    assert null.total[0] == pytest.approx(found.atom("all", "t1+dwi", "total").bits, abs=1e-10)
    for m in X:  # the modality that is drawn is standardised over everybody, and not in each fold
        assert null.added[m][0] == pytest.approx(found.atom("one_vs_rest", m, "added").bits, abs=2e-3)


def test_what_is_planted_is_found_and_what_is_not_is_not():
    X, y = people()
    null = permutation_null(X, y, RidgeEncoder(), **OPTIONS)
    assert p_value(null.total) == pytest.approx(1 / 61)
    assert p_value(null.added["t1"]) == pytest.approx(1 / 61)
    assert p_value(null.added["dwi"]) > 0.05
    assert abs(null.total[1:].mean()) < 0.02


def test_pieces_of_the_stack_do_not_matter(monkeypatch):
    X, y = people()
    whole = permutation_null(X, y, RidgeEncoder(), **OPTIONS)
    monkeypatch.setattr(brainpid.crossfit.null, "_CHUNK", 7)
    np.testing.assert_allclose(permutation_null(X, y, RidgeEncoder(), **OPTIONS).total, whole.total, atol=1e-12)


@pytest.mark.parametrize("encoder", ["pls", "pidreg"])
def test_other_encoders_serve_as_well(encoder):
    X, y = people(60)
    options = {"options": {"members": 2, "epochs": 2, "hidden": (4,)}} if encoder == "pidreg" else {}
    null = permutation_null(X, y, ENCODERS[encoder].load(**options), permutations=1, folds=2, seed=0)
    assert np.isfinite([null.total, *null.added.values()]).all()


def test_what_has_no_null_is_refused():
    X, y = people()
    with pytest.raises(InputError, match="one latent a modality, found 2 of 't1'"):
        permutation_null(X, y, PLSEncoder(2, scalar=False), **OPTIONS)
    with pytest.raises(InputError, match="n = 6 people have every modality, which is too few for 4 folds"):
        permutation_null({m: x[:6] for m, x in X.items()}, y[:6], RidgeEncoder(), **OPTIONS)
    with pytest.raises(InputError, match="all 120 people who take part with every modality have the same target, 50"):
        permutation_null(X, np.full(120, 50.0), RidgeEncoder(), **OPTIONS)
    with pytest.raises(InputError, match=r"n = 4 people .* too few to decompose d = 2"):
        permutation_null({m: x[:4] for m, x in X.items()}, y[:4], RidgeEncoder(), permutations=3, folds=2, seed=0)


def test_a_table_gives_the_null_back():
    null = permutation_null(*people(), RidgeEncoder(), **OPTIONS)
    again = null_of_table(null_table(null))
    np.testing.assert_array_equal(again.total, null.total)
    assert list(again.added) == ["t1", "dwi"]
    assert again.n == 120


def test_a_function_of_the_others_adds_nothing():
    """The mean of what tells is a better reader than all of it; permuting the target calls that significant."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=200)
    rest = 0.15 * y[:, None] + rng.normal(size=(200, 60))
    mean = rest.mean(axis=1, keepdims=True) + 0.05 * rng.normal(size=(200, 1))
    null = permutation_null({"mean": mean, "rest": rest}, y, RidgeEncoder(), **OPTIONS)
    assert null.added["mean"][0] > 0.05
    assert p_value(null.added["mean"]) > 0.2
    np.testing.assert_allclose(null.added["mean"][1:].mean(), null.added["mean"][0], rtol=0.1)


def test_groups_of_one_target_are_tested_though_their_sizes_differ():
    """Values of groups are exchanged among all; residuals of rows only among groups of one size, of which are none."""
    person = np.repeat(np.arange(8), np.arange(3, 11))
    rng = np.random.default_rng(0)
    y = rng.normal(size=8)[person]
    X = {"t1": rng.normal(size=(len(y), 2)), "dwi": rng.normal(size=(len(y), 2))}
    null = permutation_null(X, y, RidgeEncoder(), **OPTIONS, groups=person)
    assert np.isfinite(p_value(null.total))
    assert np.isnan(p_value(null.added["t1"]))
    assert np.isfinite(null.added["t1"][0])


def small(values: list[float], n: int) -> Null:
    return Null(np.array(values), {"t1": np.array(values) / 2, "dwi": np.zeros(len(values))}, n)


def test_cohorts_are_pooled_by_size_permutation_by_permutation():
    pooled = pool_nulls({"a": small([1.0, 0, 2], 100), "b": small([4.0, 2, 2], 300)})
    np.testing.assert_allclose(pooled.total, [3.25, 1.5, 2.0])
    assert pooled.n == 400


def visits(seed: int, persons: int = 40) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Three visits a person, a year apart; dwi tells who it is, and nothing of the target beyond."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), 3)
    first = rng.uniform(20, 80, persons)
    y = first[person] + np.tile([0.0, 1, 2], persons)
    own = rng.normal(size=(persons, 40))
    X = {
        "t1": (y[:, None] - 50) / 17 + 2 * rng.normal(size=(len(y), 4)),
        "dwi": own[person] + 0.2 * rng.normal(size=(len(y), 40)),
    }
    return X, y, person


def test_features_that_tell_who_it_is_tell_nothing_where_groups_are_whole():
    X, y, person = visits(0)
    freely = permutation_null(X, y, RidgeEncoder(), **OPTIONS)
    assert freely.added["dwi"][0] > 0.2
    null = permutation_null(X, y, RidgeEncoder(), **OPTIONS, groups=person)
    assert p_value(null.added["dwi"]) > 0.05
    assert p_value(null.total) == pytest.approx(1 / 61)


def test_p_values_are_uniform_where_features_tell_who_it_is():
    """Over 60 studies: mean 1/2 and 5% below 0.05, within three standard errors; free permutations reject all."""
    studies = [visits(seed, 20) for seed in range(60)]
    found = [
        permutation_null(
            X | {"t1": X["dwi"][:, :3]}, y, RidgeEncoder(), permutations=19, folds=3, seed=k, groups=person
        )
        for k, (X, y, person) in enumerate(studies)
    ]
    p = np.array([p_value(null.total) for null in found])
    assert abs(p.mean() - 0.525) < 3 * 0.29 / np.sqrt(60)
    assert np.mean(p <= 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_groups_that_cannot_be_exchanged_have_no_null():
    X, y = people(12)
    with pytest.raises(InputError, match="of 3 group"):
        permutation_null(X, y, RidgeEncoder(), **{**OPTIONS, "folds": 2}, groups=np.repeat([0, 1, 2], [3, 4, 5]))


def of_two_sites(n: int = 160, seed: int = 0):
    """Ages of two sites that differ, t1 that tells the site alone, dwi that tells the age within sites too."""
    rng = np.random.default_rng(seed)
    site = np.arange(n) % 2
    z = rng.normal(size=n)
    X = {"t1": 4.0 * site[:, None] + rng.normal(size=(n, 4)), "dwi": z[:, None] + rng.normal(size=(n, 3))}
    return X, 50 + 20 * site + 5 * z, ControlDesign.of({"site": pd.Series(site.astype(str))})


def test_beyond_the_site_a_signature_of_the_site_tells_nothing_and_the_rest_is_found():
    X, y, design = of_two_sites()
    without = permutation_null({"t1": X["t1"], "dwi": X["t1"][:, :1]}, y, RidgeEncoder(), **OPTIONS)
    assert without.total[0] > 0.5
    signature = {"t1": X["t1"], "dwi": np.random.default_rng(1).normal(size=(len(y), 2))}
    beyond = permutation_null(signature, y, RidgeEncoder(), controls=design, **OPTIONS)
    assert abs(beyond.total[0]) < 0.03
    assert p_value(beyond.total) > 0.1
    assert p_value(beyond.added["t1"]) > 0.1
    found = permutation_null(X, y, RidgeEncoder(), controls=design, **OPTIONS)
    assert p_value(found.total) == pytest.approx(1 / 61)
    assert p_value(found.added["dwi"]) == pytest.approx(1 / 61)
    assert p_value(found.added["t1"]) > 0.05


def test_people_are_exchanged_within_sites():
    level = np.array([0, 0, 1, 1, 1, 2])
    for exchange in (exchange_of(np.arange(6.0), None, level), exchange_of_rows(6, None, level)):
        orders = exchange.orders(50, np.random.default_rng(0))
        assert (level[orders] == level).all()
        assert len(np.unique(orders, axis=0)) > 6
        assert exchange.staying == 1


def test_tables_beyond_controls_come_back_by_what_is_given():
    one, other = (Null(np.arange(3.0) + k, {"t1": np.arange(3.0), "dwi": np.ones(3)}, 9) for k in (0, 1))
    found = nulls_of_table(pd.concat([null_table(one), null_table(other, "site")]))
    assert list(found) == ["", "site"]
    np.testing.assert_array_equal(found["site"].total, other.total)
