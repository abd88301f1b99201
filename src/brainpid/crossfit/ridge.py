r"""Ridge encoder: each modality's own prediction of the target.

It is solved for all targets at once from one eigendecomposition of the modality's Gram matrix. With singular values
``s`` and coordinates ``c = u' y`` of the centred target, a penalty ``l`` shrinks by ``w = s^2 / (s^2 + l)``, and the
penalty of each target is the one with the smallest generalised cross-validation error

    GCV(l) = n |y - H y|^2 / (n - 1 - sum w)^2,   |y - H y|^2 = |y|^2 - sum (2 w - w^2) c^2,

which needs no pass over people, so that a thousand permutations of the target cost little more than one. Where it is
the features that differ, as between draws of a modality or sets of training people, many ridges are solved at once from
their Gram matrices (`ridge_of_moments`).

References
----------
Golub, Heath & Wahba 1979, Technometrics 21:215.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brainpid.core.arrays import Blocks, FloatArray
from brainpid.core.linalg import eigenvectors

RIDGE_PENALTIES = np.logspace(-3, 3, 25)
"""Penalties tried, relative to the mean squared singular value of the modality."""
_RANK = 1e-10


@dataclass(frozen=True)
class RidgeEncoder:
    """One scalar latent a modality: the ridge prediction of the score from that modality alone."""

    def __call__(self, training: Blocks, scores: FloatArray, new: Blocks, seed: int = 0) -> dict[str, FloatArray]:
        """See `brainpid.crossfit.encoders.Encoder`; nothing is random."""
        return {name: ridge(block, scores, new[name])[..., None] for name, block in training.items()}


def ridge(
    x: FloatArray,
    targets: FloatArray,
    new: FloatArray,
    penalties: FloatArray = RIDGE_PENALTIES,
    least_free: float = 1.0,
) -> FloatArray:
    """Ridge predictions of new people, with a penalty for each target by generalised cross-validation.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Training features.
    targets : ndarray, shape (T, n)
    new : ndarray, shape (k, p)
    penalties : ndarray
        Tried, relative to the mean squared singular value of `x`.
    least_free : float
        Degrees of freedom that a fit leaves at least.

    Returns
    -------
    ndarray, shape (T, k)

    Raises
    ------
    NumericalError
        Where the features cannot be decomposed.
    """
    centre, mean = x.mean(axis=0), targets.mean(axis=1)
    u, s, vt = thin_by_gram(x - centre)
    y = targets - mean[:, None]
    c = y @ u
    chosen = _least_gcv(s**2, c, np.sum(y**2, axis=1), len(x), penalties, least_free)
    shrunk = c * (s / (s**2 + chosen[:, None]))
    return mean[:, None] + shrunk @ (vt @ (new - centre).T)


def ridge_of_moments(gram: FloatArray, cross: FloatArray, norm: FloatArray, n: FloatArray) -> FloatArray:
    """Coefficients of many ridges at once, each with its own features, target and penalty, as `ridge` chooses it.

    Parameters
    ----------
    gram : ndarray, shape (..., p, p)
        ``x' x`` of centred training features.
    cross : ndarray, shape (..., p)
        ``x' y`` with the centred target.
    norm : ndarray, shape (...)
        ``y' y``.
    n : ndarray, shape (...)
        Training people.

    Returns
    -------
    ndarray, shape (..., p)

    Raises
    ------
    NumericalError
        Where a Gram matrix cannot be decomposed.
    """
    values, vectors = eigenvectors("ridge encoder", gram, int(np.min(n)), gram.shape[-1])
    positive = values > _RANK * np.maximum(values[..., -1:], np.finfo(float).tiny)
    s = np.sqrt(np.where(positive, values, 0.0))
    turned = np.squeeze(cross[..., None, :] @ vectors, axis=-2)
    c = np.divide(turned, s, out=np.zeros_like(s), where=positive)
    chosen = _least_gcv(s**2, c[..., None, :], norm[..., None], np.asarray(n)[..., None, None], RIDGE_PENALTIES)
    shrunk = np.divide(turned, s**2 + chosen, out=np.zeros_like(s), where=positive)
    return np.squeeze(vectors @ shrunk[..., None], axis=-1)


def _least_gcv(
    squared: FloatArray,
    c: FloatArray,
    norm: FloatArray,
    n: int | FloatArray,
    penalties: FloatArray,
    least_free: float = 1.0,
) -> FloatArray:
    """Penalty (..., T) of the least generalised cross-validation error.

    From squared singular values (..., p), 0 for directions that are none, coordinates (..., T, p) and squared norms
    (..., T) of the targets.
    """
    directions = np.maximum(np.count_nonzero(squared, axis=-1), 1)
    mean = squared.sum(axis=-1) / directions
    tried = penalties * np.where(mean > 0, mean, 1.0)[..., None]
    kept = squared[..., None, :] / (squared[..., None, :] + tried[..., None])
    rest = norm[..., None] - c**2 @ np.swapaxes(2 * kept - kept**2, -1, -2)
    free = n - 1 - kept.sum(axis=-1)[..., None, :]
    # A penalty that leaves less than one degree of freedom interpolates: its error says nothing.
    error = np.where(free >= least_free, rest / np.maximum(free, 1) ** 2, np.inf)
    place = np.argmin(error, axis=-1)
    return np.asarray(
        np.take_along_axis(np.broadcast_to(tried[..., None, :], error.shape), place[..., None], -1)[..., 0]
    )


def thin_by_gram(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Thin singular value decomposition (n, r), (r,), (r, p) without null directions, from the smaller Gram matrix.

    Singular values are in ascending order.
    """
    wide = x.shape[1] > x.shape[0]
    gram = x @ x.T if wide else x.T @ x
    values, vectors = eigenvectors("ridge encoder", gram, *x.shape)
    positive = values > _RANK * max(values[-1], np.finfo(float).tiny)
    s, vectors = np.sqrt(values[positive]), vectors[:, positive]
    if wide:
        return vectors, s, (vectors / s).T @ x
    return x @ (vectors / s), s, vectors.T
