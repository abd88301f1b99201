"""A forest of extremely randomised trees, grown by scikit-learn and kept as plain arrays.

Plain arrays can be saved beside a network and read again without executing anything, which a pickled estimator cannot.

References
----------
Geurts, Ernst and Wehenkel 2006, Machine Learning 63:3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from brainpid.arrays import FloatArray, IntArray

TREES = 100
FEATURES = 0.33  # part of the features that a split sees
LEAF = 2  # fewest people in a leaf
_NO_CHILD = -1


@dataclass(frozen=True)
class Forest:
    """Grown trees, their nodes end to end.

    Attributes
    ----------
    feature, left, right : ndarray of int, shape (nodes,)
        Column that a node looks at and its children; children of a leaf are the leaf itself.
    threshold, value : ndarray, shape (nodes,)
        A row goes left where its feature is at most the threshold; mean target of the node.
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
    def fit(cls, features: FloatArray, target: FloatArray, seed: int) -> Forest:
        """Grow trees on features (n, p) and a target (n,)."""
        grown = ExtraTreesRegressor(TREES, max_features=FEATURES, min_samples_leaf=LEAF, random_state=seed)
        trees = [tree.tree_ for tree in grown.fit(features, target).estimators_]
        start = np.cumsum([0, *(tree.node_count for tree in trees)])
        places = [at + np.arange(tree.node_count) for at, tree in zip(start, trees, strict=False)]

        def children(side: str) -> IntArray:
            pairs = zip(places, (getattr(tree, side) for tree in trees), strict=True)
            return np.concatenate([np.where(child == _NO_CHILD, own, child + own[0]) for own, child in pairs])

        return cls(
            feature=np.concatenate([np.maximum(tree.feature, 0) for tree in trees]),
            left=children("children_left"),
            right=children("children_right"),
            threshold=np.concatenate([tree.threshold for tree in trees]),
            value=np.concatenate([tree.value[:, 0, 0] for tree in trees]),
            root=start[:-1],
            depth=max(tree.max_depth for tree in trees),
        )

    def predict(self, features: FloatArray) -> FloatArray:
        """Mean of the trees for features (n, p), shape (n,)."""
        rows = np.arange(len(features))[:, None]
        table = features.astype(np.float32)  # as the trees were grown
        node = np.broadcast_to(self.root, (len(features), len(self.root)))
        for _ in range(self.depth):
            node = np.where(table[rows, self.feature[node]] <= self.threshold[node], self.left[node], self.right[node])
        return self.value[node].mean(axis=1)
