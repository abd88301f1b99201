"""Groups of correlated features of a known make."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.evaluation import correlated
from brainpid.evaluation.correlated import correlated_groups

RNG = np.random.default_rng(0)
AXES = RNG.normal(size=(300, 2))
# Four of the first axis (one turned round), three of the second, two of none, one constant.
FEATURES = np.column_stack(
    [
        AXES[:, [0]] * [1, -1, 1, 5] + [100, 0, 0, 0] + RNG.normal(size=(300, 4)) * [0.1, 0.3, 0.5, 2],
        AXES[:, [1]] + RNG.normal(size=(300, 3)) * 0.4,
        RNG.normal(size=(300, 2)),
        np.ones(300),
    ]
)
NAMES = list("abcdefghij")


def test_features_of_one_axis_are_one_group_by_the_name_of_its_middle():
    found = correlated_groups(FEATURES, NAMES, 0)
    assert found[:4] == ["a"] * 4  # the least noisy one, whatever the sign
    assert len(set(found[4:7])) == 1
    assert found[4] in "efg"
    assert found[7:] == [None] * 3


def test_lacking_people_and_cells_and_the_scale_do_not_matter():
    lacking = np.where(np.arange(300)[:, None] < 50, np.nan, FEATURES * 1e-9)
    lacking[60:70, 0] = np.nan
    assert correlated_groups(lacking, NAMES, 0)[:4] == ["a"] * 4
    assert correlated_groups(FEATURES[:19], NAMES, 0) == [None] * 10
    assert correlated_groups(FEATURES[:, :1], NAMES[:1], 0) == [None]


@pytest.mark.parametrize("most", [5, 10])
def test_a_wide_modality_is_joined_in_part_and_the_others_go_to_its_groups(monkeypatch, most):
    monkeypatch.setattr(correlated, "MOST_JOINED", most)
    wide = np.column_stack([FEATURES] * 3)
    names = [f"{name}{k}" for k in range(3) for name in NAMES]
    found = correlated_groups(wide, names, 0)
    first = [found[k] for k in range(30) if k % 10 < 4]
    second = [found[k] for k in range(30) if 4 <= k % 10 < 7]
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] != second[0]
