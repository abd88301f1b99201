"""What scikit-learn's regressors of the baselines do as some of people's features change, by the form of each.

A linear model and a perceptron know what a changed column adds to their first layer, a kernel by how much squared
distances change, and trees look at the columns that they split. What does not change is computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Kernel, Matern, Product, Sum, WhiteKernel
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neural_network import MLPRegressor
from sklearn.svm import SVR

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.model.boosting import Boosted, tree_arrays
from brainpid.model.tree_steps import Nodes, TreeSteps, rounded
from brainpid.model.varying import Additive, Reading, total


@dataclass(frozen=True)
class VaryingScores:
    """Scores of the same n people with some columns of one modality replaced.

    Attributes
    ----------
    read : callable
        From columns (c,) and standardised values (k, n, c) to scores (k, n).
    additive : callable
        To what each column of the modality does alone.
    """

    read: Reading
    additive: Callable[[], Additive]


@singledispatch
def vary_scores(regressor: Any, features: FloatArray, start: int, width: int) -> VaryingScores:
    """People (n, p) as they vary in the columns of one modality, `width` of them from `start` on.

    Raises
    ------
    TypeError
        Where nothing is known of the form of the regressor.
    """
    raise TypeError(f"nothing is known of how {type(regressor).__name__} changes with its features")


@vary_scores.register(Ridge)
@vary_scores.register(ElasticNet)
def _linear(regressor: Any, features: FloatArray, start: int, width: int) -> VaryingScores:
    own, slopes = features[:, start : start + width], np.ravel(regressor.coef_)[start : start + width]
    now = np.ravel(regressor.predict(features))

    def read(columns: IntArray, values: FloatArray) -> FloatArray:
        return np.asarray(now + (values - own[:, columns]) @ slopes[columns])

    return VaryingScores(read, lambda: Additive(np.broadcast_to(slopes, own.shape), exact=True))


@vary_scores.register
def _support_vectors(regressor: SVR, features: FloatArray, start: int, width: int) -> VaryingScores:
    return _kernel(
        features, start, width, regressor.support_vectors_, regressor.dual_coef_[0], float(regressor.intercept_[0]),
        [(1.0, _gaussian(float(regressor.gamma)))], 0.0,
    )  # fmt: skip


@vary_scores.register
def _gaussian_process(
    regressor: GaussianProcessRegressor, features: FloatArray, start: int, width: int
) -> VaryingScores:
    stationary, linear, constant = _terms(regressor.kernel_)
    dual = np.ravel(regressor.alpha_)  # the target enters as it is, `normalize_y` being off
    offset = constant * float(dual.sum())
    return _kernel(features, start, width, regressor.X_train_, dual, offset, stationary, linear)


_Curve = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""From squared distances to a kernel and its derivative."""


def _gaussian(rate: float) -> _Curve:
    def curve(squared: FloatArray) -> tuple[FloatArray, FloatArray]:
        value = np.exp(-rate * squared)
        return value, -rate * value

    return curve


def _terms(kernel: Kernel, factor: float = 1.0) -> tuple[list[tuple[float, _Curve]], float, float]:
    """Stationary terms of a kernel, the factor of the product of features, and the constant."""
    if isinstance(kernel, Sum):
        first, second = _terms(kernel.k1, factor), _terms(kernel.k2, factor)
        return first[0] + second[0], first[1] + second[1], first[2] + second[2]
    if isinstance(kernel, Product) and isinstance(kernel.k1, ConstantKernel):
        return _terms(kernel.k2, factor * kernel.k1.constant_value)
    if isinstance(kernel, WhiteKernel):
        return [], 0.0, 0.0
    if isinstance(kernel, DotProduct):
        return [], factor, factor * float(kernel.sigma_0) ** 2
    length = float(kernel.length_scale) ** 2
    if isinstance(kernel, Matern) and kernel.nu == 1.5:

        def matern(squared: FloatArray) -> tuple[FloatArray, FloatArray]:
            root = np.sqrt(3 * squared / length)
            decay = np.exp(-root)
            return (1 + root) * decay, -1.5 / length * decay

        return [(factor, matern)], 0.0, 0.0
    if isinstance(kernel, RBF) and not isinstance(kernel, Matern):
        return [(factor, _gaussian(0.5 / length))], 0.0, 0.0
    raise TypeError(f"nothing is known of the kernel {kernel}")


def _kernel(
    features: FloatArray,
    start: int,
    width: int,
    trained: FloatArray,
    dual: FloatArray,
    offset: float,
    curves: list[tuple[float, _Curve]],
    linear: float,
) -> VaryingScores:
    """Scores ``offset + sum_t alpha_t (sum_q f_q curve_q(|x - t|^2) + linear x't)``."""
    squared = euclidean_distances(features, trained, squared=True)
    own, others = features[:, start : start + width], np.ascontiguousarray(trained[:, start : start + width])
    slopes, now = linear * (dual @ others), linear * (features @ (dual @ trained)) + offset

    def read(columns: IntArray, values: FloatArray) -> FloatArray:
        some = others[:, columns]
        after = euclidean_distances(values.reshape(-1, len(columns)), some, squared=True)
        step = after.reshape(*values.shape[:2], -1) - euclidean_distances(own[:, columns], some, squared=True)
        moved = np.maximum(squared + step, 0.0)
        curved = sum(factor * curve(moved)[0] for factor, curve in curves) @ dual
        return np.asarray(now + curved + (values - own[:, columns]) @ slopes[columns])

    def additive() -> Additive:
        weight = dual * sum(2 * factor * curve(squared)[1] for factor, curve in curves)
        return Additive(slopes + weight.sum(axis=1, keepdims=True) * own - weight @ others)

    return VaryingScores(read, additive)


@vary_scores.register
def _boosting(regressor: Boosted, features: FloatArray, start: int, width: int) -> VaryingScores:
    columns, depth = tree_arrays(regressor.trees)
    return _trees(Nodes.joined(**columns, depth=depth), features, start, width, single=False)


@vary_scores.register
def _forest(regressor: RandomForestRegressor, features: FloatArray, start: int, width: int) -> VaryingScores:
    return _trees(Nodes.of_forest(regressor), features, start, width, single=True)


def _trees(nodes: Nodes, features: FloatArray, start: int, width: int, single: bool) -> VaryingScores:
    used = np.unique(nodes.feature)
    small = nodes.on(used)
    own, now = rounded(features[:, used], single), nodes.scores(rounded(features, single))

    def read(columns: IntArray, values: FloatArray) -> FloatArray:
        seen = np.isin(columns + start, used)
        if not seen.any():
            return np.broadcast_to(now, values.shape[:2])
        changed = np.tile(own, (len(values), 1))
        new = rounded(values[..., seen], single)
        changed[:, np.searchsorted(used, columns[seen] + start)] = new.reshape(len(changed), -1)
        return small.scores(changed).reshape(values.shape[:2])

    def additive() -> Additive:
        steps = TreeSteps.of(nodes, features, start, width, single)
        return Additive(np.zeros((len(features), width)), [(np.ones(len(features)), steps)], exact=True)

    return VaryingScores(read, additive)


@vary_scores.register
def _mean_of_networks(regressor: BaggingRegressor, features: FloatArray, start: int, width: int) -> VaryingScores:
    members = [vary_scores(one, features, start, width) for one in regressor.estimators_]
    share = np.full(len(features), 1 / len(members))
    return VaryingScores(
        lambda columns, values: np.mean([one.read(columns, values) for one in members], axis=0),
        lambda: total([one.additive().times(share) for one in members]),
    )


_SLOPES: dict[str, tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]] = {
    "identity": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0.0), lambda x: (x > 0).astype(np.float64)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "logistic": (expit, lambda x: expit(x) * (1 - expit(x))),
}


@vary_scores.register
def _network(regressor: MLPRegressor, features: FloatArray, start: int, width: int) -> VaryingScores:
    bend, slope = _SLOPES[regressor.activation]
    own, weights, shifts = features[:, start : start + width], regressor.coefs_, regressor.intercepts_
    entered = features @ weights[0] + shifts[0]
    inside = weights[0][start : start + width]

    def read(columns: IntArray, values: FloatArray) -> FloatArray:
        at = entered + (values - own[:, columns]) @ inside[columns]
        for weight, shift in zip(weights[1:], shifts[1:], strict=True):
            at = bend(at) @ weight + shift
        return np.asarray(at[..., 0])

    def additive() -> Additive:
        passed = [entered]
        for weight, shift in zip(weights[1:], shifts[1:], strict=True):
            passed.append(bend(passed[-1]) @ weight + shift)
        back = np.ones((len(features), 1))
        for weight, at in zip(weights[:0:-1], passed[-2::-1], strict=True):
            back = (back @ weight.T) * slope(at)
        return Additive(back @ inside.T)

    return VaryingScores(read, additive)
