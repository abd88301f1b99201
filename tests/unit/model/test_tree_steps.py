"""One feature at a time is changed in trees by the ways that look at it."""

from __future__ import annotations

import numpy as np

from brainpid.model.tree_steps import Nodes, TreeSteps

# The first tree looks at column 2, then left at 0 and right at 2 again; the second is a leaf.
NODES = Nodes.joined(
    [np.array([2, 0, 2, 0, 0, 0, 0]), np.array([0])],
    [np.array([1, 3, 5, -1, -1, -1, -1]), np.array([-1])],
    [np.array([2, 4, 6, -1, -1, -1, -1]), np.array([-1])],
    [np.array([0.0, 1, 2, 0, 0, 0, 0]), np.array([0.0])],
    [np.array([0.0, 0, 0, 1, 2, 4, 8]), np.array([16.0])],
    [np.array([False, False, False, True, True, True, True]), np.array([True])],
    depth=2,
)
ROWS = np.array([[0.0, 0, -1], [5, 0, -1], [0, 0, 1], [0, 0, 3]])


def test_scores_are_sums_of_leaves():
    assert NODES.scores(ROWS).tolist() == [17, 18, 20, 24]
    used = np.array([0, 2])
    assert NODES.on(used).scores(ROWS[:, used]).tolist() == [17, 18, 20, 24]


def test_each_feature_alone_moves_those_whose_way_it_is_on():
    steps = TreeSteps.of(NODES, ROWS, 0, 3, single=False)
    values = np.stack([np.full((4, 3), 5.0), np.full((4, 3), -5.0)])
    expected = np.zeros((2, 4, 3))
    for k, j in np.ndindex(2, 3):
        changed = ROWS.copy()
        changed[:, j] = values[k, :, j]
        expected[k, :, j] = NODES.scores(changed) - NODES.scores(ROWS)
    assert expected[0, :, 2].tolist() == [7, 6, 4, 0]  # known: to the last leaf
    np.testing.assert_array_equal(steps.changes(np.arange(3), values), expected)
    np.testing.assert_array_equal(steps.changes(np.array([2, 0]), values[..., [2, 0]]), expected[..., [2, 0]])
    of_the_last = TreeSteps.of(NODES, ROWS, 1, 2, single=False)
    np.testing.assert_array_equal(of_the_last.changes(np.arange(2), values[..., 1:]), expected[..., 1:])


def test_the_cost_is_that_of_the_ways_and_not_of_the_features():
    wide = np.column_stack([ROWS, np.zeros((4, 10_000))])
    assert len(TreeSteps.of(NODES, wide, 0, 10_003, single=False).column) == 6  # two rows look at 2 and 0, two at 2
    assert len(TreeSteps.of(NODES, wide, 3, 10_000, single=False).column) == 0


def test_single_precision_decides_at_a_threshold():
    rows = np.array([[0.0, 0, 1e-46]])  # is 0 in single precision
    assert TreeSteps.of(NODES, rows, 0, 3, single=True).leaf.tolist() == [1, 1]
    assert TreeSteps.of(NODES, rows, 0, 3, single=False).leaf.tolist() == [4]
