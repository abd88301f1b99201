"""Pooling of an estimate over cohorts: random effects, with variances that depend on the cohorts' sizes alone.

Cohort k's estimate is ``y_k ~ N(mu, tau2 + s2 / n_k)``. The sampling variance is proportional to ``1 / n_k`` with a
common ``s2``: the estimated variances of an information depend on the estimate itself, and weights made from them
are biased low. ``tau2`` is the restricted maximum-likelihood estimate, and the interval is that of Hartung & Knapp
(2001) with the modification that it is never narrower than the one without it (Rover et al. 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.stats import t as student_t

from brainpid.core.errors import InputError

POOLED = "pooled"
"""Name of the rows that join all cohorts."""


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate.

    Attributes
    ----------
    estimate, se, ci_low, ci_high : float
        Pooled mean over cohorts, its standard error and interval, in the unit of the estimates.
    tau2 : float
        Variance between cohorts, in that unit squared.
    weights : tuple of float, length k
        Weight of each cohort; they add up to 1.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    tau2: float
    weights: tuple[float, ...]


def pool(estimates: ArrayLike, standard_errors: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> Pooled:
    """Pool one estimate over cohorts.

    Parameters
    ----------
    estimates, standard_errors : array_like, shape (k,)
        Estimate and standard error of each cohort, in one unit. The errors set the common scale ``s2``, the mean of
        the known ``n_k se_k^2``, and nothing else; NaN is an error that is not known.
    n : array_like, shape (k,)
        People in each cohort.
    confidence : float
        Coverage of the interval.

    Raises
    ------
    InputError
        Where fewer than two cohorts were given, an estimate is not finite, or no standard error is known.
    """
    y, se, n = (np.asarray(values, dtype=float) for values in (estimates, standard_errors, n))
    if len(y) < 2 or not np.isfinite(y).all() or not np.isfinite(se).any():
        raise InputError(f"pooling needs finite estimates of at least 2 cohorts, found {y.tolist()} +- {se.tolist()}")
    variance = np.nanmean(n * se**2) / n
    tau2 = _reml(y, variance)
    weights = 1.0 / (tau2 + variance) if tau2 + variance.max() > 0 else n
    weights = weights / weights.sum()
    mean = float(weights @ y)
    plain = 1.0 / np.sum(1.0 / (tau2 + variance)) if tau2 + variance.min() > 0 else 0.0
    spread = float(weights @ (y - mean) ** 2) / (len(y) - 1)
    standard_error = float(np.sqrt(max(spread, plain)))
    low, high = student_t.interval(confidence, len(y) - 1)
    return Pooled(
        mean, standard_error, float(mean + low * standard_error), float(mean + high * standard_error), tau2,
        tuple(weights),
    )  # fmt: skip


def _reml(y: np.ndarray, variance: np.ndarray) -> float:
    """Restricted maximum-likelihood estimate of the variance between cohorts."""
    upper = 10.0 * float(np.var(y, ddof=1)) + 1e-300

    def deviance(tau2: float) -> float:
        total = tau2 + variance
        weights = 1.0 / total
        mean = weights @ y / weights.sum()
        return float(np.sum(np.log(total)) + np.log(weights.sum()) + weights @ (y - mean) ** 2)

    if np.var(y) == 0.0 or variance.min() <= 0.0:
        return float(np.var(y, ddof=1)) if variance.min() <= 0.0 else 0.0
    best = minimize_scalar(deviance, bounds=(0.0, upper), method="bounded", options={"xatol": 1e-10 * upper})
    return float(best.x) if best.fun < deviance(0.0) else 0.0
