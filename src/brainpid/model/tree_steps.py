"""What trees predict of people of whom one feature at a time is changed, all features at once.

A feature moves a person only in the trees that look at it on the person's way down, so that the cost is that of the
ways, people by trees by depth, and not of the features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from brainpid.core.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Nodes:
    """Trees as arrays of nodes, end to end.

    Attributes
    ----------
    feature, left, right : ndarray of int, shape (nodes,)
        Column that a node looks at and its children; children of a leaf are the leaf itself.
    threshold, value : ndarray, shape (nodes,)
        A row goes left where its feature is at most the threshold; what a leaf adds to the score.
    root : ndarray of int, shape (trees,)
    depth : int
        Of the deepest tree.
    """

    feature: IntArray
    left: IntArray
    right: IntArray
    threshold: FloatArray
    value: FloatArray
    root: IntArray
    depth: int

    @classmethod
    def joined(
        cls,
        feature: Sequence[IntArray],
        left: Sequence[IntArray],
        right: Sequence[IntArray],
        threshold: Sequence[FloatArray],
        value: Sequence[FloatArray],
        leaf: Sequence[BoolArray],
        depth: int,
    ) -> Self:
        """Put the nodes of several trees, of which each counts its own from 0, end to end."""
        start = np.cumsum([0, *(len(tree) for tree in feature)])
        ends, own, shift = np.concatenate(list(leaf)), np.arange(start[-1]), np.repeat(start[:-1], np.diff(start))

        def children(side: Sequence[IntArray]) -> IntArray:
            return np.where(ends, own, np.concatenate(list(side)).astype(np.int64) + shift)

        return cls(
            np.where(ends, 0, np.concatenate(list(feature)).astype(np.int64)),
            children(left),
            children(right),
            np.concatenate(list(threshold)).astype(np.float64),
            np.concatenate(list(value)).astype(np.float64),
            start[:-1],
            depth,
        )

    @classmethod
    def of_forest(cls, forest: Any) -> Self:
        """Nodes of a forest of scikit-learn, whose trees' mean is the score."""
        trees = [tree.tree_ for tree in forest.estimators_]
        return cls.joined(
            [tree.feature for tree in trees],
            [tree.children_left for tree in trees],
            [tree.children_right for tree in trees],
            [tree.threshold for tree in trees],
            [tree.value[:, 0, 0] / len(trees) for tree in trees],
            [tree.children_left < 0 for tree in trees],
            max(tree.max_depth for tree in trees),
        )

    def on(self, used: IntArray) -> Self:
        """Rewrite the trees for rows of those columns alone, ascending, that nodes look at."""
        return replace(self, feature=np.searchsorted(used, self.feature))

    def scores(self, features: FloatArray) -> FloatArray:
        """Sum of the leaves (n,) of rows (n, p)."""
        rows = np.arange(len(features))[:, None]
        node = np.broadcast_to(self.root, (len(features), len(self.root)))
        for _ in range(self.depth):
            node = _down(self, node, features[rows, self.feature[node]])
        return np.asarray(self.value[node].sum(axis=1))


@dataclass(frozen=True)
class TreeSteps:
    """The ways of people down trees, by the features looked at on them.

    Attributes
    ----------
    nodes : Nodes
    features : ndarray, shape (n, p)
        Of the people, as the trees take them.
    column, row, person, node : ndarray of int, shape (ways,)
        A feature of the modality, ascending; the row of `features`; the person whose score it is; the first node
        where that feature is looked at on the way of that row down one tree.
    place : ndarray of int, shape (p_m,)
        Column of `features` of each feature of the modality.
    leaf : ndarray, shape (ways,)
        What the tree adds to the score as it is.
    single : bool
        Whether features enter in single precision.
    """

    nodes: Nodes
    features: FloatArray
    column: IntArray
    row: IntArray
    person: IntArray
    node: IntArray
    place: IntArray
    leaf: FloatArray
    single: bool

    @classmethod
    def of(cls, nodes: Nodes, features: FloatArray, start: int, width: int, single: bool) -> TreeSteps:
        """Walk all people down all trees.

        Parameters
        ----------
        nodes : Nodes
        features : ndarray, shape (n, p)
        start, width : int
            Where the columns of the modality begin in `features`, and how many they are.
        single : bool
            Whether the trees take features in single precision.
        """
        features = rounded(features, single)
        rows = np.arange(len(features))[:, None]
        node = np.broadcast_to(nodes.root, (len(features), len(nodes.root)))
        passed = []
        for _ in range(nodes.depth):
            passed.append(node)
            node = _down(nodes, node, features[rows, nodes.feature[node]])
        way = np.stack(passed) if passed else np.empty((0, *node.shape), dtype=np.int64)
        column = nodes.feature[way] - start
        level, row, tree = np.nonzero((nodes.left[way] != way) & (column >= 0) & (column < width))
        column, first = column[level, row, tree], way[level, row, tree]
        # The first of equal triples is the uppermost node: levels are the slowest index of the three.
        key = (column * len(features) + row) * len(nodes.root) + tree
        _, kept = np.unique(key, return_index=True)
        column, row, tree, first = column[kept], row[kept], tree[kept], first[kept]
        leaf, place = nodes.value[node[row, tree]], np.arange(start, start + width)
        return cls(nodes, features, column, row, row, first, place, leaf, single)

    def changes(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Change of the scores (k, n, c) where each of the columns alone is replaced by `values` (k, n, c)."""
        at = np.full(len(self.place), -1)
        at[columns] = np.arange(len(columns))
        own = at[self.column] >= 0
        column, row, person, first = at[self.column[own]], self.row[own], self.person[own], self.node[own]
        new = rounded(values[:, person, column], self.single)
        looked_at = self.place[self.column[own]]
        node = np.broadcast_to(first, new.shape)
        for _ in range(self.nodes.depth):
            feature = self.nodes.feature[node]
            entered = np.where(feature == looked_at, new, self.features[row, feature])
            node = _down(self.nodes, node, entered)
        moved = self.nodes.value[node] - self.leaf[own]
        places = person * values.shape[2] + column
        size = values.shape[1] * values.shape[2]
        sums = [np.bincount(places, one, minlength=size) for one in moved]
        return np.asarray(np.stack(sums).reshape(values.shape), dtype=np.float64)


def rounded(features: FloatArray, single: bool) -> FloatArray:
    """Features as trees take them: a value between two thresholds must not change sides."""
    return features.astype(np.float32).astype(np.float64) if single else features


def _down(nodes: Nodes, node: IntArray, value: FloatArray) -> IntArray:
    """One step down from each node with the value of the feature that it looks at."""
    return np.where(value <= nodes.threshold[node], nodes.left[node], nodes.right[node])
