r"""How unusual a person's features are for any target, a sign that a prediction of that person is not to be trusted.

Features follow smooth curves of the target and scatter around them by factors that they share and by a rest of
their own:

.. math:: x \mid t \sim N(W^\top b(t), \Sigma), \qquad b(t) = (1, t, t^2, t^3), \qquad \Sigma = L L^\top + \Psi

with L the leading principal components of the residuals and the diagonal Psi what they leave. A person's distance is
the smallest Mahalanobis distance over targets,

.. math:: d = \min_k \; (x - W^\top b_k)^\top \Sigma^{-1} (x - W^\top b_k)

over those of the modalities at hand, of which the distribution is the margin of the one of all. It is read against the
distances of training people by models that had not seen them, so that people of the same population are uniform.

References
----------
Marquand et al. 2019, Molecular Psychiatry 24:1415 (deviation from a normative model); Laxhammar and Falkman 2015,
Annals of Mathematics and Artificial Intelligence 74:67 (conformal anomaly detection).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.linalg import eigenvectors, factorising, least_squares
from brainpid.core.modalities import Subset, complete, presence, subsets_of
from brainpid.crossfit.transforms import means_of_neighbours
from brainpid.model.pidreg.state import to_arrays, to_tensors

MOST_PEOPLE = 1000
"""Training people, drawn at random, that it is fitted to."""
FOLDS = 5
"""Inner folds that distances are had without; those of the network are joined to this number."""
FACTORS, PEOPLE_PER_FACTOR = 50, 10
DEGREE, PEOPLE_PER_COEFFICIENT = 3, 10
TARGETS = 100
"""Quantiles of the target among which the nearest is looked for."""
_LEAST_REST = 0.1  # of the mean rest: features that are copies of one another have none
_TINY = 1e-9


@dataclass(frozen=True)
class FeaturesGivenTarget:
    """Distribution of features given the target.

    Attributes
    ----------
    curves : dict of str to ndarray, shape (q + 1, p_m)
    loadings : dict of str to ndarray, shape (p_m, k)
        L.
    rest : dict of str to ndarray, shape (p_m,)
        Diagonal of Psi.
    basis : ndarray, shape (K, q + 1)
        b(t_k).
    """

    curves: dict[str, FloatArray]
    loadings: dict[str, FloatArray]
    rest: dict[str, FloatArray]
    basis: FloatArray

    @classmethod
    def fit(cls, blocks: Blocks, y: FloatArray, least: int) -> Self:
        """Fit to people who have every modality.

        Parameters
        ----------
        blocks : mapping of str to ndarray, shape (n, p_m)
            Standardised features.
        y : ndarray, shape (n,)
        least : int
            Above 1 the targets are means of so many neighbouring ones.
        """
        x, n = np.column_stack(list(blocks.values())), len(y)
        degree = int(np.clip(min(n // PEOPLE_PER_COEFFICIENT, len(np.unique(y))) - 1, 1, DEGREE))
        centre, spread = y.mean(), y.std() or 1.0
        levels = (np.arange(TARGETS) + 0.5) / TARGETS
        targets = np.asarray(np.quantile(y, levels) if least == 1 else means_of_neighbours(y, least), dtype=np.float64)
        design, basis = (np.vander((values - centre) / spread, degree + 1, increasing=True) for values in (y, targets))
        curves = least_squares("curves of features over the target", design, x, n, degree + 1)
        residuals = (x - design @ curves) / np.sqrt(max(n - degree - 1, 1))
        loadings = _principal(residuals, min(FACTORS, n // PEOPLE_PER_FACTOR, x.shape[1] - 1))
        rest = (residuals**2).sum(axis=0) - (loadings**2).sum(axis=1)
        rest = np.maximum(rest, max(_LEAST_REST * float(rest.mean()), _TINY))
        ends = np.cumsum([block.shape[1] for block in blocks.values()])[:-1]
        parts = [np.split(whole, ends, axis=axis) for whole, axis in ((curves, 1), (loadings, 0), (rest, 0))]
        of_curves, of_loadings, of_rest = (dict(zip(blocks, part, strict=True)) for part in parts)
        return cls(of_curves, of_loadings, of_rest, basis)

    def distance(self, blocks: Blocks) -> FloatArray:
        """Smallest squared distances (n,) of people who have these modalities, by them alone."""
        x = np.column_stack(list(blocks.values()))
        curves = np.column_stack([self.curves[m] for m in blocks])
        loadings = np.concatenate([self.loadings[m] for m in blocks])
        root = np.sqrt(np.concatenate([self.rest[m] for m in blocks]))
        x, curves, loadings = x / root, curves / root, loadings / root[:, None]
        inner = np.eye(loadings.shape[1]) + loadings.T @ loadings
        with factorising("distribution of features given the target", inner, *x.shape):
            factor = cho_factor(inner, lower=True)
        of_people, of_curves = x @ loadings, curves @ loadings
        weights = cho_solve(factor, of_curves.T)
        own = (x**2).sum(axis=1) - (of_people * cho_solve(factor, of_people.T).T).sum(axis=1)
        both = x @ curves.T - of_people @ weights
        level = curves @ curves.T - of_curves @ weights
        of_targets = np.einsum("ki,ij,kj->k", self.basis, level, self.basis)
        return np.asarray(own + (of_targets - 2 * both @ self.basis.T).min(axis=1))


@dataclass(frozen=True)
class Atypicality:
    """Distances of people, read against those of training people.

    Attributes
    ----------
    distribution : FeaturesGivenTarget
    left_out : dict of tuple of str to ndarray, shape (n,)
        By subset of the modalities: sorted distances of training people whom a fit had not seen.
    """

    distribution: FeaturesGivenTarget
    left_out: dict[Subset, FloatArray]

    @classmethod
    def fit(cls, blocks: Blocks, y: FloatArray, fold: IntArray, rng: np.random.Generator, least: int = 1) -> Self:
        """Fit to training people; of those who have every modality, `MOST_PEOPLE` at most.

        Parameters
        ----------
        blocks : mapping of str to ndarray, shape (n, p_m)
            Standardised features; a row of NaN is a missing modality.
        y : ndarray, shape (n,)
            Target, in its units.
        fold : ndarray of int, shape (n,)
            Inner fold of each person, two of them at least.
        rng : Generator
        least : int
            People behind each target that is kept, at least.

        Raises
        ------
        NumericalError
            Where a covariance cannot be factorised.
        """
        some = np.sort(rng.permutation(np.flatnonzero(complete(blocks)))[:MOST_PEOPLE])
        people, y, joined = {m: block[some] for m, block in blocks.items()}, y[some], fold[some] % FOLDS
        left_out = {subset: np.empty(len(some)) for subset in subsets_of(list(blocks))}
        fits = []
        for k in np.unique(joined):
            own = joined == k
            fits.append(FeaturesGivenTarget.fit({m: block[~own] for m, block in people.items()}, y[~own], least))
            for subset, distances in left_out.items():
                distances[own] = fits[-1].distance({m: people[m][own] for m in subset})
        # One of them and none of everybody: from a fit to more people, new people would be nearer than these were.
        return cls(fits[0], {subset: np.sort(distances) for subset, distances in left_out.items()})

    def of(self, blocks: Blocks) -> FloatArray:
        """Part of the training people (n,), 0 to 1, who are nearer to their best target; NaN without any modality.

        Among n training people it is ``#{d_i < d} / (n + 1)``: 1 minus a conformal p-value, which with fewer than 100
        people never exceeds .99.

        Parameters
        ----------
        blocks : mapping of str to ndarray, shape (n, p_m)
            Standardised features in the order of the fit; a row of NaN is a missing modality.
        """
        present = presence(blocks)
        found = np.full(len(present), np.nan)
        for subset, known in self.left_out.items():
            own = np.asarray((present == [m in subset for m in blocks]).all(axis=1))
            if own.any():
                distances = self.distribution.distance({m: blocks[m][own] for m in subset})
                found[own] = np.searchsorted(known, distances, side="left") / (len(known) + 1)
        return found

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        held = to_arrays(state)
        return cls(FeaturesGivenTarget(**held["distribution"]), held["left_out"])


def _principal(residuals: FloatArray, k: int) -> FloatArray:
    """Leading principal components (p, k) of residuals (n, p), each as long as its standard deviation."""
    n, p = residuals.shape
    if k < 1:
        return np.zeros((p, 0))
    product = residuals.T @ residuals if p <= n else residuals @ residuals.T
    values, vectors = eigenvectors("factors of the features given the target", product, n, p)
    values, vectors = values[-k:], vectors[:, -k:]
    return vectors * np.sqrt(np.maximum(values, 0)) if p <= n else residuals.T @ vectors
