r"""Ridge encoder: each modality's own prediction of the target.

It is solved for all targets at once from one eigendecomposition of the modality's Gram matrix. With singular values
``s`` and coordinates ``c = u' y`` of the centred target, a penalty ``l`` shrinks by ``w = s^2 / (s^2 + l)``, and the
penalty of each target is the one with the smallest generalised cross-validation error

    GCV(l) = n |y - H y|^2 / (n - 1 - sum w)^2,   |y - H y|^2 = |y|^2 - sum (2 w - w^2) c^2,

which needs no pass over people, so that a thousand permutations cost little more than one.

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


def ridge(x: FloatArray, targets: FloatArray, new: FloatArray) -> FloatArray:
    """Ridge predictions of new people, with a penalty for each target by generalised cross-validation.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Training features.
    targets : ndarray, shape (T, n)
    new : ndarray, shape (k, p)

    Returns
    -------
    ndarray, shape (T, k)

    Raises
    ------
    NumericalError
        Where the features cannot be decomposed.
    """
    n = len(x)
    centre, mean = x.mean(axis=0), targets.mean(axis=1)
    u, s, vt = _decomposed(x - centre)
    y = targets - mean[:, None]
    c = y @ u
    squared = s**2
    penalties = RIDGE_PENALTIES * squared.mean() if len(s) else RIDGE_PENALTIES
    kept = squared / (squared + penalties[:, None])
    rest = np.sum(y**2, axis=1)[:, None] - c**2 @ (2 * kept - kept**2).T
    free = n - 1 - kept.sum(axis=1)
    # A penalty that leaves less than one degree of freedom interpolates: its error says nothing.
    error = np.where(free >= 1, rest / np.maximum(free, 1) ** 2, np.inf)
    chosen = penalties[np.argmin(error, axis=1)]
    shrunk = c * (s / (squared + chosen[:, None]))
    return mean[:, None] + shrunk @ (vt @ (new - centre).T)


def _decomposed(x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Thin singular value decomposition without null directions, from the smaller Gram matrix."""
    wide = x.shape[1] > x.shape[0]
    gram = x @ x.T if wide else x.T @ x
    values, vectors = eigenvectors("ridge encoder", gram, *x.shape)
    positive = values > _RANK * max(values[-1], np.finfo(float).tiny)
    s, vectors = np.sqrt(values[positive]), vectors[:, positive]
    if wide:
        return vectors, s, (vectors / s).T @ x
    return x @ (vectors / s), s, vectors.T
