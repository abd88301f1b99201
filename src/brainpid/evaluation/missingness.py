"""Weights for people who have every modality, where having it depends on the target.

A decomposition takes people with every modality. Where older people lack one more often, those who are left are
younger and more alike than the cohort, and tell less. Whether the part of the people who have everything depends on the
target is tested by a logistic regression on the target and its square; where it does, people are weighted by the
inverse of the probability that somebody of their target has everything (inverse-probability weights).

References
----------
Seaman and White 2013, Statistical Methods in Medical Research 22:278.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from brainpid.core.arrays import BoolArray, FloatArray

DEPENDS = 0.01
"""p-value of the likelihood-ratio test below which having every modality depends on the target."""
FEWEST = 50
"""People of a cohort, and 10 who have everything and 10 who do not, from which it is told."""
LARGEST_WEIGHT = 10.0
"""Of a person, in the mean weight: beyond, few people would stand for many."""


@dataclass(frozen=True)
class Missingness:
    """How having every modality depends on the target.

    Attributes
    ----------
    p_value : float
        Of the likelihood-ratio test; NaN where there are too few people to tell.
    weights : ndarray, shape (n,)
        Of the people who have every modality, in their order, with a mean of 1.
    """

    p_value: float
    weights: FloatArray

    @property
    def depends(self) -> bool:
        """Whether it does."""
        return self.p_value < DEPENDS


def missingness(target: FloatArray, complete: BoolArray) -> Missingness:
    """Test one cohort, and weight those who have every modality.

    Parameters
    ----------
    target : ndarray, shape (n,)
    complete : ndarray of bool, shape (n,)
        Who has every modality.
    """
    n = len(target)
    if n < FEWEST or min(int(complete.sum()), int((~complete).sum())) < 10 or np.ptp(target) == 0:
        return Missingness(float("nan"), np.ones(int(complete.sum())))
    z = (target - target.mean()) / target.std()
    design = np.column_stack([z, z**2])
    fitted = LogisticRegression(C=1e3, max_iter=1000).fit(design, complete)
    probability = fitted.predict_proba(design)[:, 1]
    gained = 2 * n * (log_loss(complete, np.full(n, complete.mean())) - log_loss(complete, probability))
    weights = complete.mean() / probability[complete]
    weights = np.minimum(weights / weights.mean(), LARGEST_WEIGHT)
    return Missingness(float(chi2.sf(max(gained, 0.0), 2)), weights / weights.mean())
