"""Intervals for one person's prediction, with a coverage that holds without distributional assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.arrays import FloatArray
from brainpid.errors import InputError


def conformal_half_width(predicted: ArrayLike, target: ArrayLike, coverage: float) -> float:
    """Half width of a conformal interval from out-of-fold errors of training people.

    The ``ceil((n + 1) coverage)``-th smallest absolute error. A new person's interval is the prediction plus and
    minus that width; under exchangeability it covers about `coverage` (cross-conformal prediction, Vovk 2015; the
    stricter CV+ of Barber et al. 2021, Annals of Statistics 49:486 guarantees ``2 coverage - 1``).

    Parameters
    ----------
    predicted : array_like, shape (n,)
        Out-of-fold predictions of training people.
    target : array_like, shape (n,)
        Their targets, in the same units.
    coverage : float
        Wanted coverage, between 0 and 1.

    Returns
    -------
    float
        Half width in the target's units.

    Raises
    ------
    InputError
        Where n is too small for the coverage: ``n >= coverage / (1 - coverage)`` is needed.
    """
    errors = np.sort(np.abs(np.asarray(predicted, dtype=float) - np.asarray(target, dtype=float)))
    rank = int(np.ceil((len(errors) + 1) * coverage - 1e-9))
    if rank > len(errors):
        needed = np.ceil(coverage / (1 - coverage) - 1e-9)
        raise InputError(
            f"an interval of coverage {coverage:g} needs at least {needed:g} training people, found {len(errors)}; "
            "lower interval_coverage"
        )
    return float(errors[rank - 1])


@dataclass(frozen=True)
class AdaptiveConformal:
    """Conformal intervals that are wider where errors are larger.

    The half width is ``q s(x)``: ``log s`` is a shrunken linear regression of the logarithm of the absolute error on
    the standardised prediction, its square, and the logarithm of a spread where one is given; q is the order statistic
    of the scaled errors that `conformal_half_width` takes (normalised conformal prediction, Papadopoulos et al. 2008).

    Attributes
    ----------
    centre, scale : float
        Mean and standard deviation of the out-of-fold predictions.
    weights : ndarray, shape (3,) or (4,)
        Of intercept, standardised prediction, its square and logarithm of the spread.
    ratios : ndarray, shape (n,)
        Absolute errors over s.
    """

    centre: float
    scale: float
    weights: FloatArray
    ratios: FloatArray

    @classmethod
    def fit(cls, predicted: ArrayLike, target: ArrayLike, spread: ArrayLike | None = None) -> AdaptiveConformal:
        """Fit to out-of-fold predictions of training people, their targets and, if known, a spread; shape (n,) each."""
        predicted, target = np.asarray(predicted, dtype=float), np.asarray(target, dtype=float)
        centre, scale = float(predicted.mean()), float(predicted.std())
        design = _design(predicted, centre, scale, spread)
        errors = np.abs(predicted - target)
        floor = 0.05 * errors.mean() or 1.0
        response = np.log(np.maximum(errors, floor))
        penalty = np.diag([0.0, *np.full(design.shape[1] - 1, _SHRINKAGE)])
        weights = np.linalg.solve(design.T @ design + penalty, design.T @ response)
        return cls(centre, scale, weights, errors / np.exp(design @ weights))

    def interval(self, predicted: ArrayLike, coverage: float, spread: ArrayLike | None = None) -> FloatArray:
        """Intervals (n, 2) around predictions (n,), in the target's units."""
        predicted = np.asarray(predicted, dtype=float)
        quantile = conformal_half_width(self.ratios, np.zeros_like(self.ratios), coverage)
        half = quantile * np.exp(_design(predicted, self.centre, self.scale, spread) @ self.weights)
        return predicted[:, None] + half[:, None] * np.array([-1.0, 1.0])


_SHRINKAGE = 20.0
"""Ridge penalty of the regression of log errors: as many people as would be needed to halve a weight."""


def _design(predicted: FloatArray, centre: float, scale: float, spread: ArrayLike | None) -> FloatArray:
    """What the width of an interval may depend on; predictions beyond those of training count as the outermost."""
    z = np.clip((predicted - centre) / scale, -2.5, 2.5) if scale > 0 else np.zeros_like(predicted)
    columns = [np.ones_like(z), z, z**2 - 1]
    if spread is not None:
        columns.append(np.log(np.asarray(spread, dtype=float)))
    return np.column_stack(columns)
