"""Cross-fitting: latents of people whom their encoder had not seen.

An encoder turns the features of every modality into latents that tell about the target. It is fitted, with scalers and
target ranks, on the people outside a fold and applied to the people inside; after all folds everybody has latents
from an encoder that knows nothing about them. Targets come as a stack, such as permutations, so that what does not
depend on the target is computed once for all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from brainpid.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.encoders import Encoder
from brainpid.errors import InputError
from brainpid.transforms import Standardizer


def stratified_folds(
    target: FloatArray, folds: int, rng: np.random.Generator, groups: ArrayLike | None = None
) -> IntArray:
    """Assign rows to folds so that each fold spans the target's range.

    Rows are sorted by target (ties at random) and each run of `folds` neighbours is dealt to all folds in random order.

    Parameters
    ----------
    target : ndarray, shape (n,)
    folds : int
        Where there are fewer rows, or groups, there are as many folds as those.
    rng : numpy.random.Generator
    groups : array_like, shape (n,), optional
        Rows of one group share a fold; groups are dealt by their mean target.

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each row, from 0 without gaps; sizes, or numbers of groups, differ by at most 1.

    Raises
    ------
    InputError
        Where all rows are of one group.
    """
    if groups is not None:
        labels, member = np.unique(np.asarray(groups), return_inverse=True)
        if len(labels) < 2:
            raise InputError(f"inner folds need people of at least 2 groups, found {len(labels)}")
        means = np.bincount(member, weights=target) / np.bincount(member)
        return stratified_folds(means, folds, rng)[member]
    n = len(target)
    folds = min(folds, n)
    order = np.lexsort((rng.random(n), target))
    dealt = rng.permuted(np.tile(np.arange(folds), (-(-n // folds), 1)), axis=1).ravel()
    assigned = np.empty(n, dtype=np.int64)
    assigned[order] = dealt[:n]
    return assigned


def random_folds(n: int, folds: int, rng: np.random.Generator) -> IntArray:
    """Assign n rows to folds at random, sizes differing by at most 1; independent of any target."""
    return rng.permutation(np.arange(n) % folds)


def encode_fold(
    blocks: Blocks, targets: FloatArray, held_out: BoolArray, encoder: Encoder, seed: int
) -> dict[str, FloatArray]:
    """Fit to the people outside one fold and encode those inside.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Features in any unit; NaN is a missing cell.
    targets : ndarray, shape (T, n)
        Targets in any unit.
    held_out : ndarray of bool, shape (n,)
        The people to encode.
    encoder : Encoder
    seed : int

    Returns
    -------
    dict of str to ndarray, shape (T, n_held_out, d)
    """
    training, new = {}, {}
    for name, block in blocks.items():
        scaler = Standardizer.fit(block[~held_out])
        training[name], new[name] = scaler.transform(block[~held_out]), scaler.transform(block[held_out])
    return encoder(training, _scores_within(targets[:, ~held_out]), new, seed)


def cross_fit(
    blocks: Blocks, targets: FloatArray, fold: IntArray, encoder: Encoder, seed: int
) -> dict[str, FloatArray]:
    """Latents of everybody from encoders that were fitted without their fold.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
    targets : ndarray, shape (T, n)
    fold : ndarray of int, shape (n,)
    encoder : Encoder
    seed : int

    Returns
    -------
    dict of str to ndarray, shape (T, n, d)
        Latents of different folds are of different encoders: pool them where d = 1, where each is a prediction of the
        same score, and never where d > 1 (`brainpid.pid.decompose_folds`).
    """
    latents: dict[str, FloatArray] = {}
    for k in np.unique(fold):
        held_out = fold == k
        for name, values in encode_fold(blocks, targets, held_out, encoder, seed + int(k)).items():
            everybody = latents.setdefault(name, np.empty((len(targets), len(fold), values.shape[-1])))
            everybody[:, held_out] = values
    return latents


def _scores_within(targets: FloatArray) -> FloatArray:
    """Normal scores (T, n) of each target among these people, as `brainpid.transforms.normal_scores` has them.

    Targets that hold the same few values, as permutations of one target do, are ranked by counting.
    """
    values, level = np.unique(targets, return_inverse=True)
    level = level.reshape(targets.shape)
    stack, n = targets.shape
    places = np.arange(stack)[:, None] * len(values) + level
    counts = np.bincount(places.ravel(), minlength=stack * len(values)).reshape(stack, len(values))
    rank = counts.cumsum(axis=1) - (counts - 1) / 2
    return np.take_along_axis(ndtri((rank - 0.5) / n), level, axis=1)
