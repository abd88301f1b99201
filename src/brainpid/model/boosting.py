"""Boosted trees by LightGBM, grown in one thread so that the same seed gives the same trees."""

from __future__ import annotations

from importlib import import_module
from typing import Any

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
