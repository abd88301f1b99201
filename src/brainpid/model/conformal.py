"""Intervals for one person's prediction, with a coverage that holds without distributional assumptions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.linalg import factorising
from brainpid.crossfit.minima import fewest_of_interval

SHRINKAGE = 0.05
"""Ridge penalty of the spread's dependence on the prediction, as a part of the people."""
_SMALLEST = 0.05  # errors below this part of the mean say nothing about spread on a logarithmic scale


@dataclass(frozen=True)
class AdaptiveConformal:
    r"""Normalised conformal intervals from out-of-fold errors of training people.

    Errors are larger at some predicted values than at others: ``log |error|`` is regressed on the standardised
    prediction z and its square, which gives a spread ``s(z)``. A new person's interval is the prediction plus and minus
    ``q s(z)``, q being the ``ceil((n + 1) coverage)``-th smallest of the training people's ``|error| / s``. Under
    exchangeability it covers about `coverage` whatever the spread's form is (cross-conformal prediction, Vovk 2015;
    normalised errors, Lei et al. 2018, JASA 113:1094; the stricter CV+ of Barber et al. 2021, Annals of Statistics
    49:486 guarantees ``2 coverage - 1``).

    Attributes
    ----------
    centre, scale : float
        Mean and standard deviation of the out-of-fold predictions, in the target's units.
    slopes : ndarray, shape (2,)
        Of ``log s`` on z and z^2 - 1.
    ratios : ndarray, shape (n,)
        Sorted ``|error| / s``, in the target's units.
    """

    centre: float
    scale: float
    slopes: FloatArray
    ratios: FloatArray

    @classmethod
    def fit(cls, predicted: ArrayLike, y: ArrayLike) -> AdaptiveConformal:
        """Fit to out-of-fold predictions and targets of training people, shape (n,) each, in the same units."""
        predicted = np.asarray(predicted, dtype=float)
        errors = np.abs(predicted - np.asarray(y, dtype=float))
        centre, scale = float(predicted.mean()), float(predicted.std()) or 1.0
        found = cls(centre, scale, np.zeros(2), errors)
        log_error = np.log(np.maximum(errors, _SMALLEST * (errors.mean() or 1.0)))
        design = found._design(predicted)
        gram = design.T @ design + SHRINKAGE * len(errors) * np.eye(2)
        with factorising("spread of the errors", gram, len(errors), 2):
            slopes = np.linalg.solve(gram, design.T @ (log_error - log_error.mean()))
        spread = np.exp(design @ slopes)
        return cls(centre, scale, slopes, np.sort(errors / spread))

    def half_width(self, predicted: ArrayLike, coverage: float) -> FloatArray:
        """Half widths (n,) of intervals around predictions (n,), in the target's units.

        Raises
        ------
        InputError
            Where there are too few training people for the coverage: ``n >= coverage / (1 - coverage)`` is needed.
        """
        rank = int(np.ceil((len(self.ratios) + 1) * coverage - 1e-9))
        if rank > len(self.ratios):
            raise InputError(
                f"an interval of coverage {coverage:g} needs at least {fewest_of_interval(coverage)} training people, "
                f"found {len(self.ratios)}; lower interval_coverage"
            )
        spread = np.exp(self._design(np.asarray(predicted, dtype=float)) @ self.slopes)
        return np.asarray(self.ratios[rank - 1] * spread)

    def interval(self, predicted: ArrayLike, coverage: float) -> FloatArray:
        """Intervals (n, 2) around predictions (n,), in the target's units."""
        predicted = np.asarray(predicted, dtype=float)
        half = self.half_width(predicted, coverage)
        return np.column_stack([predicted - half, predicted + half])

    def _design(self, predicted: FloatArray) -> FloatArray:
        # Beyond two standard deviations the spread stays as it is there: a parabola of logarithms explodes.
        z = np.clip((predicted - self.centre) / self.scale, -2.0, 2.0)
        return np.column_stack([z, z**2 - 1])
