r"""Pooled bits with the spread of the target as a moderator.

Bits follow the spread of the target: readers that err by as much tell one bit more where the standard deviation is
twice as large. With cohorts of different age ranges that is most of what is between them, and the pooled value is of
no cohort in particular. So with `FEWEST_COHORTS` or more, an information (total, alone, added) of cohort k is

    y_k ~ N(a + b z_k, s^2 / n_k + tau^2),   z_k = log2 sd_k - mean of log2 sd,

with flat priors on a and b and the half-normal prior on tau of `brainpid.evaluation.random_effects`: a is what a cohort
tells whose standard deviation is the geometric mean of all, b how many bits a doubling brings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from brainpid.core.errors import InputError
from brainpid.core.names import REFERENCE_AGES
from brainpid.evaluation.decomposition import Estimated
from brainpid.evaluation.random_effects import Interval, mixture_quantiles, normalised, tau_prior, tau_quantiles

FEWEST_COHORTS = 6
"""From which a slope over cohorts is read: with fewer it is that of one or two cohorts."""
LEAST_RATIO = 1.1
"""Of the largest to the smallest standard deviation: below, there is no slope to read."""
LINEAR = ("total", "alone", "added")
MODERATED_COLUMNS = [
    "middle_age_sd", "moderated_bits", "moderated_ci_low", "moderated_ci_high", "moderated_tau", "per_doubling",
    "per_doubling_ci_low", "per_doubling_ci_high",
]  # fmt: skip
"""Columns of ``pooling.tsv``, which are empty where there are too few cohorts, and for other atoms."""


class Moderated(NamedTuple):
    """A pooled estimate at the middle of a moderator, and its slope.

    Attributes
    ----------
    estimate, slope : float
        Posterior means.
    interval, slope_interval : Interval
        Central intervals.
    tau : float
        Posterior median of the standard deviation between cohorts that the moderator leaves.
    """

    estimate: float
    interval: Interval
    slope: float
    slope_interval: Interval
    tau: float


def pool_moderated(
    estimates: ArrayLike,
    standard_errors: ArrayLike,
    n: ArrayLike,
    moderator: ArrayLike,
    scale: float,
    confidence: float = 0.95,
) -> Moderated:
    """Pool one estimate over cohorts along a moderator.

    Parameters
    ----------
    estimates, standard_errors, n, scale, confidence
        As of `brainpid.evaluation.random_effects.pool`; three cohorts or more.
    moderator : array_like, shape (k,)
        It varies; the estimate is at its mean.

    Raises
    ------
    InputError
        Where there are fewer than three cohorts, a number is not finite, or the moderator does not vary.
    """
    y, se, n, x = (np.asarray(values, dtype=float) for values in (estimates, standard_errors, n, moderator))
    if len(y) < 3 or not np.isfinite([y, x]).all() or not np.isfinite(se).any() or np.ptp(x) == 0:
        raise InputError(
            f"a moderator needs finite estimates of at least 3 cohorts in which it varies, found {y.tolist()} at "
            f"{x.tolist()}"
        )
    z = x - x.mean()
    variance = np.nanmean(n * se**2) / n
    residual = y - np.polyval(np.polyfit(z, y, 1), z)
    tau, density = tau_prior(scale, float(np.std(residual)))
    precision = 1 / (variance + tau[:, None] ** 2)
    design = np.column_stack([np.ones_like(z), z])
    information = np.einsum("tk,ki,kj->tij", precision, design, design)
    covariance = np.linalg.inv(information)
    means = np.einsum("tij,tk,kj,k->ti", covariance, precision, design, y)
    misfit = np.sum(precision * (y - means @ design.T) ** 2, axis=1)
    log = -0.5 * (misfit - np.log(precision).sum(axis=1) + np.linalg.slogdet(information)[1])
    posterior = normalised(density, log)
    found = posterior @ means
    ends = [mixture_quantiles(posterior, means[:, k], np.sqrt(covariance[:, k, k]), confidence) for k in range(2)]
    return Moderated(float(found[0]), ends[0], float(found[1]), ends[1], tau_quantiles(posterior, tau, confidence)[0])


def moderated_columns(
    cohorts: Sequence[Estimated], rows: pd.DataFrame, scale: float, confidence: float
) -> dict[str, Any]:
    """Values of `MODERATED_COLUMNS` beside the pooled rows of one estimator and measure.

    Parameters
    ----------
    cohorts : sequence of Estimated
        One of each cohort.
    rows : DataFrame
        Pooled: scope, modalities, atom.
    scale : float
        Scale of the prior on the standard deviation between cohorts, in bits.
    confidence : float
    """
    sd = np.array([one.ages.sd for one in cohorts])
    weighted = any(one.estimator == REFERENCE_AGES for one in cohorts)  # of one spread by themselves
    if weighted or len(cohorts) < FEWEST_COHORTS or sd.min() <= 0 or sd.max() < LEAST_RATIO * sd.min():
        return dict.fromkeys(MODERATED_COLUMNS, np.nan)
    n = [one.decomposition.n or 0 for one in cohorts]
    table = np.full((len(rows), len(MODERATED_COLUMNS)), np.nan)
    for place, row in enumerate(rows[["modalities", "atom"]].itertuples(index=False)):
        if rows["scope"].iloc[place] != "one_vs_rest" or row.atom not in LINEAR:
            continue
        own = [one.decomposition.atom("one_vs_rest", str(row.modalities), str(row.atom)) for one in cohorts]
        bits, se = [one.bits for one in own], [one.se for one in own]
        found = pool_moderated(bits, se, n, np.log2(sd), scale, confidence)
        table[place] = [
            np.exp(np.log(sd).mean()), found.estimate, *found.interval, found.tau, found.slope, *found.slope_interval
        ]  # fmt: skip
    return dict(zip(MODERATED_COLUMNS, table.T, strict=True))
