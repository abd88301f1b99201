"""Who has which modality: a row of NaN in a modality's block is a missing modality."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray

Subset = tuple[str, ...]
"""Modalities, in the order of all of them."""
SubsetKey = frozenset[str]
"""The same, whatever the order: what informations are looked up by."""


def lacking(block: FloatArray) -> BoolArray:
    """Who lacks the modality of a block (n, p): every cell is NaN, shape (n,)."""
    return np.asarray(np.isnan(block).all(axis=1))


def presence(blocks: Blocks) -> BoolArray:
    """Who has which modality, shape (n, M)."""
    return ~np.column_stack([lacking(block) for block in blocks.values()])


def complete(blocks: Blocks) -> BoolArray:
    """Who has every modality, shape (n,)."""
    return np.asarray(presence(blocks).all(axis=1))


def subsets_of(names: Sequence[str]) -> list[Subset]:
    """Non-empty subsets of modalities, small ones first, each in the order of `names`: the full set is last.

    >>> subsets_of(["t1", "dwi"])
    [('t1',), ('dwi',), ('t1', 'dwi')]
    """
    return [subset for size in range(1, len(names) + 1) for subset in combinations(names, size)]
