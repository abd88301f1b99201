"""People some of whose features are changed, many times over: what permutation importance asks a model for.

Reading people anew costs as much as they have features, for each feature that is changed; a model that is linear in its
features at the bottom knows what one column adds, and pays for the changed columns alone. What a model gives either way
is the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from brainpid.core.arrays import Blocks, FloatArray, IntArray


class Varying(Protocol):
    """The same n people, with some columns of one modality replaced."""

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n) with columns (c,) of the modality replaced by `values` (k, n, c), k times."""


@dataclass(frozen=True)
class WholeReads:
    """Any function of features, read as a whole for every change.

    Attributes
    ----------
    predict : callable
        From features by modality to predictions (n,).
    blocks : mapping of str to ndarray, shape (n, p_m)
    modality : str
        The one whose columns are replaced.
    """

    predict: Callable[[dict[str, FloatArray]], FloatArray]
    blocks: Mapping[str, FloatArray]
    modality: str

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n)."""
        times, n = values.shape[:2]
        changed = {name: np.tile(block, (times, 1)) for name, block in self.blocks.items()}
        changed[self.modality][:, columns] = values.reshape(times * n, -1)
        return np.asarray(self.predict(changed)).reshape(times, n)


Vary = Callable[[Blocks, str], Varying]
"""From features of people and a modality to the people as they vary in it."""
