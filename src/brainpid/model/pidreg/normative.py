r"""Bayes' rule on a normative model: how features change with the target, turned round to predict the target from them.

Features follow smooth curves of the target, and people scatter around the curves with one covariance:

.. math:: x \mid t \sim N(W^\top b(t), \Sigma), \qquad b(t) = (1, t, \ldots, t^q), \qquad
          \Sigma = (1 - s) S + s \, \mathrm{tr}(S) / p \; I

with t the standardised target, or its normal score, and S the covariance of the residuals. With the training targets as
prior, here K quantiles :math:`t_k` of equal mass, the posterior of a person is

.. math:: p_k \propto \exp(b_k \cdot z - b_k^\top Q b_k / 2), \qquad z = W \Sigma^{-1} x, \qquad
          Q = W \Sigma^{-1} W^\top

and the prediction is the posterior mean of the score. All that a person's features have to say is in the q + 1
numbers z, so the model is small, and what is not linear in it costs few parameters. The shrinkage s is the one with the
least squared error on left-out people.

Everything comes from products of features that are made once: the Gram matrix ``X'X``, of which the people of a fold
are taken away and modalities are blocks, or, where there are more features than people, ``XX'``, of whose rows and
columns a fold's are left out. There features are read by their coordinates in the space that the people's rows span,
of which there are no more than people: weights outside of it are 0.

**At a site that training has not seen** features are shifted besides, in directions in which the training sites differ
too. There the scatter is that of people plus the covariance of the sites' mean residuals times `BETWEEN_SITES`, so that
these directions count less; people of training sites are better predicted without it.

A regression of the target on the features errs in other ways than this does, so the two together err less than either;
and curves of the target and of its score bend at other places.

References
----------
Marquand et al. 2016, Biological Psychiatry 80:552 (normative models of the brain); Cook 2007, Statistical Science 22:1
(inverse regression).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import softmax

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.linalg import RowSpace, factorising, least_squares
from brainpid.crossfit.site_folds import PEOPLE_OF_A_SITE
from brainpid.crossfit.transforms import NormalScores, means_of_neighbours
from brainpid.model.varying import Additive, Reading

DEGREE = 3
"""Of curves of the target, where there are enough people."""
SCORE_DEGREE = 5
"""Of curves of the normal score, whose tails are stretched."""
SHRINKAGES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
BETWEEN_SITES = 10.0
"""Weight of the covariance of site means, where sites are new: 1 gains a half, and beyond 30 nothing is gained."""
PEOPLE_PER_COEFFICIENT = 10
"""Training people that a coefficient of the curves takes; with fewer the degree is lower, 1 at least."""

_QUANTILES = 200
_LEAST_NOISE = 1e-6  # of the features' mean square: what does not scatter at all has no finite likelihood

Basis = Callable[[FloatArray], FloatArray]


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
        cls,
        blocks: Blocks,
        y: FloatArray,
        target_map: NormalScores,
        fold: IntArray,
        least: int = 1,
        of_scores: bool = False,
        products: Products | None = None,
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
        of_scores : bool
            Curves of the target's normal score in the place of the target.
        products : Products, optional
            Of the same people and features, where they are at hand.

        Raises
        ------
        NumericalError
            Where a covariance cannot be factorised.
        """
        scores = target_map.transform(y)
        own = (products or Products(blocks, fold)).of(tuple(blocks))
        features = own.features
        left_out = np.empty((len(SHRINKAGES), len(scores)))
        for k in np.unique(fold):
            inside = fold == k
            models = _models(features, own, ~inside, y, target_map, SHRINKAGES, least, of_scores)
            left_out[:, inside] = [model._posterior_mean(features[inside]) for model in models]
        best = int(((left_out - scores) ** 2).mean(axis=1).argmin())
        everybody = np.ones(len(scores), dtype=bool)
        chosen = SHRINKAGES[best : best + 1]
        (model,) = _models(features, own, everybody, y, target_map, chosen, least, of_scores)
        return replace(model, weights=own.of_features(model.weights)), left_out[best]

    def at_new_sites(
        self,
        blocks: Blocks,
        y: FloatArray,
        target_map: NormalScores,
        fold: IntArray,
        site: IntArray,
        least: int = 1,
        of_scores: bool = False,
        products: Products | None = None,
    ) -> tuple[NormativeModel, FloatArray]:
        """Model for people of sites that training has not seen, with the shrinkage of this one; parameters as of `fit`.

        Parameters
        ----------
        fold : ndarray of int, shape (n,)
            Folds that leave whole sites out.
        site : ndarray of int, shape (n,)
            Number of each person's site.

        Returns
        -------
        NormativeModel
        ndarray, shape (n,)
            Scores of the training people by models that have not seen their fold.

        Raises
        ------
        NumericalError
            Where a covariance cannot be factorised.
        """
        own = (products or Products(blocks, fold)).of(tuple(blocks))
        features, left_out = own.features, np.empty(len(y))

        def fitted(people: BoolArray) -> NormativeModel:
            s = [self.shrinkage]
            (model,) = _models(features, own, people, y, target_map, s, least, of_scores, site[people])
            return model

        for k in np.unique(fold):
            inside = fold == k
            left_out[inside] = fitted(~inside)._posterior_mean(features[inside])
        model = fitted(np.ones(len(y), dtype=bool))
        return replace(model, weights=own.of_features(model.weights)), left_out

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,) of people who have all modalities, standardised features (n, p_m)."""
        return self._posterior_mean(_side_by_side(blocks))

    def vary(self, blocks: Blocks, modality: str) -> Reading:
        """People as they vary in one modality: z is linear in the features."""
        read, own = _side_by_side(blocks) @ self.weights.T, blocks[modality]
        start = sum(blocks[m].shape[1] for m in list(blocks)[: list(blocks).index(modality)])

        def changed(columns: IntArray, values: FloatArray) -> FloatArray:
            return self._mean_at(read + (values - own[:, columns]) @ self.weights[:, start + columns].T)

        return changed

    def additive(self, blocks: Blocks, modality: str) -> Additive:
        """What each feature does alone: the posterior mean moves by the covariance of score and ``b(t)' z``."""
        posterior = softmax(_side_by_side(blocks) @ self.weights.T @ self.basis.T + self.log_prior, axis=-1)
        mean = posterior @ self.scores
        covariance = (posterior * self.scores) @ self.basis - mean[:, None] * (posterior @ self.basis)
        start = sum(blocks[m].shape[1] for m in list(blocks)[: list(blocks).index(modality)])
        return Additive(covariance @ self.weights[:, start : start + blocks[modality].shape[1]])

    def _posterior_mean(self, features: FloatArray) -> FloatArray:
        return self._mean_at(features @ self.weights.T)

    def _mean_at(self, z: FloatArray) -> FloatArray:
        """Posterior means (...,) at z (..., q + 1)."""
        return np.asarray(softmax(z @ self.basis.T + self.log_prior, axis=-1) @ self.scores)


class Products:
    """Products of the features of people, from which those of any of the modalities and of any fold's people are had.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features, none of them missing.
    fold : ndarray of int, shape (n,)
    """

    def __init__(self, blocks: Blocks, fold: IntArray) -> None:
        self._blocks, self._fold = dict(blocks), fold
        self._made: dict[tuple[str, ...], FloatArray] = {}

    def of(self, modalities: Sequence[str]) -> OwnProducts:
        """Products of the features of some modalities, side by side."""
        features = _side_by_side({m: self._blocks[m] for m in modalities})
        if features.shape[1] > len(features):
            between = np.sum([self._between_people(m) for m in modalities], axis=0)
            space = RowSpace.of("features of the normative model", features, between)
            return OwnProducts(space.coordinates, self._fold, between, features.shape[1], space)
        rows = [[self._between_features(a, b) for b in modalities] for a in modalities]
        return OwnProducts(features, self._fold, np.block(rows), features.shape[1])

    def _between_people(self, modality: str) -> FloatArray:
        """``X_m X_m'`` (n, n)."""
        if (modality,) not in self._made:
            self._made[modality,] = self._blocks[modality] @ self._blocks[modality].T
        return self._made[modality,]

    def _between_features(self, one: str, other: str) -> FloatArray:
        """``X_a' X_b`` (p_a, p_b)."""
        if (other, one) in self._made:
            return self._made[other, one].T
        if (one, other) not in self._made:
            self._made[one, other] = self._blocks[one].T @ self._blocks[other]
        return self._made[one, other]


@dataclass(frozen=True)
class OwnProducts:
    """Products of the features of some modalities.

    Attributes
    ----------
    features : ndarray, shape (n, p) or (n, r)
        The features, or their coordinates in `space`.
    fold : ndarray of int, shape (n,)
    matrix : ndarray, shape (p, p) or (n, n)
        Products of features with features, or of people with people where there is a `space`.
    width : int
        Number of features p.
    space : RowSpace or None
        That of everybody, where there are more features than people.
    """

    features: FloatArray
    fold: IntArray
    matrix: FloatArray
    width: int
    space: RowSpace | None = None

    @property
    def dual(self) -> bool:
        """Whether products are of people with people."""
        return self.space is not None

    def of_features(self, weights: FloatArray) -> FloatArray:
        """Weights (..., p) of the features that weights of `features` stand for."""
        return weights if self.space is None else weights @ self.space.axes

    def of(self, people: BoolArray) -> FloatArray:
        """Products of some of the people: everybody, or all but one fold."""
        if self.dual:
            return self.matrix[np.ix_(people, people)]
        left = self.features[~people]
        return self.matrix - left.T @ left


def _side_by_side(blocks: Blocks) -> FloatArray:
    return np.column_stack(list(blocks.values()))


def _models(
    features: FloatArray,
    products: OwnProducts,
    people: BoolArray,
    y: FloatArray,
    target_map: NormalScores,
    shrinkages: Sequence[float],
    least: int,
    of_scores: bool,
    site: IntArray | None = None,
) -> list[NormativeModel]:
    """Models of some of the people that differ in shrinkage alone; for new sites where their sites are given."""
    x, y = features[people], y[people]
    n = len(x)
    degree = int(np.clip(n // PEOPLE_PER_COEFFICIENT - 1, 1, SCORE_DEGREE if of_scores else DEGREE))
    centre, spread = y.mean(), y.std()

    def basis(values: FloatArray) -> FloatArray:
        argument = target_map.transform(values) if of_scores else (values - centre) / spread
        return np.vander(argument, degree + 1, increasing=True)

    design = basis(y)
    curves = least_squares("curves of the normative model", design, x, n, degree + 1)
    levels = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    quantiles = np.asarray(np.quantile(y, levels) if least == 1 else means_of_neighbours(y, least), dtype=np.float64)
    at, scores = basis(quantiles), target_map.transform(quantiles)
    models = []
    for s, weights in zip(shrinkages, _weights(x, products, people, design, curves, shrinkages, site), strict=True):
        log_prior = -0.5 * np.einsum("ki,ij,kj->k", at, weights @ curves.T, at)
        models.append(NormativeModel(weights, log_prior, at, scores, float(s)))
    return models


def _weights(
    x: FloatArray,
    products: OwnProducts,
    people: BoolArray,
    design: FloatArray,
    curves: FloatArray,
    shrinkages: Sequence[float],
    site: IntArray | None,
) -> Iterator[FloatArray]:
    r"""``W Sigma^-1`` (q + 1, p) for each shrinkage.

    With residuals ``R = X - B W`` of n people and d degrees of freedom, Sigma is ``a R'R + f I``, ``a = (1 - s) / d``.
    Where there are more features than people, its inverse is ``(I - R'(R R' + f / a I)^-1 R) / f``. What sites add to
    the scatter are a few rows more of R, sums ``C R`` of the others.
    """
    n, p = len(x), products.width
    freedom = max(n - design.shape[1], 1)
    product = products.of(people)
    least = _LEAST_NOISE * float(np.trace(product)) / (n * p)
    sums = None if site is None else _site_sums(site, freedom)
    if products.dual:
        residuals = x - design @ curves
        # (I - H) K (I - H) with H = B (B'B)^-1 B'
        hat = design @ np.linalg.pinv(design)
        left = product - hat @ product
        scatter = left - left @ hat
        towards = residuals @ curves.T
    else:
        scatter, towards = product - (x.T @ design) @ curves, curves.T
    scatter = (scatter + scatter.T) / 2
    mean_variance = max(float(np.trace(scatter)) / (freedom * p), least)
    if sums is not None and products.dual:
        residuals, towards = np.concatenate([residuals, sums @ residuals]), np.concatenate([towards, sums @ towards])
        scatter = np.block([[scatter, scatter @ sums.T], [sums @ scatter, sums @ scatter @ sums.T]])
    elif sums is not None:
        between = sums @ (x - design @ curves)
        scatter = scatter + between.T @ between
    for s in shrinkages:
        floor = s * mean_variance
        ridge = floor * freedom / (1 - s) if products.dual else floor
        sigma = scatter.copy() if products.dual else scatter * ((1 - s) / freedom)
        sigma[np.diag_indices_from(sigma)] += ridge
        with factorising("normative model", sigma, n, p):
            solved = cho_solve(cho_factor(sigma, lower=True, overwrite_a=True, check_finite=False), towards)
        yield (curves - solved.T @ residuals) / floor if products.dual else solved.T


def _site_sums(site: IntArray, freedom: int) -> FloatArray:
    """Sums (S, n) of residuals whose products, over the degrees of freedom, are the covariance of site means.

    Means of small sites are drawn to 0, see `PEOPLE_OF_A_SITE`.
    """
    _, member, counts = np.unique(site, return_inverse=True, return_counts=True)
    weight = np.sqrt(BETWEEN_SITES * freedom / len(counts) / (counts * (counts + PEOPLE_OF_A_SITE)))
    sums = np.zeros((len(counts), len(site)))
    sums[member, np.arange(len(site))] = weight[member]
    return sums
