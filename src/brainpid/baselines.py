"""Baselines that brain-age researchers trust: scikit-learn's own regressors on the concatenated modalities.

They see the same rows, the same normal-score target and the same rules as the network. Each modality is also fitted
alone, which gives the scalar latents that the decomposition is read from; ridge is fitted to every subset of the
modalities as well: the concatenated features see suppression that per-modality encoders cannot.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import joblib
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from brainpid.arrays import FloatArray, Modalities
from brainpid.errors import InputError
from brainpid.files import atomic_path
from brainpid.transforms import NormalScores, Standardizer

INNER_FOLDS = 5
"""Folds of the training rows whose out-of-fold predictions set the age bias and the intervals."""


class Standardize(BaseEstimator):  # type: ignore[misc]
    """`brainpid.transforms.Standardizer` as a step of a scikit-learn pipeline."""

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Fit to training features of shape (n, p)."""
        self.standardizer_ = Standardizer.fit(X)
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Standardise features of shape (n, p)."""
        return self.standardizer_.transform(X)


class ConcatenatedRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn regressor on concatenated modalities, with a normal-score target.

    Attributes
    ----------
    modalities_ : tuple of str
        Modalities in the order of the training features.
    out_of_fold_prediction_ : ndarray, shape (n_train,)
        Predictions of the training rows from inner cross-validation, in the target's units.
    """

    file = "model.joblib"

    @abstractmethod
    def _regressor(self) -> Any:
        """Make a new scikit-learn regressor."""

    def _subsets(self) -> Iterable[tuple[str, ...]]:
        """Subsets of the modalities that get a fit of their own: each one, and all."""
        return [*((modality,) for modality in self.modalities_), self.modalities_]

    def fit(self, X: Modalities, y: ArrayLike) -> Self:
        """Fit to training people.

        Parameters
        ----------
        X : mapping of str to array_like, shape (n, p_m)
            Features; NaN is a missing cell.
        y : array_like, shape (n,)
            Target, in its units.
        """
        self.modalities_ = tuple(X)
        self.target_ = NormalScores.fit(y)
        scores = self.target_.transform(y)
        self.regressors_ = {
            subset: self._regressor().fit(self._concatenate(X, subset), scores) for subset in self._subsets()
        }
        inner = KFold(min(INNER_FOLDS, len(scores)), shuffle=True, random_state=self.random_state)
        held_out = cross_val_predict(self._regressor(), self._concatenate(X, self.modalities_), scores, cv=inner)
        self.out_of_fold_prediction_ = self.target_.inverse_transform(held_out)
        return self

    def predict(self, X: Modalities) -> FloatArray:
        """Predict targets of shape (n,), in the target's units."""
        return self.target_.inverse_transform(self._scores(X, self.modalities_))

    def scalar_latents(self, X: Modalities) -> dict[str, FloatArray]:
        """Predicted normal score from each modality alone, shape (n,) each."""
        return {modality: self._scores(X, (modality,)) for modality in self.modalities_}

    def history(self) -> list[dict[str, float]]:
        """Nothing: there are no epochs."""
        return []

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to ``model.joblib``; only load such a file from a source that you trust."""
        with atomic_path(Path(folder) / self.file) as part:
            joblib.dump(self, part)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote."""
        model = joblib.load(Path(folder) / cls.file)
        if not isinstance(model, cls):
            raise InputError(f"{folder}: expected a {cls.__name__}, found a {type(model).__name__}")
        return model

    def _scores(self, X: Modalities, subset: tuple[str, ...]) -> FloatArray:
        """Predicted normal scores from a subset of the modalities."""
        predicted: FloatArray = self.regressors_[subset].predict(self._concatenate(X, subset))
        return predicted

    def _concatenate(self, X: Modalities, subset: tuple[str, ...]) -> FloatArray:
        """Features of some modalities side by side."""
        missing = [modality for modality in self.modalities_ if modality not in X]
        if missing:
            raise InputError(f"modalities {list(self.modalities_)} are needed, {missing} are missing")
        return np.column_stack([np.asarray(X[modality], dtype=float) for modality in subset])


class Ridge(ConcatenatedRegressor):
    """Ridge regression with the penalty of the smallest leave-one-out error on the training rows.

    Parameters
    ----------
    log10_alpha_range : tuple of float
        Decimal logarithms of the smallest and the largest penalty.
    alphas : int
        Number of penalties tried, evenly spaced in the logarithm.
    random_state : int
        Seed of the inner folds.
    """

    def __init__(
        self, log10_alpha_range: tuple[float, float] = (-2.0, 5.0), alphas: int = 15, random_state: int = 0
    ) -> None:
        self.log10_alpha_range = log10_alpha_range
        self.alphas = alphas
        self.random_state = random_state

    def _regressor(self) -> Any:
        return make_pipeline(Standardize(), RidgeCV(np.logspace(*self.log10_alpha_range, self.alphas)))

    def _subsets(self) -> Iterable[tuple[str, ...]]:
        """Every non-empty subset."""
        sizes = range(1, len(self.modalities_) + 1)
        return [subset for size in sizes for subset in combinations(self.modalities_, size)]

    def subset_predictions(self, X: Modalities) -> dict[tuple[str, ...], FloatArray]:
        """Predicted normal score from the concatenated features of every subset, shape (n,) each."""
        return {subset: self._scores(X, subset) for subset in self.regressors_}


class GradientBoosting(ConcatenatedRegressor):
    """Gradient boosting of small histogram trees; every split sees a random part of the features.

    Parameters
    ----------
    learning_rate : float
        Shrinkage of each tree.
    max_iter : int
        Number of trees.
    max_leaf_nodes, min_samples_leaf : int
        Largest number of leaves of a tree, and fewest people in a leaf.
    max_features : float
        Part of the features that each split sees.
    random_state : int
        Seed of the inner folds and of the features that a split sees.
    """

    def __init__(
        self,
        learning_rate: float = 0.06,
        max_iter: int = 150,
        max_leaf_nodes: int = 8,
        min_samples_leaf: int = 10,
        max_features: float = 0.3,
        random_state: int = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.random_state = random_state

    def _regressor(self) -> Any:
        return HistGradientBoostingRegressor(early_stopping=False, **self.get_params())
