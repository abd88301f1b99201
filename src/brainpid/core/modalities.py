"""Who has which modality: a row of NaN in a modality's block is a missing modality."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray

Names = tuple[str, ...]


def lacking(block: FloatArray) -> BoolArray:
    """Who lacks the modality of a block (n, p): every cell is NaN, shape (n,)."""
    return np.asarray(np.isnan(block).all(axis=1))


def presence(blocks: Blocks) -> BoolArray:
    """Who has which modality, shape (n, M)."""
    return ~np.column_stack([lacking(block) for block in blocks.values()])


def complete(blocks: Blocks) -> BoolArray:
    """Who has every modality, shape (n,)."""
    return np.asarray(presence(blocks).all(axis=1))


def subsets_in_order(names: Sequence[str]) -> list[Names]:
    """Non-empty subsets of modalities, small ones first, each in the order of `names`."""
    return [subset for size in range(1, len(names) + 1) for subset in combinations(names, size)]


Subset = frozenset[str]


def subsets_of(modalities: Sequence[str]) -> tuple[Subset, ...]:
    """List the non-empty subsets, small ones first and in the caller's order: singles lead, the full set is last."""
    return tuple(frozenset(members) for k in range(1, len(modalities) + 1) for members in combinations(modalities, k))


def label_of(subset: Subset, names: Sequence[str]) -> str:
    """Join the members of a subset with ``+``, in the order of `names`."""
    return "+".join(name for name in names if name in subset)
