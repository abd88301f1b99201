"""Boosted trees by LightGBM, grown in one thread so that the same seed gives the same trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Self

import numpy as np

from brainpid.core.arrays import FloatArray


def boosted_trees(
    features: FloatArray,
    scores: FloatArray,
    *,
    trees: int,
    learning_rate: float,
    leaves: int,
    fewest: int,
    part: float,
    bins: int,
    seed: int,
) -> Any:
    """Grow trees of which each corrects the sum of those before it.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        Without NaN.
    scores : ndarray, shape (n,)
    trees, leaves : int
        Number of trees, and most leaves of each.
    learning_rate : float
    fewest : int
        Fewest people in a leaf.
    part : float
        Part of the features that each tree sees; a draw for each node costs several times as much.
    bins : int
        Of each feature, at most.
    seed : int

    Returns
    -------
    lightgbm.Booster

    References
    ----------
    Ke et al. 2017, NeurIPS 30:3146.
    """
    lightgbm = _library()
    data = lightgbm.Dataset(features, scores, params={"max_bin": bins, "verbose": -1})
    options = {
        "objective": "regression",
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "min_data_in_leaf": fewest,
        "feature_fraction": part,
        "max_bin": bins,
        "seed": seed % 2**31,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbose": -1,
    }
    return lightgbm.train(options, data, trees)


def _library() -> Any:
    """LightGBM; its wheel takes OpenMP from the system, and where that has none from torch, which brings one."""
    try:
        return import_module("lightgbm")
    except OSError:
        import_module("torch")
        return import_module("lightgbm")


@dataclass
class Boosted:
    """Boosted trees in the form of scikit-learn's regressors.

    Attributes
    ----------
    options : dict
        Of `boosted_trees`.
    trees : lightgbm.Booster
    """

    options: dict[str, Any]
    trees: Any = field(default=None)

    def fit(self, features: FloatArray, scores: FloatArray) -> Self:
        """Grow trees on features (n, p) and scores (n,)."""
        self.trees = boosted_trees(features, scores, **self.options)
        return self

    def predict(self, features: FloatArray, number: int | None = None) -> FloatArray:
        """Predictions (n,) by all trees, or by the first `number` of them."""
        return np.asarray(self.trees.predict(features, num_iteration=number, num_threads=1))


def tree_arrays(booster: Any) -> tuple[dict[str, list[Any]], int]:
    """Nodes of every tree of a model, by name as `brainpid.model.tree_steps.Nodes.joined` takes them, and the depth."""
    trees = [_nodes(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]]
    depth = max(tree.pop("depth") for tree in trees)
    return {name: [tree[name] for tree in trees] for name in trees[0]}, depth


def _nodes(root: Mapping[str, Any]) -> dict[str, Any]:
    """Nodes of one tree of LightGBM, parents before children: arrays (nodes,) by name, and the depth of the deepest."""
    rows: list[tuple[int, int, int, float, float, bool]] = []
    waiting: list[tuple[Mapping[str, Any], int, int, int]] = [(root, -1, 0, 0)]
    deepest = 0
    children: dict[int, list[int]] = {}
    while waiting:
        node, parent, side, depth = waiting.pop()
        place, leaf = len(rows), "leaf_value" in node
        deepest = max(deepest, depth)
        if parent >= 0:
            children.setdefault(parent, [0, 0])[side] = place
        if leaf:
            rows.append((0, 0, 0, 0.0, float(node["leaf_value"]), True))
        else:
            rows.append((int(node["split_feature"]), 0, 0, float(node["threshold"]), 0.0, False))
            waiting += [(node["left_child"], place, 0, depth + 1), (node["right_child"], place, 1, depth + 1)]
    feature, left, right, threshold, value, leaf_of = (np.array(column) for column in zip(*rows, strict=True))
    for parent, (first, second) in children.items():
        left[parent], right[parent] = first, second
    return {
        "feature": feature, "left": left, "right": right, "threshold": threshold, "value": value, "leaf": leaf_of,
        "depth": deepest,
    }  # fmt: skip
