"""Correction of the regression to the mean that every age prediction shows.

Predictions of the young are too high and of the old too low. The line ``predicted = intercept + slope * age`` is
fitted on out-of-fold predictions of the training people, and a new prediction is read back through it,
``(predicted - intercept) / slope`` (Cole et al. 2018; de Lange & Cole 2020, NeuroImage: Clinical 26:102229). The
person's own age does not enter. The variant that adds the expected error at the person's own age does use it: there a
model that knows nothing gets a mean absolute error near zero, and it is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainpid.core.errors import InputError

MIN_SLOPE = 0.1
"""Below this slope the correction would blow every error up tenfold: the prediction then hardly depends on age."""


@dataclass(frozen=True)
class AgeBias:
    """Line of predicted on chronological age among training people.

    Attributes
    ----------
    intercept : float
        In the target's units.
    slope : float
        Without unit; 1 is a prediction without bias, 0 one that does not depend on age.
    """

    intercept: float
    slope: float

    @classmethod
    def fit(cls, predicted: ArrayLike, age: ArrayLike) -> AgeBias:
        """Fit by least squares to out-of-fold predictions and ages of training people, each of shape (n,)."""
        predicted, age = np.asarray(predicted, dtype=float), np.asarray(age, dtype=float)
        centred = age - age.mean()
        if not np.any(centred):
            raise InputError(f"the age bias cannot be fitted: all {len(age)} training people have the same target")
        slope = float(centred @ predicted / (centred @ centred))
        return cls(float(predicted.mean() - slope * age.mean()), slope)

    @property
    def correctable(self) -> bool:
        """Whether predictions depend on age enough for the correction to mean something."""
        return self.slope >= MIN_SLOPE

    def correct(self, predicted: ArrayLike) -> NDArray[np.float64]:
        """Corrected predictions of shape (n,), in the target's units; NaN where there is nothing to correct."""
        predicted = np.asarray(predicted, dtype=float)
        if not self.correctable:
            return np.full(predicted.shape, np.nan)
        return (predicted - self.intercept) / self.slope
