r"""Gaussian-process regression on several modalities, which takes people who lack some of them as they are.

The score is a sum of independent smooth functions, one of each modality and one of all of them together:

.. math:: g = \mu + \sum_q f_q(x_q) + \varepsilon, \qquad
          \mathrm{cov}(f_q, f_q') = c_q (1 + \sqrt{3} r / l_q) \exp(-\sqrt{3} r / l_q)

with r the root mean squared difference of standardised features (Matern 3/2). Where a person lacks what :math:`f_q`
needs, its value is unknown and independent of everybody else's: the covariance with others is 0 and the person's own
variance :math:`c_q`. That is the exact model of a missing block, and no imputation.

Variances, length scales and noise maximise the marginal likelihood with a weak prior on the length scales. Predictions
of people left out in folds come in closed form from the one fit (Rasmussen and Williams 2006, section 5.4.2):
``g_b - (K^-1_bb)^-1 (K^-1 g)_b`` for the rows b of a fold; nothing but the few hyperparameters has seen them.

Beyond `EXACT_ROWS` people the functions are those of a subset of regressors (section 8.3.1 there): sums of the
covariances with `INDUCING_ROWS` of the people, with the prior that the process gives them. Its cost grows with the
number of people and not with its cube, and a fold is left out by taking its products away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from sklearn.metrics.pairwise import euclidean_distances

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.errors import NumericalError
from brainpid.core.linalg import factorising
from brainpid.core.modalities import lacking
from brainpid.model.varying import Additive, Reading

LEARNING_ROWS = 400
"""People that the hyperparameters are learned from, at most; the prediction always uses everybody."""
EXACT_ROWS = 1500
"""People up to whom the process is exact."""
INDUCING_ROWS = 1000
"""People whose covariances with others carry the process beyond."""

_LOG_LENGTH_PRIOR = (np.log(2.0), 1.0)  # mean and standard deviation: distances between people are near sqrt(2)
_BOUNDS = (-8.0, 4.0)  # of every logarithm
_START_NOISE = 0.2
_JITTER = 1e-6  # of the prior variance: people who are near each other make the covariance singular
_APART = 1e12
_TOLERANCE = 1e-4  # relative, of the likelihood: predictions no longer move by 0.01 years, at half the cost of 1e-9


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process.

    Attributes
    ----------
    terms : tuple of tuple of str
        Modalities that each function f_q takes.
    blocks : dict of str to ndarray, shape (m, p_m)
        Standardised features of the training people, or of those that carry the process; a row of NaN is a missing
        modality.
    mean : float
        mu, of the training scores.
    log_variance, log_length : ndarray, shape (Q,)
    log_noise : float
        Logarithms of c_q, l_q and the variance of the noise.
    dual : ndarray, shape (m,)
        Weights of the covariances with these people, ``K^-1 (g - mu)`` where they are everybody.
    """

    terms: tuple[tuple[str, ...], ...]
    blocks: dict[str, FloatArray]
    mean: float
    log_variance: FloatArray
    log_length: FloatArray
    log_noise: float
    dual: FloatArray

    @classmethod
    def fit(
        cls,
        blocks: Blocks,
        scores: FloatArray,
        fold: IntArray,
        rng: np.random.Generator,
        learning_rows: int = LEARNING_ROWS,
    ) -> tuple[GaussianProcess, FloatArray]:
        """Fit to training people; returns the process and their predicted scores (n,), each without its own fold.

        Parameters
        ----------
        blocks : mapping of str to ndarray, shape (n, p_m)
            Standardised features; a row of NaN is a missing modality.
        scores : ndarray, shape (n,)
            Normal scores of the target.
        fold : ndarray of int, shape (n,)
        rng : numpy.random.Generator
            Draws the people that hyperparameters are learned from, and those that carry the process.
        learning_rows : int
            People that hyperparameters are learned from, at most.

        Raises
        ------
        NumericalError
            Where a covariance cannot be factorised, or the likelihood is not finite; d in the message is the number
            of functions.
        """
        names = tuple(blocks)
        terms = tuple((m,) for m in names) + ((names,) if len(names) > 1 else ())
        some = np.sort(rng.permutation(len(scores))[:learning_rows])
        log_variance, log_length, log_noise = _learn(
            _mean_squares(terms, {m: b[some] for m, b in blocks.items()}), scores[some] - scores[some].mean()
        )
        learned = terms, log_variance, log_length, float(log_noise)
        if len(scores) <= EXACT_ROWS:
            return cls._exact(blocks, scores, fold, *learned)
        few = np.sort(rng.permutation(len(scores))[:INDUCING_ROWS])
        return cls._carried(blocks, scores, fold, {m: block[few] for m, block in blocks.items()}, *learned)

    @classmethod
    def _exact(
        cls,
        blocks: Blocks,
        scores: FloatArray,
        fold: IntArray,
        terms: tuple[tuple[str, ...], ...],
        log_variance: FloatArray,
        log_length: FloatArray,
        log_noise: float,
    ) -> tuple[GaussianProcess, FloatArray]:
        """Process of everybody."""
        covariance = _covariance(_mean_squares(terms, blocks), log_variance, log_length)
        covariance[np.diag_indices_from(covariance)] += np.exp(log_noise)
        mean = float(scores.mean())
        left_out = scores.copy()
        noise = f"noise variance {np.exp(log_noise):.3g}"
        with factorising(f"Gaussian process, {noise}", covariance, len(scores), len(terms)):
            inverse = cho_solve(cho_factor(covariance, lower=True, check_finite=False), np.eye(len(scores)))
            dual = inverse @ (scores - mean)
            for k in np.unique(fold):
                own = np.flatnonzero(fold == k)
                left_out[own] -= np.linalg.solve(inverse[np.ix_(own, own)], dual[own])
        return cls(terms, dict(blocks), mean, log_variance, log_length, log_noise, dual), left_out

    @classmethod
    def _carried(
        cls,
        blocks: Blocks,
        scores: FloatArray,
        fold: IntArray,
        few: dict[str, FloatArray],
        terms: tuple[tuple[str, ...], ...],
        log_variance: FloatArray,
        log_length: FloatArray,
        log_noise: float,
    ) -> tuple[GaussianProcess, FloatArray]:
        """Process that some people carry."""
        mean, noise = float(scores.mean()), float(np.exp(log_noise))
        prior = _covariance(_mean_squares(terms, few), log_variance, log_length)
        prior[np.diag_indices_from(prior)] += _JITTER * np.exp(log_variance).sum()
        products, towards, held = [], [], []
        for k in np.unique(fold):
            own = np.flatnonzero(fold == k)
            between = _covariance(
                _mean_squares(terms, {m: block[own] for m, block in blocks.items()}, few), log_variance, log_length
            )
            held.append((own, between))
            products.append(between.T @ between)
            towards.append(between.T @ (scores[own] - mean))
        everybody, sum_towards = np.sum(products, axis=0) + noise * prior, np.sum(towards, axis=0)
        left_out = scores.copy()
        for (own, between), product, toward in zip(held, products, towards, strict=True):
            left_out[own] = mean + between @ _solved(everybody - product, sum_towards - toward, scores, terms)
        dual = _solved(everybody, sum_towards, scores, terms)
        return cls(terms, few, mean, log_variance, log_length, log_noise, dual), left_out

    def leave_out(self, blocks: Blocks, scores: FloatArray, fold: IntArray) -> FloatArray:
        """Scores (n,) that it predicts of its training people where their fold is left out, as of `fit`."""
        learned = self.terms, self.log_variance, self.log_length, self.log_noise
        if len(scores) <= EXACT_ROWS:
            return self._exact(blocks, scores, fold, *learned)[1]
        return self._carried(blocks, scores, fold, self.blocks, *learned)[1]

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,) of standardised features (n, p_m)."""
        between = _covariance(_mean_squares(self.terms, blocks, self.blocks), self.log_variance, self.log_length)
        return self.mean + between @ self.dual

    def vary(self, blocks: Blocks, modality: str) -> Reading:
        """People as they vary in one modality, which all of them have: squared distances are sums over features."""
        # So far apart that the correlation is 0, and yet a number, where one of both lacks it.
        squared = [np.minimum(distance, _APART) for distance in _mean_squares(self.terms, blocks, self.blocks)]
        apart = [modality not in term for term in self.terms]
        fixed = np.full(len(blocks[modality]), self.mean)
        if any(apart):
            kept = [distance for distance, alone in zip(squared, apart, strict=True) if alone]
            fixed = fixed + _covariance(kept, self.log_variance[apart], self.log_length[apart]) @ self.dual
        moving = [q for q, alone in enumerate(apart) if not alone]
        features = [sum(self.blocks[m].shape[1] for m in term) for term in self.terms]
        own, trained = blocks[modality], self.blocks[modality]
        there = ~lacking(trained)

        def changed(columns: IntArray, values: FloatArray) -> FloatArray:
            second = np.where(there[:, None], trained[:, columns], 0.0)
            after = euclidean_distances(values.reshape(-1, len(columns)), second, squared=True)
            step = after.reshape(*values.shape[:2], -1) - euclidean_distances(own[:, columns], second, squared=True)
            moved = np.broadcast_to(fixed, values.shape[:2])
            for q in moving:
                near = step / features[q]
                near += squared[q]
                _correlation(np.maximum(near, 0.0, out=near), self.log_length[q])
                moved = moved + np.exp(self.log_variance[q]) * (near @ self.dual)
            return np.asarray(moved)

        return changed

    def additive(self, blocks: Blocks, modality: str) -> Additive:
        r"""What each feature of a modality that all of these people have does alone, by the slope of the kernel.

        ``sum_t alpha_t dk(x, t)/dx_j = sum_t alpha_t w_t (t_j - x_j)``, ``w_t = 3 c exp(-sqrt(3) r / l) / (l^2 p)``.
        """
        weight = np.zeros((len(blocks[modality]), len(self.dual)))
        for q, term in enumerate(self.terms):
            if modality in term:
                (squared,) = _mean_squares([term], blocks, self.blocks)
                decay = np.exp(-np.sqrt(3 * squared) * np.exp(-self.log_length[q]))  # 0 where one of both lacks it
                rate = 3 * np.exp(self.log_variance[q] - 2 * self.log_length[q])
                weight += rate / sum(self.blocks[m].shape[1] for m in term) * decay
        weight *= self.dual
        trained = np.nan_to_num(self.blocks[modality])
        return Additive(weight @ trained - weight.sum(axis=1, keepdims=True) * blocks[modality])


def _solved(
    matrix: FloatArray, right: FloatArray, scores: FloatArray, terms: tuple[tuple[str, ...], ...]
) -> FloatArray:
    """Solution of a positive definite system."""
    with factorising("Gaussian process that some people carry", matrix, len(scores), len(terms)):
        return np.asarray(cho_solve(cho_factor(matrix, lower=True, check_finite=False), right))


def _squared_distances(first: FloatArray, second: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Squared distances (n, n') of rows, and which pairs have both of them; a row that is lacking counts as 0."""
    here, there = ~lacking(first), ~lacking(second)
    a, b = np.where(here[:, None], first, 0.0), np.where(there[:, None], second, 0.0)
    return euclidean_distances(a, b, squared=True), here[:, None] & there


def _mean_squares(
    terms: Sequence[tuple[str, ...]],
    blocks: Blocks,
    others: Blocks | None = None,
) -> list[FloatArray]:
    """Mean squared difference of the features of each term, (n, n') each; infinite where one of both lacks it."""
    sums, known = {}, {}
    for name in {m for term in terms for m in term}:
        sums[name], known[name] = _squared_distances(blocks[name], (blocks if others is None else others)[name])
    distances = []
    for term in terms:
        features = sum(blocks[m].shape[1] for m in term)
        total = np.sum([sums[m] for m in term], axis=0) / features
        distance = np.where(np.all([known[m] for m in term], axis=0), total, np.inf)
        if others is None:
            np.fill_diagonal(distance, 0.0)
        distances.append(distance)
    return distances


def _matern(squared: FloatArray, log_length: float) -> tuple[FloatArray, FloatArray]:
    """Correlation at squared distances and its derivative with respect to the logarithm of the length scale."""
    with np.errstate(invalid="ignore"):
        r = np.sqrt(3 * squared) * np.exp(-log_length)
        decay = np.exp(-r)
        return np.where(np.isinf(r), 0.0, (1 + r) * decay), np.where(np.isinf(r), 0.0, r**2 * decay)


def _correlation(squared: FloatArray, log_length: float) -> FloatArray:
    """Correlation alone, in the place of finite squared distances, which are not used again."""
    root = np.sqrt(np.multiply(squared, 3 * np.exp(-2 * log_length), out=squared), out=squared)
    decay = np.exp(-root)
    root += 1.0
    root *= decay
    return root


def _covariance(squared: Sequence[FloatArray], log_variance: FloatArray, log_length: FloatArray) -> FloatArray:
    """Sum of the covariances of all terms, without noise."""
    parts = (
        np.exp(v) * _matern(distance, length)[0]
        for distance, v, length in zip(squared, log_variance, log_length, strict=True)
    )
    total = next(parts)
    for part in parts:
        total += part
    return total


def _learn(squared: Sequence[FloatArray], scores: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Logarithms of variances, length scales and noise at the mode of marginal likelihood times prior."""
    terms, identity = len(squared), np.eye(len(scores))
    centre, width = _LOG_LENGTH_PRIOR

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        variance, length, noise = theta[:terms], theta[terms:-1], theta[-1]
        found = [_matern(distance, at) for distance, at in zip(squared, length, strict=True)]
        covariance = np.exp(noise) * identity
        for v, (correlation, _) in zip(variance, found, strict=True):
            covariance = covariance + np.exp(v) * correlation
        with factorising("likelihood of a Gaussian process", covariance, len(scores), terms):
            factor = cho_factor(covariance, lower=True, check_finite=False)
            dual = cho_solve(factor, scores, check_finite=False)
            inverse = cho_solve(factor, identity, check_finite=False)
        away = (length - centre) / width
        value = 0.5 * scores @ dual + np.log(np.diag(factor[0])).sum() + 0.5 * away @ away
        slope = inverse - np.outer(dual, dual)  # twice the derivative with respect to the covariance
        pairs = zip(variance, found, strict=True)
        by_variance, by_length = zip(
            *((np.exp(v) * np.vdot(slope, c), np.exp(v) * np.vdot(slope, d)) for v, (c, d) in pairs), strict=True
        )
        gradient = 0.5 * np.array([*by_variance, *by_length, np.exp(noise) * np.trace(slope)])
        gradient[terms:-1] += away / width
        return float(value), gradient

    start = np.array([*[-np.log(terms)] * terms, *[centre] * terms, np.log(_START_NOISE)])
    bounds, options = [_BOUNDS] * len(start), {"maxiter": 60, "ftol": _TOLERANCE}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    if not np.isfinite(found.fun):
        raise NumericalError(
            f"Gaussian process: the likelihood of n = {len(scores)} people and {terms} terms is not finite at "
            f"{np.round(found.x, 3).tolist()}"
        )
    return found.x[:terms], found.x[terms:-1], found.x[-1]
