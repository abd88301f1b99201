"""Linear baselines: ridge and elastic net, a whole path of penalties at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import groupby, product
from typing import Any

import numpy as np
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

from brainpid.config.models import ElasticNetSettings, RidgeSettings, TargetTransform
from brainpid.core.arrays import FloatArray
from brainpid.core.linalg import thin_svd
from brainpid.model.baselines.early_fusion import ConcatenatedRegressor, Setting


class Ridge(ConcatenatedRegressor):
    """Ridge regression with the penalty of the smallest held-out error among the training people.

    Parameters
    ----------
    log10_alpha_range : tuple of float
        Decimal logarithms of the smallest and the largest penalty.
    alphas : int
        Number of penalties tried, evenly spaced in the logarithm.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds.
    """

    section = RidgeSettings

    def __init__(
        self,
        log10_alpha_range: tuple[float, float] = (-2.0, 5.0),
        alphas: int = 29,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.log10_alpha_range = log10_alpha_range
        self.alphas = alphas
        self.target_transform = target_transform
        self.random_state = random_state

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """Every penalty; each subset chooses its own."""
        return [{"alpha": alpha} for alpha in np.logspace(*self.log10_alpha_range, self.alphas)]

    def path(
        self, features: FloatArray, scores: FloatArray, new: FloatArray, settings: Sequence[Setting]
    ) -> FloatArray:
        """Predictions (settings, k) of all penalties from one decomposition of the features."""
        alphas = np.array([setting["alpha"] for setting in settings])
        means, mean = features.mean(axis=0), scores.mean()
        u, s, vt = thin_svd("Ridge", features - means, *features.shape)
        kept = s > _NO_DIRECTION
        shrunk = (u.T @ (scores - mean) * s)[kept, None] / (s[kept, None] ** 2 + alphas)
        return np.asarray(mean + (new - means) @ (vt[kept].T @ shrunk)).T

    def regressor(self, setting: Setting) -> Any:
        """scikit-learn's ridge regression."""
        return linear_model.Ridge(**setting)


class ElasticNet(ConcatenatedRegressor):
    """Elastic net with mixing and penalty of the smallest held-out error among the training people.

    Parameters
    ----------
    l1_ratios : tuple of float
        Parts of the penalty that are absolute values: 1 is the lasso.
    alphas : int
        Number of penalties tried, evenly spaced in the logarithm below the one that sets every weight to zero.
    smallest_alpha : float
        The smallest penalty, as a part of that one.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds.
    """

    section = ElasticNetSettings

    def __init__(
        self,
        l1_ratios: tuple[float, ...] = (0.1, 0.5, 0.9),
        alphas: int = 20,
        smallest_alpha: float = 0.01,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.l1_ratios = l1_ratios
        self.alphas = alphas
        self.smallest_alpha = smallest_alpha
        self.target_transform = target_transform
        self.random_state = random_state

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """Mixings and penalties, largest penalty first; a subset chooses the penalty anew at the mixing of all."""
        ratios = self.l1_ratios if start is None else (start["l1_ratio"],)
        centred = features - features.mean(axis=0)
        largest = float(np.abs(centred.T @ (scores - scores.mean())).max()) / len(scores)
        parts = np.geomspace(1.0, self.smallest_alpha, self.alphas)
        return [{"l1_ratio": ratio, "alpha": part * largest / ratio} for ratio, part in product(ratios, parts)]

    def path(
        self, features: FloatArray, scores: FloatArray, new: FloatArray, settings: Sequence[Setting]
    ) -> FloatArray:
        """Predictions (settings, k), each mixing by one path with warm starts."""
        means, mean = features.mean(axis=0), scores.mean()
        centred = np.asfortranarray(features - means)
        predicted = []
        for ratio, group in groupby(settings, lambda setting: setting["l1_ratio"]):
            alphas = [setting["alpha"] for setting in group]
            with warnings.catch_warnings():  # a path that is cut short is judged by its held-out error as any other
                warnings.simplefilter("ignore", ConvergenceWarning)
                weights = linear_model.enet_path(
                    centred, scores - mean, l1_ratio=ratio, alphas=alphas, max_iter=1000, tol=_TOLERANCE
                )[1]
            predicted.append((new - means) @ weights + mean)
        return np.concatenate(predicted, axis=1).T

    def regressor(self, setting: Setting) -> Any:
        """scikit-learn's elastic net."""
        return linear_model.ElasticNet(**setting, max_iter=10000, tol=_TOLERANCE)


_TOLERANCE = 1e-3
_NO_DIRECTION = 1e-15  # singular values that are none, as scikit-learn's ridge has it
