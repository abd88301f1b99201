"""Who is in a study twice is found, by equal and by nearly equal rows, and relatives and chance are not."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.features.same_people import same_rows


def families(n: int, p: int, correlation: float = 0.6, seed: int = 0) -> np.ndarray:
    """Pairs of relatives, rows k and k + n / 2, of one general factor besides."""
    rng = np.random.default_rng(seed)
    shared = np.tile(rng.normal(size=(n // 2, p)), (2, 1))
    own = rng.normal(size=(n, p))
    return np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own + 2 * rng.normal(size=(n, 1))


@pytest.mark.parametrize(("n", "p"), [(60, 5), (60, 100), (300, 20), (1500, 10), (1500, 200)])
def test_planted_people_are_found_and_nobody_else(n, p):
    rng = np.random.default_rng(1)
    values = families(n, p)
    sd = values.std(axis=0)
    values[7] = values[2]
    values[30] = values[4] + 1e-3 * sd * rng.normal(size=p)
    found = same_rows(values)
    assert [(pair.one, pair.other) for pair in found] == [(2, 7), (4, 30)]
    assert found[0].ratio == 0
    assert 0 < found[1].ratio < 0.05


@pytest.mark.parametrize("shape", [lambda x: x, np.exp, lambda x: x.round(1), np.round, lambda x: x[:, :3]])
@pytest.mark.parametrize("n", [60, 600])
def test_nobody_is_found_among_relatives(n, shape):
    for seed in range(3):
        assert same_rows(shape(families(n, 20, seed=seed))) == []


def test_what_is_lacking_and_the_units_do_not_matter():
    values = families(200, 12)
    values[50, :4] = np.nan
    values[60] = values[50]
    values[70] = values[80] = np.nan  # nobody's
    assert [(pair.one, pair.other) for pair in same_rows(values * np.logspace(-6, 6, 12))] == [(50, 60)]


def test_several_copies_are_paired_with_the_first():
    values = families(100, 30)
    values[[9, 20, 40]] = values[3]
    assert [(pair.one, pair.other) for pair in same_rows(values)] == [(3, 9), (3, 20), (3, 40)]


def test_equal_rows_of_a_few_codes_are_chance():
    rng = np.random.default_rng(0)
    assert same_rows(rng.integers(0, 4, size=(300, 4)).astype(float)) == []
    assert same_rows(np.ones((50, 6))) == []
    assert same_rows(np.empty((0, 3))) == []
    assert same_rows(np.full((5, 2), np.nan)) == []
