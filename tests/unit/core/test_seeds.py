"""Seeds differ wherever their places do, and are the same everywhere else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from brainpid.core.seeds import derive


def test_a_seed_is_the_same_on_every_machine():
    """The bytes that are hashed are fixed by the project alone: another encoding would move every result."""
    assert [derive(0), derive(0, "train", 1, 2), derive(7, "null", "Köln")] == [1751011464, 88832453, 453234203]


def test_places_that_differ_have_other_seeds():
    places = [("a", "b"), ("a|b",), ("a", "b", ""), ("ab",), (("a", "b"),), ("a", 1), ("a", "1"), (1, 0), (10,), ()]
    seeds = {derive(seed, *place) for seed in (0, 1) for place in places}
    assert len(seeds) == 2 * len(places)
    grid = {derive(0, "train", repeat, fold) for repeat, fold in itertools.product(range(60), range(60))}
    assert len(grid) == 3600
    assert all(0 <= seed < 2**31 for seed in grid)


def test_numbers_of_numpy_are_numbers():
    assert derive(np.int64(3), "fold", np.int32(4)) == derive(3, "fold", 4)
    with pytest.raises(TypeError):
        derive(0, object())
