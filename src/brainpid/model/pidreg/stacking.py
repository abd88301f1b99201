r"""How the readings of several experts become one prediction, whichever modalities a person has.

An expert is a regressor that reads the target's normal score from each modality alone and from all of them together.
Everything here is fitted on out-of-fold predictions of training people, so that an expert's weight reflects what it
knows of people it has not seen.

- The scalar latent of modality m is ``z_m = sum_e v_em r_em`` over the experts' readings ``r_em`` of m alone.
- A person who has the modalities A is predicted by the closed-form head ``E[g | z_A]`` from the joint mean and
  covariance of the latents and the score. That is identical to filling in the missing latents by their conditional
  mean and using the head of all modalities.
- With every modality the prediction is ``c + sum_e w_e (y_e - c) + w_h (y_h - c)``: readings and head turned into the
  target's units, c its mean. Weights that are fitted in units err less than those of scores, whose tails are stretched.

Weights v and w are non-negative least squares, drawn towards equal weights.

References
----------
Breiman 1996, Machine Learning 24:49 (stacking); Engemann et al. 2020, eLife 9:e54055.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import nnls

from brainpid.core.arrays import BoolArray, FloatArray
from brainpid.core.errors import NumericalError
from brainpid.core.linalg import factorising
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_predictions import BasePredictions

DRAW_TO_EQUAL = 15.0
"""Weight of the prior of equal weights, in people."""


@dataclass(frozen=True)
class Stack:
    """Weights and heads, fitted on out-of-fold predictions.

    Attributes
    ----------
    latent_weights : ndarray, shape (K, M)
        v_em of the K experts.
    weights : ndarray, shape (K + 1,)
        w_e of the experts, and w_h of the head last.
    centre : float
        Mean target c, in its units.
    target_map : NormalScores
        Between the target and what the experts read.
    mean : ndarray, shape (1 + M,)
        Of the score and the latents.
    covariance : ndarray, shape (1 + M, 1 + M)
    """

    latent_weights: FloatArray
    weights: FloatArray
    centre: float
    target_map: NormalScores
    mean: FloatArray
    covariance: FloatArray

    @classmethod
    def fit(cls, readings: Sequence[BasePredictions], target: FloatArray, target_map: NormalScores) -> Stack:
        """Fit to out-of-fold predictions of training people.

        Parameters
        ----------
        readings : sequence of BasePredictions
            Of each expert, of the same n people.
        target : ndarray, shape (n,)
            In its units.
        target_map : NormalScores
            Between the target and what the experts read.
        """
        scores = target_map.transform(target)
        present = ~np.isnan(readings[0].alone)
        latent_weights = np.column_stack(
            [
                equal_drawn_weights(np.column_stack([r.alone[own, m] for r in readings]), scores[own])
                for m, own in enumerate(present.T)
            ]
        )
        complete = present.all(axis=1)
        latents = _latents(readings, latent_weights)
        joint = np.column_stack([scores, latents])[complete]
        mean, covariance = joint.mean(axis=0), np.asarray(np.cov(joint, rowvar=False), dtype=np.float64)
        centre, spread = float(target.mean()), float(target.std())
        found = cls(latent_weights, np.zeros(len(readings) + 1), centre, target_map, mean, covariance)
        candidates = (found._candidates(readings, latents)[complete] - centre) / spread
        return replace(found, weights=equal_drawn_weights(candidates, (target[complete] - centre) / spread))

    def latents(self, readings: Sequence[BasePredictions]) -> FloatArray:
        """Scalar latents (n, M); NaN where a person lacks the modality."""
        return _latents(readings, self.latent_weights)

    def predict(self, readings: Sequence[BasePredictions]) -> FloatArray:
        """Predictions (n,) in the target's units from whatever modalities each person has; NaN without any."""
        latents = self.latents(readings)
        present = ~np.isnan(latents)
        predicted = self._weighed(readings, latents)
        for pattern in np.unique(present[~present.all(axis=1)], axis=0):
            own = (present == pattern).all(axis=1)
            predicted[own] = (
                self.target_map.inverse_transform(self.head(latents[own], pattern)) if pattern.any() else np.nan
            )
        return predicted

    def predict_from(self, readings: Sequence[BasePredictions], pattern: BoolArray) -> FloatArray:
        """Predictions (n,) in the target's units from the modalities `pattern` (M,); NaN for those who lack one."""
        latents = self.latents(readings)
        if pattern.all():
            return self._weighed(readings, latents)
        return self.target_map.inverse_transform(self.head(latents, pattern))

    def head(self, latents: FloatArray, pattern: BoolArray) -> FloatArray:
        """Scores ``E[g | z_A]`` (n,) of latents (n, M) for the modalities A that `pattern` (M,) marks."""
        columns = 1 + np.flatnonzero(pattern)
        # Least squares copes with latents that are constant or copies of one another.
        own = self.covariance[np.ix_(columns, columns)]
        with factorising("head on the scalar latents", own, len(latents), len(columns)):
            slope = np.linalg.lstsq(own, self.covariance[columns, 0], rcond=1e-10)[0]
        predicted: FloatArray = self.mean[0] + (latents[:, pattern] - self.mean[columns]) @ slope
        return predicted

    def _weighed(self, readings: Sequence[BasePredictions], latents: FloatArray) -> FloatArray:
        predicted: FloatArray = self.centre + (self._candidates(readings, latents) - self.centre) @ self.weights
        return predicted

    def _candidates(self, readings: Sequence[BasePredictions], latents: FloatArray) -> FloatArray:
        """Predictions in units of people with every modality: each expert's and the head's, (n, K + 1)."""
        head = self.head(latents, np.ones(latents.shape[1], dtype=bool))
        return self.target_map.inverse_transform(np.column_stack([*(r.together for r in readings), head]))


def _latents(readings: Sequence[BasePredictions], weights: FloatArray) -> FloatArray:
    return np.sum([v * r.alone for v, r in zip(weights, readings, strict=True)], axis=0)


def equal_drawn_weights(candidates: FloatArray, scores: FloatArray) -> FloatArray:
    r"""Non-negative weights of predictions, ``min_w |g - P w|^2 + lambda |w - 1/K|^2`` with lambda = `DRAW_TO_EQUAL`.

    Parameters
    ----------
    candidates : ndarray, shape (n, K)
        Out-of-fold predictions P.
    scores : ndarray, shape (n,)
        What they should be, centred near 0 with a variance near 1.

    Raises
    ------
    NumericalError
        Where a prediction is not finite, or the weights do not converge.
    """
    n, k = candidates.shape
    if not np.isfinite(candidates).all():
        bad = int((~np.isfinite(candidates)).any(axis=1).sum())
        raise NumericalError(f"out-of-fold predictions of {bad} of n = {n} people by {k} experts are not finite")
    prior = np.sqrt(DRAW_TO_EQUAL)
    design = np.vstack([candidates, prior * np.eye(k)])
    try:
        weights, _ = nnls(design, np.concatenate([scores, np.full(k, prior / k)]))
    except RuntimeError as fault:
        raise NumericalError(
            f"weights of base learners: n = {n}, d = {k}, condition number {np.linalg.cond(design):.3g}: {fault}"
        ) from fault
    return np.asarray(weights)
