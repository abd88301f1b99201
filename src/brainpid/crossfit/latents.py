"""Cross-fitting: latents of people whom their encoder had not seen.

An encoder turns the features of every modality into latents that tell about the target. It is fitted, with scalers and
target ranks, on the people outside a fold and applied to the people inside; after all folds everybody has latents
from an encoder that knows nothing about them. Targets come as a stack, such as permutations, so that what does not
depend on the target is computed once for all of them.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.seeds import derive
from brainpid.crossfit.encoders import Encoder
from brainpid.crossfit.transforms import Standardizer


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
    return encoder(training, scores_within(targets[:, ~held_out]), new, seed)


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
        Each fold's encoder has a seed of its own, derived from it.

    Returns
    -------
    dict of str to ndarray, shape (T, n, d)
        Latents of different folds are of different encoders: pool them where d = 1, where each is a prediction of the
        same score, and never where d > 1 (`brainpid.pid.decompose_folds`).
    """
    latents: dict[str, FloatArray] = {}
    for k in np.unique(fold):
        held_out = fold == k
        for name, values in encode_fold(blocks, targets, held_out, encoder, derive(seed, "fold", k)).items():
            everybody = latents.setdefault(name, np.empty((len(targets), len(fold), values.shape[-1])))
            everybody[:, held_out] = values
    return latents


def scores_within(targets: FloatArray) -> FloatArray:
    """Normal scores (T, n) of each target among these people, as `brainpid.crossfit.transforms.normal_scores` has them.

    Targets that hold the same few values, as permutations of one target do, are ranked by counting.
    """
    values, level = np.unique(targets, return_inverse=True)
    level = level.reshape(targets.shape)
    stack, n = targets.shape
    places = np.arange(stack)[:, None] * len(values) + level
    counts = np.bincount(places.ravel(), minlength=stack * len(values)).reshape(stack, len(values))
    rank = counts.cumsum(axis=1) - (counts - 1) / 2
    return np.take_along_axis(ndtri((rank - 0.5) / n), level, axis=1)
