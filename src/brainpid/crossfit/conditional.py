r"""Conditional randomisation: what a modality adds beyond the others, against draws of it that add nothing.

Under the null that a modality's features X and the target are independent given the features Z of all the others,
drawing X anew from its distribution given Z changes nothing that a reader could see (Candes et al. 2018). That
distribution is modelled as a linear fit and a residual that does not depend on Z,

    X = F(Z) + R,    X* = F(Z) + R with its rows exchanged,

so that a draw keeps all that the others tell of the modality, a copy included, and loses what is the modality's own.
In each draw the encoder of this modality alone is fitted anew, in the same folds; the others' latents stay.
Permuting the target instead tests that nothing tells anything: it has little power against a modality beside good
others, and calls one that is a function of the others significant.

F is the ridge of all others' features with a penalty for each column of X by generalised cross-validation, fitted to
everybody: F + R is X itself, so that features and draws of them have the same variances whatever is shrunk, and a
draw differs from the observation in nothing that the number of training people of a cross-fitted F would bring in.
Penalties reach down to 1e-8 of the mean squared singular value: of a modality that is a linear function of the others
no residual is left.

References
----------
Candes, Fan, Janson & Lv 2018, J R Stat Soc B 80:551.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.errors import InputError
from brainpid.core.progress import progress
from brainpid.crossfit.encoders import Encoder
from brainpid.crossfit.latents import cross_fit, scores_within
from brainpid.crossfit.ridge import RidgeEncoder, ridge, ridge_of_moments, thin_by_gram
from brainpid.crossfit.transforms import Standardizer

Less = Callable[[FloatArray], FloatArray]
MOST_COMPONENTS = 100
"""Of the modality that is tested, the ridge reader is given the leading components, so many at most: a draw needs a
decomposition of its own, whose time grows with their third power."""
PENALTIES = np.logspace(-8, 3, 45)
"""Of the fit of one modality by the others, relative to the mean squared singular value."""
LEAST_FREE = 0.5
"""Part of the people that the fit leaves as degrees of freedom, at least: features of others that are more than people
follow the modality wherever it goes, so that nothing would be left to exchange, and a draw would be the observation."""
_CELLS = 2**22  # numbers of a stack of draws: bounds the memory


def latents_of_draws(
    blocks: Blocks,
    modality: str,
    target: FloatArray,
    fold: IntArray,
    orders: IntArray,
    encoder: Encoder,
    seed: int,
    less: Less = lambda values: values,
) -> FloatArray:
    """Out-of-fold latent of one modality in each of many draws of its features given all the others.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Features in any unit; NaN is a missing cell, filled as `brainpid.crossfit.transforms.Standardizer` does.
    modality : str
        The one that is drawn.
    target : ndarray, shape (n,)
    fold : ndarray of int, shape (n,)
    orders : ndarray of int, shape (B, n)
        Row whose residual each row takes; a row of ``0 .. n - 1`` gives the observed features.
    encoder : Encoder
        Ridge encoders are fitted to all draws at once, others to one after the other.
    seed : int
    less : callable, optional
        Takes from values (k, n) what controls tell of them: their part of the modality is kept in every draw.

    Returns
    -------
    ndarray, shape (B, n)

    Raises
    ------
    InputError
        Where the encoder gives more than one latent.
    NumericalError
        Where features cannot be decomposed.
    """
    complete = {name: Standardizer.fit(block).transform(block) for name, block in blocks.items()}
    own = complete.pop(modality)
    others = np.concatenate(list(complete.values()), axis=1)
    if isinstance(encoder, RidgeEncoder):
        return _ridge_latents(*_parts(leading_components(own, MOST_COMPONENTS), others, less), target, fold, orders)
    fitted, residual = _parts(own, others, less)
    latents = []
    for order in progress(orders, f"drawing {modality} given the others"):
        drawn = complete | {modality: fitted + residual[order]}  # encoders may be fitted to all modalities together
        found = cross_fit(drawn, target[None], fold, encoder, seed)[modality]
        if found.shape[-1] != 1:
            raise InputError(f"the null needs one latent a modality, found {found.shape[-1]} of '{modality}'")
        latents.append(found[0, :, 0])
    return np.stack(latents)


def leading_components(features: FloatArray, most: int) -> FloatArray:
    """Scores (n, k) of features (n, p) on their leading components, `most` at most: a ridge reads them alike."""
    u, s, _ = thin_by_gram(features - features.mean(axis=0))
    return (u * s)[:, ::-1][:, :most]


def _parts(own: FloatArray, others: FloatArray, less: Less = lambda values: values) -> tuple[FloatArray, FloatArray]:
    """What the others, and the controls, tell of features (n, k), and the residual."""
    free, beside = less(own.T), less(others.T).T
    residual = free - ridge(beside, free, beside, PENALTIES, least_free=LEAST_FREE * len(own))
    return own - residual.T, residual.T


def _ridge_latents(
    fitted: FloatArray, residual: FloatArray, target: FloatArray, fold: IntArray, orders: IntArray
) -> FloatArray:
    """Latents (B, n) of the ridge encoder, from the Gram matrices of each draw's folds."""
    by_fold = np.argsort(fold, kind="stable")
    reader = ridge_reader(target[by_fold], fold[by_fold])
    draws = max(1, _CELLS // max(1, fitted.size))
    latents = np.empty(orders.shape)
    for start in progress(range(0, len(orders), draws), "drawing a modality given the others"):
        chosen = orders[start : start + draws, by_fold]
        latents[start : start + draws, by_fold] = reader(fitted[by_fold] + residual[chosen])
    return latents


def ridge_reader(target: FloatArray, fold: IntArray) -> Callable[[FloatArray], FloatArray]:
    """Reader of stacks of features (B, n, k) into out-of-fold latents (B, n); rows are sorted by fold."""
    numbers, first, sizes = np.unique(fold, return_index=True, return_counts=True)
    slices = [slice(start, start + size) for start, size in zip(first, sizes, strict=True)]
    n, training = len(fold), len(fold) - sizes
    means = np.empty(len(numbers))
    scores = np.zeros((n, len(numbers)))  # centred, of the training people of each fold; held-out people have 0
    for k, rows in enumerate(slices):
        outside = np.ones(n, dtype=bool)
        outside[rows] = False
        own = scores_within(target[None, outside])[0]
        means[k] = own.mean()
        scores[outside, k] = own - means[k]
    norm = np.sum(scores**2, axis=0)

    def read(features: FloatArray) -> FloatArray:
        inside = np.stack([np.swapaxes(x := features[:, rows], 1, 2) @ x for rows in slices], axis=1)
        sums = np.stack([features[:, rows].sum(axis=1) for rows in slices], axis=1)
        centre = (sums.sum(axis=1, keepdims=True) - sums) / training[:, None]
        gram = inside.sum(axis=1, keepdims=True) - inside
        gram -= (training[:, None] * centre)[..., None] * centre[..., None, :]
        cross = np.swapaxes(np.swapaxes(features, 1, 2) @ scores, 1, 2)
        shape = cross.shape[:2]
        weights = ridge_of_moments(gram, cross, np.broadcast_to(norm, shape), np.broadcast_to(training, shape))
        latents = np.empty(features.shape[:2])
        for k, rows in enumerate(slices):
            shift = means[k] - np.sum(centre[:, k] * weights[:, k], axis=1)
            latents[:, rows] = np.squeeze(features[:, rows] @ weights[:, k, :, None], axis=-1) + shift[:, None]
        return latents

    return read
