r"""Bayes' rule on a normative model: how features change with the target, turned round to predict the target from them.

Features follow smooth curves of the target, and people scatter around the curves with one covariance:

.. math:: x \mid t \sim N(W^\top b(t), \Sigma), \qquad b(t) = (1, t, \ldots, t^q), \qquad
          \Sigma = (1 - s) S + s \, \mathrm{tr}(S) / p \; I

with t the standardised target and S the covariance of the residuals. With the training targets as prior, here K
quantiles :math:`t_k` of equal mass, the posterior of a person is

.. math:: p_k \propto \exp(b_k \cdot z - b_k^\top Q b_k / 2), \qquad z = W \Sigma^{-1} x, \qquad
          Q = W \Sigma^{-1} W^\top

and the prediction is the posterior mean of the score. All that a person's features have to say is in the q + 1
numbers z, so the model is small, and what is not linear in it costs few parameters. The shrinkage s is the one with the
least squared error on left-out people.

A regression of the target on the features errs in other ways than this does, so the two together err less than either.

References
----------
Marquand et al. 2016, Biological Psychiatry 80:552 (normative models of the brain); Cook 2007, Statistical Science 22:1
(inverse regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.linalg import least_squares, thin_svd
from brainpid.crossfit.transforms import NormalScores, means_of_neighbours
from brainpid.model.varying import Varying

DEGREE = 3
"""Of the curves, where there are enough people; choosing it on left-out people was worse than taking it as given."""
SHRINKAGES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
PEOPLE_PER_COEFFICIENT = 10
"""Training people that a coefficient of the curves takes; with fewer the degree is lower, 1 at least."""

_QUANTILES = 200
_LEAST_NOISE = 1e-6  # of the features' mean square: what does not scatter at all has no finite likelihood


@dataclass(frozen=True)
class NormativeModel:
    """A fitted model.

    Attributes
    ----------
    weights : ndarray, shape (q + 1, p)
        ``W Sigma^-1``.
    log_prior : ndarray, shape (K,)
        ``-b_k' Q b_k / 2``.
    basis : ndarray, shape (K, q + 1)
        b(t_k).
    scores : ndarray, shape (K,)
        Scores of the quantiles t_k.
    shrinkage : float
    """

    weights: FloatArray
    log_prior: FloatArray
    basis: FloatArray
    scores: FloatArray
    shrinkage: float

    @classmethod
    def fit(
        cls, blocks: Blocks, y: FloatArray, target_map: NormalScores, fold: IntArray, least: int = 1
    ) -> tuple[NormativeModel, FloatArray]:
        """Fit to training people; returns the model and their predicted scores (n,), each without its own fold.

        Parameters
        ----------
        blocks : mapping of str to ndarray, shape (n, p_m)
            Standardised features, none of them missing; the model's features are all of them side by side.
        y : ndarray, shape (n,)
            Target, in its units.
        target_map : NormalScores
            Between the target and its scores.
        fold : ndarray of int, shape (n,)
            Inner fold of each person.
        least : int
            Above 1 the prior is the means of so many neighbouring targets, so that no person's own target is kept.

        Raises
        ------
        NumericalError
            Where the features cannot be decomposed.
        """
        features, scores = _side_by_side(blocks), target_map.transform(y)
        left_out = np.empty((len(SHRINKAGES), len(scores)))
        for k in np.unique(fold):
            inside = fold == k
            models = _models(features[~inside], y[~inside], target_map, SHRINKAGES, least)
            left_out[:, inside] = [model._posterior_mean(features[inside]) for model in models]
        best = int(((left_out - scores) ** 2).mean(axis=1).argmin())
        (model,) = _models(features, y, target_map, SHRINKAGES[best : best + 1], least)
        return model, left_out[best]

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,) of people who have all modalities, standardised features (n, p_m)."""
        return self._posterior_mean(_side_by_side(blocks))

    def vary(self, blocks: Blocks, modality: str) -> Varying:
        """People as they vary in one modality: z is linear in the features."""
        read, own = _side_by_side(blocks) @ self.weights.T, blocks[modality]
        start = sum(blocks[m].shape[1] for m in list(blocks)[: list(blocks).index(modality)])

        def changed(columns: IntArray, values: FloatArray) -> FloatArray:
            return self._mean_at(read + (values - own[:, columns]) @ self.weights[:, start + columns].T)

        return changed

    def _posterior_mean(self, features: FloatArray) -> FloatArray:
        return self._mean_at(features @ self.weights.T)

    def _mean_at(self, z: FloatArray) -> FloatArray:
        """Posterior means (...,) at z (..., q + 1)."""
        return np.asarray(softmax(z @ self.basis.T + self.log_prior, axis=-1) @ self.scores)


def _side_by_side(blocks: Blocks) -> FloatArray:
    return np.column_stack(list(blocks.values()))


def _models(
    features: FloatArray, y: FloatArray, target_map: NormalScores, shrinkages: Sequence[float], least: int
) -> list[NormativeModel]:
    """Models that differ in shrinkage alone."""
    n, p = features.shape
    degree = int(np.clip(n // PEOPLE_PER_COEFFICIENT - 1, 1, DEGREE))
    centre, spread = y.mean(), y.std()

    def basis(values: FloatArray) -> FloatArray:
        return np.vander((values - centre) / spread, degree + 1, increasing=True)

    curves = least_squares("curves of the normative model", basis(y), features, n, degree + 1)
    _, scatter, axes = thin_svd("normative model", features - basis(y) @ curves, n, p)
    variance = scatter**2 / max(n - degree - 1, 1)
    mean_variance = max(variance.sum() / p, _LEAST_NOISE * float((features**2).mean()))
    on_axes = curves @ axes.T
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    quantiles = np.asarray(np.quantile(y, levels) if least == 1 else means_of_neighbours(y, least), dtype=np.float64)
    at, scores = basis(quantiles), target_map.transform(quantiles)
    models = []
    for s in shrinkages:
        floor = s * mean_variance
        # Sigma^-1 is 1 / floor, less what the axes of the residuals take away from it.
        taken = 1 / floor - 1 / ((1 - s) * variance + floor)
        weights = curves / floor - (on_axes * taken) @ axes
        log_prior = -0.5 * np.einsum("ki,ij,kj->k", at, weights @ curves.T, at)
        models.append(NormativeModel(weights, log_prior, at, scores, float(s)))
    return models
