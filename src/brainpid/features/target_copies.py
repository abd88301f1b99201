"""Features of a table that are nearly the target itself, as a column made from it is."""

from __future__ import annotations

import numpy as np

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import list_some
from brainpid.features.block import FeatureBlock

NEARLY = 0.99
"""Correlation with the target, in size, that no measure of the brain has."""
FEWEST = 10
"""People from whom it is told."""


def copies_of_target(block: FeatureBlock, target: FloatArray) -> str:
    """A sentence about the features that are nearly the target; empty where none is.

    Parameters
    ----------
    block : FeatureBlock
        Of n people.
    target : ndarray, shape (n,)
        NaN where unknown.
    """
    named = []
    for name, values in zip(block.names, block.values.T, strict=True):
        known = np.isfinite(values) & np.isfinite(target)
        if known.sum() < FEWEST or np.ptp(values[known]) == 0 or np.ptp(target[known]) == 0:
            continue
        r = float(np.corrcoef(values[known], target[known])[0, 1])
        if abs(r) >= NEARLY:
            named.append(f"'{name}' (r = {r:.3f}, {int(known.sum())} people)")
    if not named:
        return ""
    return (
        f"{list_some(named, 4)} of {block.modality} is nearly the target itself, and no measure of the brain is: leave "
        "it out with drop"
    )
