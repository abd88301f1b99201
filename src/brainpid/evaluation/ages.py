"""The spread of targets that an information is read over: bits follow it, whatever the model is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

AGE_COLUMNS = ["age_sd", "age_low", "age_high"]
"""Columns of ``pid.tsv`` that say of whom bits were read."""


class Ages(NamedTuple):
    """Moments of the targets of some people, in the target's units.

    Attributes
    ----------
    n : int
    mean, sd : float
        The standard deviation is that of n - 1 degrees of freedom.
    skewness, kurtosis : float
        Of the standardised values; 0 and 3 in a normal distribution. NaN where all targets are equal.
    low, high : float
        Smallest and largest; NaN where they are not told, because they are single people's.
    """

    n: int
    mean: float
    sd: float
    skewness: float
    kurtosis: float
    low: float
    high: float

    @classmethod
    def of(cls, values: ArrayLike) -> Ages:
        """Moments of values (n,), n at least 2."""
        found = np.asarray(values, dtype=float)
        mean, sd = float(found.mean()), float(found.std(ddof=1))
        spread = float(found.std())
        z = (found - mean) / spread if spread > 0 else np.full(len(found), np.nan)
        return cls(
            len(found), mean, sd, float(np.mean(z**3)), float(np.mean(z**4)), float(found.min()), float(found.max())
        )

    def columns(self) -> dict[str, float]:
        """Values of `AGE_COLUMNS`."""
        return dict(zip(AGE_COLUMNS, (self.sd, self.low, self.high), strict=True))


def sd_of_all(cohorts: Sequence[Ages]) -> float:
    """Standard deviation of the targets of several cohorts' people together, from their moments.

    Examples
    --------
    >>> round(sd_of_all([Ages.of([20, 30]), Ages.of([40, 60, 80])]), 6) == round(Ages.of([20, 30, 40, 60, 80]).sd, 6)
    True
    """
    n = np.array([own.n for own in cohorts], dtype=float)
    mean = np.array([own.mean for own in cohorts])
    within = np.sum((n - 1) * np.array([own.sd for own in cohorts]) ** 2)
    return float(np.sqrt((within + n @ (mean - n @ mean / n.sum()) ** 2) / (n.sum() - 1)))
