"""Inner folds of the training rows, and fusion weights from out-of-fold ridge predictions.

The weights are set once, before any network is trained, from one deterministic number per modality and person: the
out-of-fold prediction of a ridge regression on that modality. They therefore neither jump between batches nor depend
on the state of a network.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from brainpid.arrays import FloatArray
from brainpid.estimation import information_from_data
from brainpid.gaussian import subsets_of
from brainpid.lattice import FusionWeights, fusion_weights

_LOG = logging.getLogger(__name__)

RIDGE_FOLDS = 5
RIDGE_PENALTIES = tuple(np.logspace(-1, 5, 13).tolist())


def stratified_folds(target: FloatArray, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Assign rows to folds so that each fold spans the target's range.

    Rows are sorted by target (ties at random) and each run of `folds` neighbours is dealt to all folds in random order.

    Parameters
    ----------
    target : ndarray, shape (n,)
    folds : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each row, 0 to ``folds - 1``; sizes differ by at most 1.
    """
    n = len(target)
    order = np.lexsort((rng.random(n), target))
    dealt = rng.permuted(np.tile(np.arange(folds), (-(-n // folds), 1)), axis=1).ravel()
    assigned = np.empty(n, dtype=np.int64)
    assigned[order] = dealt[:n]
    return assigned


def ridge_scalars(
    blocks: Mapping[str, FloatArray], scores: FloatArray, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Out-of-fold ridge prediction of the target from each modality alone.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features without missing cells.
    scores : ndarray, shape (n,)
        Normal scores of the target.
    rng : numpy.random.Generator
        Draws the folds.

    Returns
    -------
    dict of str to ndarray, shape (n,)
    """
    fold = stratified_folds(scores, RIDGE_FOLDS, rng)
    scalars = {name: np.empty(len(scores)) for name in blocks}
    for name, x in blocks.items():
        for held_out in (fold == k for k in range(RIDGE_FOLDS)):
            ridge = RidgeCV(RIDGE_PENALTIES).fit(x[~held_out], scores[~held_out])
            scalars[name][held_out] = ridge.predict(x[held_out])
    return scalars


def ridge_fusion_weights(
    blocks: Mapping[str, FloatArray], scores: FloatArray, rng: np.random.Generator
) -> FusionWeights:
    """Fusion weights from the debiased information in out-of-fold ridge predictions.

    Parameters
    ----------
    blocks, scores, rng
        As in `ridge_scalars`.

    Returns
    -------
    FusionWeights
        Equal, with a logged warning, where no modality has positive information.
    """
    columns = {name: scalar[:, None] for name, scalar in ridge_scalars(blocks, scores, rng).items()}
    found = information_from_data(columns, scores)
    bits = dict(zip(subsets_of(found.modalities), found.bits.tolist(), strict=True))
    weights = fusion_weights(bits)
    if not weights.informative:
        _LOG.warning("no modality has positive out-of-fold information about the target: modalities get equal weights")
    return weights
