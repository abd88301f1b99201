"""A feature that is the target is told, and one that merely depends on it is not."""

from __future__ import annotations

import numpy as np

from brainpid.features.block import FeatureBlock
from brainpid.features.target_copies import copies_of_target


def block(values: np.ndarray) -> FeatureBlock:
    n, p = values.shape
    people = tuple(f"sub-{k}" for k in range(n))
    names = tuple("abc"[:p])
    return FeatureBlock("t1", people, names, ("",) * p, values, ("SUCCESS",) * n, ("",) * n)


def test_a_copy_of_the_target_is_told_and_a_strong_feature_is_not():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, 200)
    values = np.column_stack([1000 - 365 * age, age + rng.normal(0, 5, 200), np.full(200, 3.0)])
    age[:3] = np.nan
    said = copies_of_target(block(values), age)
    assert said.startswith("'a' (r = -1.000, 197 people) of t1 is nearly the target itself")
    assert copies_of_target(block(values[:, 1:]), age) == ""


def test_of_few_people_nothing_is_told():
    age = np.arange(9.0)
    assert copies_of_target(block(age[:, None]), age) == ""
