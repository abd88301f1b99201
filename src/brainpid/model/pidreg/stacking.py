r"""How the predictions of several base learners become one, whichever modalities a person has.

A base learner predicts the target's normal score from subsets of the modalities (`subsets_read`). Everything here is
fitted on out-of-fold predictions of training people, so that a base learner's weight reflects what it knows of
people it has not seen.

- The scalar latent of modality m is ``z_m = sum_e v_em r_em`` over the predictions ``r_em`` from m alone.
- The closed-form head of the modalities A is ``E[g | z_A]`` from the joint mean and covariance of the latents and the
  score. That is identical to filling in the missing latents by their conditional mean and using the head of all
  modalities.
- A person who has the modalities A is predicted by ``c + sum_e w_eA (y_eA - c) + w_hA (y_hA - c)``: predictions of the
  base learners that read A, and the head of A, turned into the target's units, c its mean. Weights that are fitted in
  units err less than those of scores, whose tails are stretched. Base learners read all modalities and, where there
  are three or more, all but one; of other A there is the head alone.

Weights v and w are non-negative least squares, drawn towards equal weights. Where one network is to be the whole
model, what it predicts from all modalities is the prediction, and the head has no part in it.

References
----------
Breiman 1996, Machine Learning 24:49 (stacking); Engemann et al. 2020, eLife 9:e54055.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainpid.core.arrays import BoolArray, FloatArray
from brainpid.core.errors import NumericalError
from brainpid.core.linalg import least_squares, non_negative_least_squares
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_predictions import BasePredictions, subset_patterns

DRAW_TO_EQUAL = 15.0
"""Weight of the prior of equal weights, in people."""


@dataclass(frozen=True)
class Stack:
    """Weights and heads, fitted on out-of-fold predictions.

    Attributes
    ----------
    latent_weights : ndarray, shape (K, M)
        v_em of the K base learners.
    weights : ndarray, shape (K + 1, R - M)
        w_eA of the base learners, and w_hA of the head last, for the subsets of several modalities that are read; 0
        where a base learner does not read A.
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
    def fit(
        cls, predictions: Sequence[BasePredictions], y: FloatArray, target_map: NormalScores, alone: bool = False
    ) -> Stack:
        """Fit to out-of-fold predictions of training people.

        Parameters
        ----------
        predictions : sequence of BasePredictions
            Of each base learner, of the same n people.
        y : ndarray, shape (n,)
            Target, in its units.
        target_map : NormalScores
            Between the target and the scores that the base learners predict.
        alone : bool
            Whether what the first base learner predicts from all modalities is the prediction.
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
        several = range(present.shape[1], predictions[0].scores.shape[1])
        weights = np.zeros((len(predictions) + 1, len(several)))
        found = cls(latent_weights, weights, centre, target_map, mean, covariance)
        for place, r in enumerate(several):
            pattern = subset_patterns(present.shape[1])[r]
            own = present[:, pattern].all(axis=1)
            candidates = (found._candidates(predictions, latents, r, pattern)[own] - centre) / spread
            reads = ~np.isnan(candidates).all(axis=0)
            weights[reads, place] = equal_drawn_weights(candidates[:, reads], (y[own] - centre) / spread)
        if alone:
            weights[:, -1] = np.eye(len(weights))[0]
        return found

    def latents(self, predictions: Sequence[BasePredictions]) -> FloatArray:
        """Scalar latents (n, M); NaN where a person lacks the modality."""
        return _latents(predictions, self.latent_weights)

    def predict(self, predictions: Sequence[BasePredictions]) -> FloatArray:
        """Predictions (n,) in the target's units from whatever modalities each person has; NaN without any."""
        present = ~np.isnan(predictions[0].alone)
        predicted = np.full(len(present), np.nan)
        for pattern in np.unique(present, axis=0):
            own = (present == pattern).all(axis=1)
            if pattern.any():
                predicted[own] = self.predict_from([p.of(own) for p in predictions], pattern)
        return predicted

    def predict_from(self, predictions: Sequence[BasePredictions], pattern: BoolArray) -> FloatArray:
        """Predictions (n,) in the target's units from the modalities `pattern` (M,); NaN for those who lack one."""
        latents, m = self.latents(predictions), len(pattern)
        (read,) = np.nonzero((subset_patterns(m)[m:] == pattern).all(axis=1))
        if not len(read):
            return self.target_map.inverse_transform(self.head(latents, pattern))
        weights = self.weights[:, read[0]]
        some = weights > 0  # a base learner that does not read the subset has no part, and no number either
        candidates = self._candidates(predictions, latents, m + read[0], pattern)[:, some]
        predicted: FloatArray = self.centre + (candidates - self.centre) @ weights[some]
        return predicted

    def head(self, latents: FloatArray, pattern: BoolArray) -> FloatArray:
        """Scores ``E[g | z_A]`` (n,) of latents (n, M) for the modalities A that `pattern` (M,) marks."""
        columns = 1 + np.flatnonzero(pattern)
        # Least squares copes with latents that are constant or copies of one another.
        own = self.covariance[np.ix_(columns, columns)]
        what, target = "head on the scalar latents", self.covariance[columns, 0]
        slope = least_squares(what, own, target, len(latents), len(columns), tolerance=1e-10)
        predicted: FloatArray = self.mean[0] + (latents[:, pattern] - self.mean[columns]) @ slope
        return predicted

    def _candidates(
        self, predictions: Sequence[BasePredictions], latents: FloatArray, place: int, pattern: BoolArray
    ) -> FloatArray:
        """Predictions in units from a subset that is read: each base learner's and the head's, (n, K + 1)."""
        told = [*(p.scores[:, place] for p in predictions), self.head(latents, pattern)]
        return self.target_map.inverse_transform(np.column_stack(told))


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
    target = np.concatenate([scores, np.full(k, prior / k)])
    return non_negative_least_squares("weights of base learners", design, target, n, k)
