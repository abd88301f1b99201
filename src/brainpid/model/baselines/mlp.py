"""A plain network on concatenated features."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from brainpid.config.models import MLPSettings, TargetTransform
from brainpid.core.arrays import FloatArray
from brainpid.model.baselines.early_fusion import ConcatenatedRegressor, Setting


class EarlyFusionNetwork(ConcatenatedRegressor):
    """Mean of some perceptrons on concatenated features; the penalty by the held-out error among training people.

    Parameters
    ----------
    hidden : tuple of int
        Hidden widths.
    members : int
        Perceptrons, which differ in their random start and in the order of people.
    epochs : int
        Passes over the training people.
    learning_rate : float
        Step size of Adam.
    alphas : tuple of float
        Penalties of squared weights tried.
    choice_people : int
        People, drawn at random, that the penalty is chosen on where there are more.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds and of the perceptrons.
    """

    section = MLPSettings

    def __init__(
        self,
        hidden: tuple[int, ...] = (64,),
        members: int = 4,
        epochs: int = 40,
        learning_rate: float = 3e-3,
        alphas: tuple[float, ...] = (1.0, 10.0, 30.0),
        choice_people: int = 1000,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.hidden = hidden
        self.members = members
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.alphas = alphas
        self.choice_people = choice_people
        self.target_transform = target_transform
        self.random_state = random_state

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """Every penalty; a subset takes over what was chosen."""
        return [start] if start is not None else [{"alpha": alpha} for alpha in self.alphas]

    def regressor(self, setting: Setting) -> Any:
        """scikit-learn's perceptron, as a mean over random starts."""
        perceptron = Perceptron(
            hidden_layer_sizes=tuple(self.hidden),
            alpha=setting["alpha"],
            learning_rate_init=self.learning_rate,
            batch_size="auto",
            max_iter=self.epochs,
        )
        return BaggingRegressor(perceptron, self.members, bootstrap=False, random_state=self.random_state)


class Perceptron(MLPRegressor):  # type: ignore[misc]
    """scikit-learn's perceptron; that a fixed number of epochs ends before convergence is no news."""

    def fit(self, X: FloatArray, y: FloatArray) -> Perceptron:
        """Fit to features (n, p) and scores (n,)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(X, y)
        return self
