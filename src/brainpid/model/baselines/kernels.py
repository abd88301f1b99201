"""Kernel baselines: support vectors and a Gaussian process."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Kernel, Matern, WhiteKernel
from sklearn.svm import SVR

from brainpid.config.models import GPRSettings, SVRSettings, TargetTransform
from brainpid.core.arrays import FloatArray
from brainpid.model.baselines.early_fusion import ConcatenatedRegressor, Setting


class SupportVectors(ConcatenatedRegressor):
    """Support vector regression with a Gaussian kernel; width and cost by the held-out error among training people.

    Parameters
    ----------
    widths : tuple of float
        Coefficients tried of the squared distance in the kernel, times the number of features.
    costs : tuple of float
        Costs tried of an error beyond the tube.
    epsilon : float
        Half width of the tube, in standard deviations of the target.
    choice_people : int
        People, drawn at random, that width and cost are chosen on where there are more.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds.
    """

    section = SVRSettings

    def __init__(
        self,
        widths: tuple[float, ...] = (0.1, 0.3, 1.0),
        costs: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0, 30.0),
        epsilon: float = 0.1,
        choice_people: int = 600,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.widths = widths
        self.costs = costs
        self.epsilon = epsilon
        self.choice_people = choice_people
        self.target_transform = target_transform
        self.random_state = random_state

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """Widths and costs; a subset takes over what was chosen, with the width for its own number of features."""
        p = features.shape[1]
        if start is not None:
            return [start | {"gamma": start["gamma"] * start["features"] / p, "features": p}]
        return [{"gamma": width / p, "C": cost, "features": p} for width, cost in product(self.widths, self.costs)]

    def regressor(self, setting: Setting) -> Any:
        """scikit-learn's support vector regression."""
        return SVR(gamma=setting["gamma"], C=setting["C"], epsilon=self.epsilon, cache_size=500)


class GaussianProcessRegression(ConcatenatedRegressor):
    """Gaussian process with a stationary plus a linear kernel and noise, all fitted by the marginal likelihood.

    The stationary kernel is Gaussian or Matern 3/2, by the larger marginal likelihood. Each subset of the modalities
    has a likelihood fit of its own, of the kernel that was chosen for all of them.

    Parameters
    ----------
    likelihood_people : int
        People, drawn at random, that the kernel is fitted to where there are more. Predictions always use everybody:
        memory grows with the square, and time with the cube, of the number of people.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds and of the people drawn.
    """

    section = GPRSettings

    def __init__(
        self, likelihood_people: int = 400, target_transform: TargetTransform = "auto", random_state: int = 0
    ) -> None:
        self.likelihood_people = likelihood_people
        self.target_transform = target_transform
        self.random_state = random_state

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """One kernel, the likelier one with its likeliest values."""
        if len(scores) > self.likelihood_people:
            some = np.random.default_rng(self.random_state).permutation(len(scores))[: self.likelihood_people]
            features, scores = features[some], scores[some]
        length = np.sqrt(features.shape[1])
        kernels = _kernels(length) if start is None else [start["kernel"]]
        fitted = []
        for kernel in kernels:
            with warnings.catch_warnings():  # a value at its bound, such as no linear part, is a fit like any other
                warnings.simplefilter("ignore", ConvergenceWarning)
                fitted.append(GaussianProcessRegressor(kernel, alpha=1e-8).fit(features, scores))
        best = max(fitted, key=lambda process: process.log_marginal_likelihood_value_)
        return [{"kernel": best.kernel_}]

    def regressor(self, setting: Setting) -> Any:
        """scikit-learn's Gaussian process with a kernel that stays as it is."""
        return GaussianProcessRegressor(setting["kernel"], alpha=1e-8, optimizer=None)


def _kernels(length: float) -> list[Kernel]:
    """Kernels tried; `length` is the typical distance of two people's standardised features."""
    bounds = (0.1 * length, 100 * length)
    rest = ConstantKernel(0.1 / length**2, (1e-6, 1e2)) * DotProduct(1.0, "fixed") + WhiteKernel(0.2, (1e-3, 2.0))
    stationary = (RBF(length, bounds), Matern(length, bounds, nu=1.5))
    return [ConstantKernel(1.0, (1e-2, 1e3)) * kernel + rest for kernel in stationary]
