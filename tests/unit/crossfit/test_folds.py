"""Folds are even, span the target, and keep groups together."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.crossfit.folds import random_folds, stratified_folds


def test_folds_are_even_and_span_the_target():
    y = np.random.default_rng(0).normal(size=103)
    assert sorted(np.bincount(random_folds(np.arange(103), 10, np.random.default_rng(0)))) == [10] * 7 + [11] * 3
    fold = stratified_folds(y, 10, np.random.default_rng(0))
    assert sorted(np.bincount(fold)) == [10] * 7 + [11] * 3
    assert max(abs(y[fold == k].mean()) for k in range(10)) < 0.25


def test_groups_share_a_fold_and_set_how_many_there_are():
    y = np.random.default_rng(0).normal(size=200)
    group = np.arange(200) // 4
    fold = stratified_folds(y, 5, np.random.default_rng(0), group)
    assert all(len(np.unique(fold[group == label])) == 1 for label in np.unique(group))
    assert np.bincount(fold).tolist() == [40] * 5
    few = stratified_folds(y, 10, np.random.default_rng(0), np.arange(200) % 3)
    assert sorted(np.bincount(few)) == [66, 67, 67]
    with pytest.raises(InputError, match="at least 2 groups, found 1"):
        stratified_folds(y, 5, np.random.default_rng(0), np.zeros(200))


def test_random_folds_of_independent_rows_are_a_permutation_of_even_ones():
    again = np.random.default_rng(4)
    found = random_folds(np.arange(23), 5, np.random.default_rng(4))
    np.testing.assert_array_equal(found, again.permutation(np.arange(23) % 5))


def test_random_folds_keep_groups_together_and_are_as_even_as_groups_allow():
    member = np.repeat(np.arange(9), [6, 5, 4, 1, 1, 1, 1, 1, 1])
    fold = random_folds(member, 3, np.random.default_rng(0))
    assert all(len(np.unique(fold[member == group])) == 1 for group in range(9))
    assert sorted(np.bincount(fold)) == [7, 7, 7]
    assert np.bincount(random_folds(np.repeat([0, 1], [3, 4]), 5, np.random.default_rng(0))).tolist() in (
        [3, 4],
        [4, 3],
    )
