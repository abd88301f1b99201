"""Trees grown by scikit-learn and kept as plain arrays: a forest of randomised trees, or trees that boost one another.

Plain arrays can be saved beside a network and read again without executing anything, which a pickled estimator cannot.

References
----------
Geurts, Ernst and Wehenkel 2006, Machine Learning 63:3 (extremely randomised trees); Friedman 2001, Annals of Statistics
29:1189 (boosting).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.model.tree_steps import TreeSteps
from brainpid.model.varying import Additive, Reading, WholeReads

RANDOMISED = {"n_estimators": 100, "max_features": 0.33}
BOOSTING = {"learning_rate": 0.05, "max_iter": 400, "max_leaf_nodes": 31, "max_features": 0.3, "early_stopping": False}


@dataclass(frozen=True)
class Trees:
    """Grown trees, their nodes end to end; a prediction is the offset and the sum of the values of all leaves.

    Attributes
    ----------
    feature, left, right : ndarray of int, shape (nodes,)
        Column that a node looks at and its children; children of a leaf are the leaf itself.
    threshold, value : ndarray, shape (nodes,)
        A row goes left where its feature is at most the threshold; contribution of a leaf.
    root : ndarray of int, shape (trees,)
    depth : int
        Of the deepest tree.
    offset : float
    """

    feature: IntArray
    left: IntArray
    right: IntArray
    threshold: FloatArray
    value: FloatArray
    root: IntArray
    depth: int
    offset: float

    @classmethod
    def randomised(cls, blocks: Blocks, scores: FloatArray, seed: int) -> Trees:
        """Grow a forest of extremely randomised trees on blocks (n, p_m) and scores (n,); their mean is predicted."""
        grown = ExtraTreesRegressor(**RANDOMISED, random_state=seed).fit(_table(blocks), scores)
        trees = [tree.tree_ for tree in grown.estimators_]
        return cls._joined(
            [tree.feature for tree in trees],
            [tree.children_left for tree in trees],
            [tree.children_right for tree in trees],
            [tree.threshold for tree in trees],
            [tree.value[:, 0, 0] / len(trees) for tree in trees],
            [tree.children_left < 0 for tree in trees],
            max(tree.max_depth for tree in trees),
            0.0,
        )

    @classmethod
    def boosted(cls, blocks: Blocks, scores: FloatArray, seed: int) -> Trees:
        """Grow trees of which each corrects the sum of those before it."""
        grown = HistGradientBoostingRegressor(**BOOSTING, random_state=seed).fit(_table(blocks), scores)
        # scikit-learn has no public view of these trees; a test compares the predictions.
        nodes = [predictor.nodes for (predictor,) in grown._predictors]
        return cls._joined(
            [tree["feature_idx"] for tree in nodes],
            [tree["left"] for tree in nodes],
            [tree["right"] for tree in nodes],
            [tree["num_threshold"] for tree in nodes],
            [tree["value"] for tree in nodes],
            [tree["is_leaf"] == 1 for tree in nodes],
            max(int(tree["depth"].max()) for tree in nodes),
            float(grown._baseline_prediction.item()),
        )

    @classmethod
    def _joined(
        cls,
        feature: Sequence[IntArray],
        left: Sequence[IntArray],
        right: Sequence[IntArray],
        threshold: Sequence[FloatArray],
        value: Sequence[FloatArray],
        leaf: Sequence[BoolArray],
        depth: int,
        offset: float,
    ) -> Trees:
        """Put the nodes of several trees end to end."""
        start = np.cumsum([0, *(len(tree) for tree in feature)])
        ends = np.concatenate(list(leaf))
        own = np.arange(start[-1])
        shift = np.repeat(start[:-1], np.diff(start))

        def children(side: Sequence[IntArray]) -> IntArray:
            return np.where(ends, own, np.concatenate(list(side)).astype(np.int64) + shift)

        return cls(
            feature=np.where(ends, 0, np.concatenate(list(feature)).astype(np.int64)),
            left=children(left),
            right=children(right),
            threshold=np.concatenate(list(threshold)).astype(np.float64),
            value=np.concatenate(list(value)).astype(np.float64),
            root=start[:-1],
            depth=depth,
            offset=offset,
        )

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predictions (n,) for blocks (n, p_m)."""
        features = _table(blocks)
        rows = np.arange(len(features))[:, None]
        node = np.broadcast_to(self.root, (len(features), len(self.root)))
        for _ in range(self.depth):
            node = np.where(
                features[rows, self.feature[node]] <= self.threshold[node], self.left[node], self.right[node]
            )
        predicted: FloatArray = self.offset + self.value[node].sum(axis=1)
        return predicted

    def vary(self, blocks: Blocks, modality: str) -> Reading:
        """People as they vary in one modality; trees look at few features, so that the rest is left out."""
        widths = {m: block.shape[1] for m, block in blocks.items()}
        used = np.unique(np.concatenate([self.feature, [0]]))
        place = np.searchsorted(used, self.feature)
        small, start, chosen = {}, 0, {}
        for m, width in widths.items():
            chosen[m] = used[(used >= start) & (used < start + width)] - start
            small[m], start = blocks[m][:, chosen[m]], start + width
        read = WholeReads(replace(self, feature=place).predict, small, modality)

        def changed(columns: IntArray, values: FloatArray) -> FloatArray:
            seen = np.isin(columns, chosen[modality])
            return read(np.searchsorted(chosen[modality], columns[seen]), values[..., seen])

        return changed

    def additive(self, blocks: Blocks, modality: str) -> Additive:
        """What each feature does alone: trees are read as they are, on the ways of these people."""
        n, width = blocks[modality].shape
        start = sum(blocks[m].shape[1] for m in list(blocks)[: list(blocks).index(modality)])
        steps = TreeSteps.of(self, np.column_stack(list(blocks.values())), start, width, single=True)
        return Additive(np.zeros((n, width)), [(np.ones(n), steps)], exact=True)


def _table(blocks: Blocks) -> FloatArray:
    # Single precision, as scikit-learn's forests have it: a value between two thresholds must not change sides.
    return np.column_stack(list(blocks.values())).astype(np.float32).astype(np.float64)
