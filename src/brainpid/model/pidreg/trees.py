"""Trees kept as plain arrays: a forest of randomised trees by scikit-learn, or boosted trees by LightGBM.

Plain arrays can be saved beside a network and read again without executing anything, which a pickled estimator cannot.

References
----------
Geurts, Ernst and Wehenkel 2006, Machine Learning 63:3 (extremely randomised trees); Friedman 2001, Annals of Statistics
29:1189 (boosting).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.model.boosting import boosted_trees, tree_arrays
from brainpid.model.tree_steps import Nodes, TreeSteps
from brainpid.model.varying import Additive, Reading, WholeReads

RANDOMISED: dict[str, Any] = {"n_estimators": 100, "max_features": 0.33}
BOOSTING: dict[str, Any] = {"trees": 500, "learning_rate": 0.05, "leaves": 31, "part": 0.6, "bins": 255}
MOST_OF_A_TREE, MOST_OF_A_NODE = 1000, 330
"""Features that a boosted tree, or a node of a randomised one, sees at most: their cost grows with the width, and among
thousands of features many tell alike."""
FEWEST_IN_LEAF = (3, 20)
"""People in a leaf of boosted trees at least: a twentieth of all, within these bounds."""


@dataclass(frozen=True)
class Trees(Nodes):
    """Grown trees; a prediction is the sum of the values of the leaves that a person comes to."""

    @classmethod
    def randomised(cls, blocks: Blocks, scores: FloatArray, seed: int, **changes: Any) -> Trees:
        """Grow a forest of extremely randomised trees, whose mean is predicted; `changes` of `RANDOMISED`."""
        table, options = _table(blocks), {**RANDOMISED, **changes}
        options["max_features"] = min(options["max_features"], MOST_OF_A_NODE / table.shape[1])
        grown = ExtraTreesRegressor(**options, random_state=seed).fit(table, scores)
        return cls.of_forest(grown)

    @classmethod
    def boosted(cls, blocks: Blocks, scores: FloatArray, seed: int, **changes: Any) -> Trees:
        """Grow trees of which each corrects the sum of those before it; `changes` of `BOOSTING`."""
        fewest = int(np.clip(len(scores) // 20, *FEWEST_IN_LEAF))
        table, options = _table(blocks), {**BOOSTING, "fewest": fewest, **changes}
        options["part"] = min(options["part"], MOST_OF_A_TREE / table.shape[1])
        grown = boosted_trees(table, scores, **options, seed=seed)
        columns, depth = tree_arrays(grown)
        return cls.joined(**columns, depth=depth)

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predictions (n,) for blocks (n, p_m)."""
        return self.scores(_table(blocks))

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
