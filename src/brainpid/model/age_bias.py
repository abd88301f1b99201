"""Correction of the regression to the mean that every age prediction shows.

Predictions of the young are too high and of the old too low. The line ``predicted = intercept + slope * age`` is
fitted on out-of-fold predictions of the training people, and a new prediction is read back through it,
``(predicted - intercept) / slope`` (Cole et al. 2018; de Lange & Cole 2020, NeuroImage: Clinical 26:102229). The
person's own age does not enter. There is one line for each subset of the modalities, because a prediction from few of
them lies nearer to the mean; a person's is that of the modalities at hand.

At a site that training has not seen, predictions lie nearer to the mean than at known ones. Lines for people there are
fitted to the mean of two predictions of each training person: without the person's inner fold, and without the person's
site. By the second alone the correction goes too far: fits that lack whole sites have fewer people than the model.

The variant that adds the expected error at
the person's own age does use it: there a model that knows nothing gets a mean absolute error near zero, and it is not
offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.modalities import Subset

KNOWN, NEW_SITES = "age_bias", "age_bias_new_sites"
"""Keys of the lines in ``provenance.json``."""
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


@dataclass(frozen=True)
class AgeBiases:
    """Lines of a fitted model.

    Attributes
    ----------
    known : dict of str to AgeBias
        By subset of the modalities, such as ``t1+dwi``; empty where none is known.
    new_sites : dict of str to AgeBias
        Those of people whose site training has not seen; empty where nothing was learned of new sites.
    """

    known: dict[str, AgeBias] = field(default_factory=dict)
    new_sites: dict[str, AgeBias] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, out_of_fold: Mapping[Subset, FloatArray], left_out: Mapping[Subset, FloatArray], age: FloatArray
    ) -> Self:
        """Fit to training people.

        Parameters
        ----------
        out_of_fold : mapping of tuple of str to ndarray, shape (n,)
            Predictions from each subset by fits without the person's inner fold; NaN for people who lack a modality.
        left_out : mapping of tuple of str to ndarray, shape (n,)
            The same by fits without the person's site; empty where there are none.
        age : ndarray, shape (n,)
            In the same units.
        """
        both = {subset: (out_of_fold[subset] + left) / 2 for subset, left in left_out.items()}
        return cls(fit_age_biases(out_of_fold, age), fit_age_biases(both, age))

    def correct(
        self, predicted: FloatArray, modalities: Sequence[str | None], seen: Sequence[str | None]
    ) -> FloatArray:
        """Correct each person's prediction by the line of the modalities that the person has.

        Parameters
        ----------
        predicted : ndarray, shape (n,)
            In the target's units.
        modalities : sequence of str or None, length n
            Such as ``t1+dwi``, in any order; None for a person without any.
        seen : sequence of str or None, length n
            ``no`` for people whose site training has not seen, as `brainpid.model.sites.sites_seen` has it.

        Returns
        -------
        ndarray, shape (n,)
            NaN where there is nothing to correct.
        """
        unseen = np.array([own == "no" for own in seen], dtype=bool) & bool(self.new_sites)
        corrected = np.full(len(predicted), np.nan)
        for biases, kind in ((self.known, ~unseen), (self.new_sites, unseen)):
            lines = {frozenset(subset.split("+")): bias for subset, bias in biases.items()}
            for pattern in {own for own, there in zip(modalities, kind, strict=True) if there and own is not None}:
                rows = np.array([own == pattern for own in modalities]) & kind
                corrected[rows] = lines[frozenset(pattern.split("+"))].correct(predicted[rows])
        return corrected

    def written(self) -> dict[str, dict[str, dict[str, float]]]:
        """Entries of ``provenance.json``."""
        kinds = {KNOWN: self.known} | ({NEW_SITES: self.new_sites} if self.new_sites else {})
        return {key: {subset: asdict(bias) for subset, bias in lines.items()} for key, lines in kinds.items()}

    @classmethod
    def read(cls, provenance: Mapping[str, Any]) -> Self:
        """Undo `written`; without lines where nothing was written."""
        known, new_sites = (
            {subset: AgeBias(**line) for subset, line in provenance.get(key, {}).items()} for key in (KNOWN, NEW_SITES)
        )
        return cls(known, new_sites)
