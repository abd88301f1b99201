r"""How the predictions of several base learners become one, whichever modalities a person has.

A base learner predicts the target's normal score from each modality alone and from all of them together. Everything
here is fitted on out-of-fold predictions of training people, so that a base learner's weight reflects what it knows of
people it has not seen.

- The scalar latent of modality m is ``z_m = sum_e v_em r_em`` over the predictions ``r_em`` from m alone.
- A person who has the modalities A is predicted by the closed-form head ``E[g | z_A]`` from the joint mean and
  covariance of the latents and the score. That is identical to filling in the missing latents by their conditional
  mean and using the head of all modalities.
- With every modality the prediction is ``c + sum_e w_e (y_e - c) + w_h (y_h - c)``: predictions and head turned into
  the target's units, c its mean. Weights that are fitted in units err less than those of scores, whose tails are
  stretched.

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
from brainpid.core.linalg import condition_number, least_squares
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
        v_em of the K base learners.
    weights : ndarray, shape (K + 1,)
        w_e of the base learners, and w_h of the head last.
    centre : float
        Mean target c, in its units.
    target_map : NormalScores
        Between the target and the scores that the base learners predict.
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
    def fit(cls, predictions: Sequence[BasePredictions], y: FloatArray, target_map: NormalScores) -> Stack:
        """Fit to out-of-fold predictions of training people.

        Parameters
        ----------
        predictions : sequence of BasePredictions
            Of each base learner, of the same n people.
        y : ndarray, shape (n,)
            Target, in its units.
        target_map : NormalScores
            Between the target and the scores that the base learners predict.
        """
        scores = target_map.transform(y)
        present = ~np.isnan(predictions[0].alone)
        latent_weights = np.column_stack(
            [
                equal_drawn_weights(np.column_stack([p.alone[own, m] for p in predictions]), scores[own])
                for m, own in enumerate(present.T)
            ]
        )
        complete = present.all(axis=1)
        latents = _latents(predictions, latent_weights)
        joint = np.column_stack([scores, latents])[complete]
        mean, covariance = joint.mean(axis=0), np.asarray(np.cov(joint, rowvar=False), dtype=np.float64)
        centre, spread = float(y.mean()), float(y.std())
        found = cls(latent_weights, np.zeros(len(predictions) + 1), centre, target_map, mean, covariance)
        candidates = (found._candidates(predictions, latents)[complete] - centre) / spread
        return replace(found, weights=equal_drawn_weights(candidates, (y[complete] - centre) / spread))

    def latents(self, predictions: Sequence[BasePredictions]) -> FloatArray:
        """Scalar latents (n, M); NaN where a person lacks the modality."""
        return _latents(predictions, self.latent_weights)

    def predict(self, predictions: Sequence[BasePredictions]) -> FloatArray:
        """Predictions (n,) in the target's units from whatever modalities each person has; NaN without any."""
        latents = self.latents(predictions)
        present = ~np.isnan(latents)
        predicted = self._weighed(predictions, latents)
        for pattern in np.unique(present[~present.all(axis=1)], axis=0):
            own = (present == pattern).all(axis=1)
            predicted[own] = (
                self.target_map.inverse_transform(self.head(latents[own], pattern)) if pattern.any() else np.nan
            )
        return predicted

    def predict_from(self, predictions: Sequence[BasePredictions], pattern: BoolArray) -> FloatArray:
        """Predictions (n,) in the target's units from the modalities `pattern` (M,); NaN for those who lack one."""
        latents = self.latents(predictions)
        if pattern.all():
            return self._weighed(predictions, latents)
        return self.target_map.inverse_transform(self.head(latents, pattern))

    def head(self, latents: FloatArray, pattern: BoolArray) -> FloatArray:
        """Scores ``E[g | z_A]`` (n,) of latents (n, M) for the modalities A that `pattern` (M,) marks."""
        columns = 1 + np.flatnonzero(pattern)
        # Least squares copes with latents that are constant or copies of one another.
        own = self.covariance[np.ix_(columns, columns)]
        what, target = "head on the scalar latents", self.covariance[columns, 0]
        slope = least_squares(what, own, target, len(latents), len(columns), tolerance=1e-10)
        predicted: FloatArray = self.mean[0] + (latents[:, pattern] - self.mean[columns]) @ slope
        return predicted

    def _weighed(self, predictions: Sequence[BasePredictions], latents: FloatArray) -> FloatArray:
        predicted: FloatArray = self.centre + (self._candidates(predictions, latents) - self.centre) @ self.weights
        return predicted

    def _candidates(self, predictions: Sequence[BasePredictions], latents: FloatArray) -> FloatArray:
        """Predictions in units of people with every modality: each base learner's and the head's, (n, K + 1)."""
        head = self.head(latents, np.ones(latents.shape[1], dtype=bool))
        return self.target_map.inverse_transform(np.column_stack([*(p.together for p in predictions), head]))


def _latents(predictions: Sequence[BasePredictions], weights: FloatArray) -> FloatArray:
    return np.sum([v * p.alone for v, p in zip(weights, predictions, strict=True)], axis=0)


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
        raise NumericalError(f"out-of-fold predictions of {bad} of n = {n} people by {k} base learners are not finite")
    prior = np.sqrt(DRAW_TO_EQUAL)
    design = np.vstack([candidates, prior * np.eye(k)])
    try:
        weights, _ = nnls(design, np.concatenate([scores, np.full(k, prior / k)]))
    except RuntimeError as fault:
        raise NumericalError(
            f"weights of base learners: n = {n}, d = {k}, condition number {condition_number(design):.3g}: {fault}"
        ) from fault
    return np.asarray(weights)
