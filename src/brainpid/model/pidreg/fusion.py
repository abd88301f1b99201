"""Fusion weights of a network from out-of-fold ridge predictions.

Unless they come from a network's own latents, the weights are set once, before any network is trained, from one
deterministic number per modality and person: the out-of-fold prediction of a ridge regression on that modality. They
therefore neither jump between batches nor depend on the state of a network.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brainpid.core.arrays import Blocks, FloatArray
from brainpid.core.modalities import complete, subsets_of
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.ridge import RidgeEncoder
from brainpid.pid.estimation import information_from_data
from brainpid.pid.lattice import FusionWeights, fusion_weights

_LOG = logging.getLogger(__name__)

FOLDS = 5


def ridge_fusion_weights(
    blocks: Blocks, scores: FloatArray, rng: np.random.Generator, groups: ArrayLike | None = None
) -> FusionWeights:
    """Fusion weights from the debiased information in out-of-fold ridge predictions.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Features of the training people.
    scores : ndarray, shape (n,)
        Normal scores of their target.
    rng : numpy.random.Generator
        Draws the folds.
    groups : array_like, shape (n,), optional
        People of one group are left out together: relatives on both sides make a modality look better than it is.

    Returns
    -------
    FusionWeights
        Equal, with a logged warning, where no modality has positive information.
    """
    fold = stratified_folds(scores, FOLDS, rng, groups)
    latents = cross_fit(blocks, scores[None], fold, RidgeEncoder(), seed=0)
    found = information_from_data({name: latent[0] for name, latent in latents.items()}, scores)
    bits = dict(zip(map(frozenset, subsets_of(found.modalities)), found.bits.tolist(), strict=True))
    weights = fusion_weights(bits)
    if not weights.informative:
        _LOG.warning("no modality has positive out-of-fold information about the target: modalities get equal weights")
    return weights


def fusion(
    blocks: Blocks, scores: FloatArray, option: str, rng: np.random.Generator, groups: NDArray[Any]
) -> FusionWeights:
    """Fusion weights by option, from the people who have every modality; `groups` (n,) are left out together.

    Those of ``latents`` are where the networks start from, see `brainpid.model.pidreg.network.own_weights`.
    """
    if option != "pid":
        return FusionWeights(dict.fromkeys(blocks, 1.0 / len(blocks)), 0.0, informative=False)
    own = complete(blocks)
    return ridge_fusion_weights({m: block[own] for m, block in blocks.items()}, scores[own], rng, groups[own])
