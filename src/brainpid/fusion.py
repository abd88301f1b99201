"""Fusion weights of a network from out-of-fold ridge predictions.

The weights are set once, before any network is trained, from one deterministic number per modality and person: the
out-of-fold prediction of a ridge regression on that modality. They therefore neither jump between batches nor depend
on the state of a network.
"""

from __future__ import annotations

import logging

import numpy as np

from brainpid.arrays import Blocks, FloatArray
from brainpid.crossfit import cross_fit, stratified_folds
from brainpid.estimation import information_from_data
from brainpid.gaussian import subsets_of
from brainpid.lattice import FusionWeights, fusion_weights
from brainpid.linear_encoders import RidgeEncoder

_LOG = logging.getLogger(__name__)

FOLDS = 5


def ridge_fusion_weights(blocks: Blocks, scores: FloatArray, rng: np.random.Generator) -> FusionWeights:
    """Fusion weights from the debiased information in out-of-fold ridge predictions.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Features of the training people.
    scores : ndarray, shape (n,)
        Normal scores of their target.
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    FusionWeights
        Equal, with a logged warning, where no modality has positive information.
    """
    latents = cross_fit(blocks, scores[None], stratified_folds(scores, FOLDS, rng), RidgeEncoder(), seed=0)
    found = information_from_data({name: latent[0] for name, latent in latents.items()}, scores)
    bits = dict(zip(subsets_of(found.modalities), found.bits.tolist(), strict=True))
    weights = fusion_weights(bits)
    if not weights.informative:
        _LOG.warning("no modality has positive out-of-fold information about the target: modalities get equal weights")
    return weights
