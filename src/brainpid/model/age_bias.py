"""Correction of the regression to the mean that every age prediction shows.

Predictions of the young are too high and of the old too low. The line ``predicted = intercept + slope * age`` is
fitted on out-of-fold predictions of the training people, and a new prediction is read back through it,
``(predicted - intercept) / slope`` (Cole et al. 2018; de Lange & Cole 2020, NeuroImage: Clinical 26:102229). The
person's own age does not enter. There is one line for each subset of the modalities, because a prediction from few of
them lies nearer to the mean; a person's is that of the modalities at hand. The variant that adds the expected error at
the person's own age does use it: there a model that knows nothing gets a mean absolute error near zero, and it is not
offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.modalities import Subset

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


def fit_age_biases(predictions: Mapping[Subset, FloatArray], age: FloatArray) -> dict[str, AgeBias]:
    """Fit the line of each subset of the modalities to the people who have it.

    Parameters
    ----------
    predictions : mapping of tuple of str to ndarray, shape (n,)
        Out-of-fold predictions of training people from each subset; NaN for people who lack a modality of it.
    age : ndarray, shape (n,)
        In the same units.

    Returns
    -------
    dict of str to AgeBias
        By subset, such as ``t1+dwi``.
    """
    lines = {}
    for subset, predicted in predictions.items():
        known = np.isfinite(predicted)
        lines["+".join(subset)] = AgeBias.fit(predicted[known], age[known])
    return lines


def correct_predictions(
    biases: Mapping[str, AgeBias], predicted: FloatArray, modalities: Sequence[str | None]
) -> FloatArray:
    """Correct each person's prediction by the line of the modalities that the person has.

    Parameters
    ----------
    biases : mapping of str to AgeBias
        By subset of the modalities.
    predicted : ndarray, shape (n,)
        In the target's units.
    modalities : sequence of str or None, length n
        Such as ``t1+dwi``, in any order; None for a person without any.

    Returns
    -------
    ndarray, shape (n,)
        NaN where there is nothing to correct.
    """
    lines = {frozenset(subset.split("+")): bias for subset, bias in biases.items()}
    corrected = np.full(len(predicted), np.nan)
    for pattern in {own for own in modalities if own is not None}:
        rows = np.array([own == pattern for own in modalities])
        corrected[rows] = lines[frozenset(pattern.split("+"))].correct(predicted[rows])
    return corrected
