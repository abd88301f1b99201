"""Tree baselines: gradient boosting and a random forest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from brainpid.config.models import GradientBoostingSettings, RandomForestSettings, TargetTransform
from brainpid.core.arrays import FloatArray
from brainpid.model.baselines.early_fusion import ConcatenatedRegressor, Setting
from brainpid.model.boosting import Boosted


class GradientBoosting(ConcatenatedRegressor):
    """Gradient boosting of trees by LightGBM; size and number of trees by the held-out error among training people.

    Parameters
    ----------
    learning_rate : float
        Shrinkage of each tree.
    max_iter : int
        Largest number of trees.
    max_leaf_nodes : tuple of int
        Largest numbers of leaves tried; beyond the first, those that half of the people can fill.
    min_samples_leaf : int
        Fewest people in a leaf.
    max_features : float
        Part of the features that each tree sees.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds and of the features that a tree sees.
    """

    section = GradientBoostingSettings

    def __init__(
        self,
        learning_rate: float = 0.1,
        max_iter: int = 150,
        max_leaf_nodes: tuple[int, ...] = (8, 31),
        min_samples_leaf: int = 10,
        max_features: float = 0.3,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.target_transform = target_transform
        self.random_state = random_state

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """Sizes, and every tenth part of the number of trees; a subset takes over what was chosen."""
        if start is not None:
            return [start]
        numbers = sorted({max(1, self.max_iter * part // _STOPS) for part in range(1, _STOPS + 1)})
        filled = [leaves for leaves in self.max_leaf_nodes[1:] if 2 * leaves * self.min_samples_leaf <= len(scores)]
        sizes = [self.max_leaf_nodes[0], *filled]
        bins = int(np.clip(len(scores) // _PEOPLE_PER_BIN, 32, 255))
        return [
            {"max_leaf_nodes": leaves, "max_iter": number, "max_bins": bins} for leaves in sizes for number in numbers
        ]

    def path(
        self, features: FloatArray, scores: FloatArray, new: FloatArray, settings: Sequence[Setting]
    ) -> FloatArray:
        """Predictions (settings, k), all numbers of trees of one size from one fit."""
        predicted: list[FloatArray] = []
        for _, group in groupby(settings, lambda setting: setting["max_leaf_nodes"]):
            same = list(group)
            grown = self.regressor(same[-1]).fit(features, scores)
            predicted += [grown.predict(new, setting["max_iter"]) for setting in same]
        return np.stack(predicted)

    def regressor(self, setting: Setting) -> Any:
        """Boosted trees of one size."""
        options = {
            "trees": setting["max_iter"],
            "learning_rate": self.learning_rate,
            "leaves": setting["max_leaf_nodes"],
            "fewest": self.min_samples_leaf,
            "part": self.max_features,
            "bins": setting["max_bins"],
            "seed": self.random_state,
        }
        return Boosted(options)


_STOPS = 10
_PEOPLE_PER_BIN = 4
"""Fewest people, on average, in a bin of a feature; finer bins cost time and were no more accurate."""


class RandomForest(ConcatenatedRegressor):
    """Random forest.

    Parameters
    ----------
    trees : int
        Number of trees; held-out people are predicted by forests of a third of it, whose errors are hardly larger.
    max_features : float
        Part of the features that each split sees.
    min_samples_leaf : int
        Fewest people in a leaf.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds, the people of each tree and the features that a split sees.
    """

    section = RandomForestSettings

    def __init__(
        self,
        trees: int = 200,
        max_features: float = 0.33,
        min_samples_leaf: int = 3,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.trees = trees
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.target_transform = target_transform
        self.random_state = random_state

    def path(
        self, features: FloatArray, scores: FloatArray, new: FloatArray, settings: Sequence[Setting]
    ) -> FloatArray:
        """Predictions (1, k) of a smaller forest."""
        forest = self.regressor({"trees": max(1, self.trees // 3)})
        return np.asarray(forest.fit(features, scores).predict(new))[None]

    def regressor(self, setting: Setting) -> Any:
        """scikit-learn's random forest."""
        return RandomForestRegressor(
            setting.get("trees", self.trees),
            max_features=self.max_features,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
        )
