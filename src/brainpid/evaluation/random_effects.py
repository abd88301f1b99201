r"""Pooling over cohorts: a Bayesian random-effects model whose heterogeneity has a half-normal prior.

Cohort k's estimate is ``y_k ~ N(mu, v_k + tau^2)`` with ``v_k = s^2 / n_k`` and a common ``s^2``: the estimated
variances of an information depend on the estimate itself, and weights made from them are biased low. ``mu`` has a flat
prior, ``tau`` is half-normal with a stated scale. Given tau, mu is normal; so its posterior is a mixture of normals
over tau, and the integral over that one dimension is a sum over a fixed grid. Two or three cohorts cannot tell how much
cohorts differ: there the interval rests on the prior, where it would be without bound otherwise (1.3 bits wide for two
cohorts by the method of Hartung and Knapp). With twenty the prior makes no difference.

Informations of all subsets of modalities are pooled together, and atoms are formed of what is pooled
(`brainpid.pid.assemble`): ``y_k ~ N(mu, S / n_k + tau^2 R)`` with ``tau^2 R = common^2 1 1' + own^2 I``. Cohorts differ
in how much all modalities tell, above all because their ages differ, and less in each information by itself: both
standard deviations are half-normal, `own` on half the scale of `common`, and ``tau^2 = common^2 + own^2`` is that of
any one information. What differences of informations (``added``, unique) say of `own` does not speak for `common`.
Given the angle between the two, S and R are diagonal in the same coordinates, and the model is K models of one estimate
that share tau.

References
----------
Rover 2020 J Stat Softw 93:1 (bayesmeta); Friede et al. 2017 Res Synth Methods 8:79 (two and three studies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.names import Measure
from brainpid.pid.assemble import decompose_information
from brainpid.pid.result import Decomposition, Row

POOLED = "pooled"
"""Name of the rows that join all cohorts."""
RELATIVE_HETEROGENEITY = 0.25
"""Scale of tau for a mean absolute error, as a part of the errors' mean. Half of all tau are then below 17% of it and
19 of 20 below 49%: cohorts of other ages and scanners differ in error by a third to a half, seldom by a factor of 2."""
PAIRED_HETEROGENEITY = 0.1
"""The same for the difference between two models in the same people: 0.15 bits are a factor of 1.1 in the error."""
OWN = 0.5
"""Scale of the heterogeneity of each information by itself, as a part of that which all have in common."""
ANGLES = ((np.arange(24) + 0.5) / 24) ** 2 * np.pi / 2
"""Grid over the angle whose cosine is `common` / tau and whose sine is `own` / tau, denser where `own` is small."""
NODES = 300
"""Points of the grid over tau; they lie denser near 0."""
FARTHEST = 5.0
"""Largest tau of the grid, in scales or in standard deviations of the estimates, whichever is larger."""


class Interval(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate.

    Attributes
    ----------
    estimate, se, ci_low, ci_high : float
        Posterior mean over cohorts, its standard deviation and central interval, in the unit of the estimates.
    tau, tau_low, tau_high : float
        Posterior median and central interval of the standard deviation between cohorts, in that unit.
    fixed, fixed_se : float
        Mean and standard error if cohorts did not differ at all.
    predicted_low, predicted_high : float
        Prediction interval of the true value in another cohort.
    weights : tuple of float, length k
        Weight of each cohort in `estimate`; they add up to 1.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    tau: float
    tau_low: float
    tau_high: float
    fixed: float
    fixed_se: float
    predicted_low: float
    predicted_high: float
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class PooledInformation:
    """Informations of all subsets, pooled over cohorts.

    Attributes
    ----------
    bits : ndarray, shape (K,)
        Posterior mean of each information.
    covariance : ndarray, shape (K, K)
        Posterior covariance, in bits squared.
    heterogeneity : ndarray, shape (K, K)
        Posterior mean of the covariance between cohorts, in bits squared.
    tau, tau_low, tau_high : float
        Posterior median and central interval of the standard deviation of an information between cohorts, in bits.
    fixed, fixed_covariance : ndarray, shape (K,) and (K, K)
        If cohorts did not differ at all.
    n : int
        People in all cohorts.
    """

    bits: FloatArray
    covariance: FloatArray
    heterogeneity: FloatArray
    tau: float
    tau_low: float
    tau_high: float
    fixed: FloatArray
    fixed_covariance: FloatArray
    n: int


@dataclass(frozen=True, eq=False)
class PooledDecomposition:
    """Atoms of informations pooled over cohorts.

    Attributes
    ----------
    random : Decomposition
        Of the mean over cohorts.
    fixed : Decomposition
        If cohorts did not differ at all.
    predicted : tuple of Interval, one a row of `random`
        Prediction interval of the true atom in another cohort.
    tau, tau_low, tau_high : float
        As in `PooledInformation`.
    """

    random: Decomposition
    fixed: Decomposition
    predicted: tuple[Interval, ...]
    tau: float
    tau_low: float
    tau_high: float


def pool(
    estimates: ArrayLike, standard_errors: ArrayLike, n: ArrayLike, scale: float, confidence: float = 0.95
) -> Pooled:
    """Pool one estimate over cohorts.

    Parameters
    ----------
    estimates, standard_errors : array_like, shape (k,)
        Estimate and standard error of each cohort, in one unit. The errors set the common scale ``s^2``, the mean of
        the known ``n_k se_k^2``, and nothing else; NaN is an error that is not known.
    n : array_like, shape (k,)
        People in each cohort.
    scale : float
        Scale of the half-normal prior on the standard deviation between cohorts, in the unit of the estimates.
    confidence : float
        Coverage of the intervals.

    Raises
    ------
    InputError
        Where fewer than two cohorts were given, an estimate is not finite, no standard error is known, or the scale is
        not positive.
    """
    y, se, n = (np.asarray(values, dtype=float) for values in (estimates, standard_errors, n))
    if len(y) < 2 or not np.isfinite(y).all() or not np.isfinite(se).any():
        raise InputError(f"pooling needs finite estimates of at least 2 cohorts, found {y.tolist()} +- {se.tolist()}")
    variance = np.nanmean(n * se**2) / n
    tau, density = tau_prior(scale, float(np.std(y)))
    found = _given_tau(y[:, None], variance[:, None], tau)
    posterior = normalised(density, found.log_likelihood)
    mean, var = found.mean[:, 0], found.variance[:, 0]
    estimate = float(posterior @ mean)
    low, high = mixture_quantiles(posterior, mean, np.sqrt(var), confidence)
    predicted = mixture_quantiles(posterior, mean, np.sqrt(var + tau**2), confidence)
    middle, tau_low, tau_high = tau_quantiles(posterior, tau, confidence)
    fixed = n / n.sum()
    return Pooled(
        estimate, float(np.sqrt(posterior @ (var + (mean - estimate) ** 2))), low, high, middle, tau_low, tau_high,
        float(fixed @ y), float(np.sqrt(fixed**2 @ variance)), *predicted,
        tuple((posterior @ found.weights[..., 0]).tolist()),
    )  # fmt: skip


def pool_information(
    bits: ArrayLike, covariances: ArrayLike, n: ArrayLike, scale: float, confidence: float = 0.95
) -> PooledInformation:
    """Pool the informations of all subsets over cohorts.

    Parameters
    ----------
    bits : array_like, shape (k, K)
        Information of each subset in each cohort, in bits.
    covariances : array_like, shape (k, K, K)
        Sampling covariances, in bits squared; they set the common ``S``, the mean of ``n_k cov_k``, and nothing else.
    n : array_like of int, shape (k,)
        People in each cohort.
    scale : float
        Scale of the half-normal prior on the standard deviation that informations have in common, in bits.
    confidence : float
        Coverage of the interval of tau.

    Raises
    ------
    InputError
        Where fewer than two cohorts were given, shapes do not fit, a number is not finite, or the scale is not
        positive.
    """
    y, cov, n = (np.asarray(values, dtype=float) for values in (bits, covariances, n))
    if y.ndim != 2 or len(y) < 2 or cov.shape != (*y.shape, y.shape[1]) or n.shape != y.shape[:1]:
        raise InputError(
            f"pooling informations needs arrays of shape (k, K), (k, K, K) and (k,) of k = 2 cohorts or more, found "
            f"{y.shape}, {cov.shape} and {n.shape}"
        )
    if not (np.isfinite(y).all() and np.isfinite(cov).all()):
        raise InputError("pooling informations needs finite numbers, found missing or infinite ones")
    size = y.shape[1]
    sampling = np.mean(n[:, None, None] * cov, axis=0)
    tau, _ = tau_prior(scale, float(np.std(y, axis=0).max()))
    structures, axes, parts, log = [], [], [], []
    for angle in ANGLES:
        structure = np.cos(angle) ** 2 + np.sin(angle) ** 2 * np.eye(size)
        factor = np.linalg.cholesky(structure)
        inverse = np.linalg.inv(factor)
        values, vectors = np.linalg.eigh(inverse @ sampling @ inverse.T)
        # In these coordinates the structure is the identity and the sampling covariance is diagonal.
        axis = factor @ vectors
        found = _given_tau(y @ np.linalg.inv(axis).T, np.maximum(values, 0.0) / n[:, None], tau)
        jacobian = (1 - len(y)) * np.linalg.slogdet(factor)[1]
        prior = -0.5 * (tau / scale) ** 2 * (np.cos(angle) ** 2 + (np.sin(angle) / OWN) ** 2)
        log.append(found.log_likelihood + jacobian + prior)
        structures.append(structure)
        axes.append(axis)
        parts.append(found)
    # Two standard deviations in polar coordinates have tau dtau dangle, and both grids are squares of even ones.
    posterior = normalised(np.sqrt(ANGLES)[:, None] * tau**1.5, np.stack(log))
    means = np.stack([part.mean @ axis.T for part, axis in zip(parts, axes, strict=True)])
    mean = np.einsum("ct,ctk->k", posterior, means)
    covariance = np.einsum("ct,ctk,ctl->kl", posterior, means - mean, means - mean)
    heterogeneity = np.zeros((size, size))
    for weight, part, axis, structure in zip(posterior, parts, axes, structures, strict=True):
        covariance += (axis * (weight @ part.variance)) @ axis.T
        heterogeneity += (weight @ tau**2) * structure
    middle, tau_low, tau_high = tau_quantiles(posterior.sum(axis=0), tau, confidence)
    fixed = n / n.sum()
    return PooledInformation(
        mean, covariance, heterogeneity, middle, tau_low, tau_high, fixed @ y, sampling / n.sum(), int(n.sum())
    )


def pool_decompositions(
    cohorts: Sequence[Decomposition], measure: Measure, scale: float, confidence: float = 0.95
) -> PooledDecomposition:
    """Pool the informations of cohorts and form the atoms of what is pooled.

    Parameters
    ----------
    cohorts : sequence of Decomposition
        Two or more of the same modalities in the same order, estimated from people, under any measure.
    measure : {"mmi", "idep"}
    scale : float
        Scale of the half-normal prior on the standard deviation between cohorts, in bits.
    confidence : float
        Coverage of the intervals.

    Raises
    ------
    InputError
        Where modalities differ, or an information has no sampling covariance.
    """
    modalities = cohorts[0].modalities if cohorts else ()
    if other := [cohort.modalities for cohort in cohorts if cohort.modalities != modalities]:
        raise InputError(f"cohorts of the modalities {modalities} and {other[0]} cannot be pooled")
    known = [(list(c.information.values()), c.covariance, c.n) for c in cohorts if c.covariance is not None]
    if len(known) < len(cohorts):
        raise InputError("informations without a sampling covariance cannot be pooled")
    bits, covariances, people = ([row[k] for row in known] for k in range(3))
    found = pool_information(np.array(bits), np.array(covariances), np.array(people), scale, confidence)
    random, fixed, predicted = (
        decompose_information(mean, covariance, modalities, found.n, measure, confidence)
        for mean, covariance in (
            (found.bits, found.covariance),
            (found.fixed, found.fixed_covariance),
            (found.bits, found.covariance + found.heterogeneity),
        )
    )
    return PooledDecomposition(
        random, fixed, tuple(map(_interval, predicted.rows)), found.tau, found.tau_low, found.tau_high
    )


def _interval(row: Row) -> Interval:
    return Interval(row.ci_low, row.ci_high)


class _GivenTau(NamedTuple):
    """For each tau: marginal log likelihood (T,), mean and variance of mu (T, K), weights of cohorts (T, k, K)."""

    log_likelihood: FloatArray
    mean: FloatArray
    variance: FloatArray
    weights: FloatArray


def _given_tau(y: FloatArray, variance: FloatArray, tau: FloatArray) -> _GivenTau:
    """Integrate mu out, for independent estimates and variances (k, K) that share tau."""
    total = variance + (tau**2)[:, None, None]
    precision = 1.0 / total
    sums = precision.sum(axis=1)
    weights = precision / sums[:, None]
    mean = (weights * y).sum(axis=1)
    misfit = (precision * (y - mean[:, None]) ** 2).sum(axis=1)
    log = -0.5 * (np.log(total).sum(axis=1) + np.log(sums) + misfit).sum(axis=-1)
    return _GivenTau(log, mean, 1.0 / sums, weights)


def tau_prior(scale: float, spread: float) -> tuple[FloatArray, FloatArray]:
    """Grid (T,) over the standard deviation between cohorts and the prior weight of each point."""
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"the scale of the heterogeneity between cohorts is {scale}; expected a positive number")
    step = (np.arange(NODES) + 0.5) / NODES
    tau = FARTHEST * max(scale, spread) * step**2
    return tau, step * np.exp(-0.5 * (tau / scale) ** 2)


def normalised(prior: FloatArray, log_likelihood: FloatArray) -> FloatArray:
    """Posterior weights of grid points, from their prior weights and log likelihoods."""
    weights = prior * np.exp(log_likelihood - log_likelihood.max())
    return np.asarray(weights / weights.sum())


def mixture_quantiles(weights: FloatArray, means: FloatArray, sds: FloatArray, confidence: float) -> Interval:
    """Central interval of a mixture of normals."""
    low, high = float((means - 40 * sds).min()), float((means + 40 * sds).max())

    def end(probability: float) -> float:
        return float(brentq(lambda x: weights @ ndtr((x - means) / sds) - probability, low, high, xtol=1e-12))

    return Interval(end(0.5 - confidence / 2), end(0.5 + confidence / 2))


def tau_quantiles(posterior: FloatArray, tau: FloatArray, confidence: float) -> tuple[float, float, float]:
    """Median and central interval of tau."""
    reached = np.cumsum(posterior) - posterior / 2
    middle, low, high = np.interp([0.5, 0.5 - confidence / 2, 0.5 + confidence / 2], reached, tau)
    return float(middle), float(low), float(high)
