"""Inner folds: which training rows are held out together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.errors import InputError
from brainpid.crossfit.minima import FEWEST_GROUPS


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
        if len(labels) < FEWEST_GROUPS:
            raise InputError(f"inner folds need people of at least {FEWEST_GROUPS} groups, found {len(labels)}")
        means = np.bincount(member, weights=target) / np.bincount(member)
        return stratified_folds(means, folds, rng)[member]
    n = len(target)
    folds = min(folds, n)
    order = np.lexsort((rng.random(n), target))
    dealt = rng.permuted(np.tile(np.arange(folds), (-(-n // folds), 1)), axis=1).ravel()
    assigned = np.empty(n, dtype=np.int64)
    assigned[order] = dealt[:n]
    return assigned


def random_folds(member: IntArray, folds: int, rng: np.random.Generator) -> IntArray:
    """Assign rows to folds at random, rows of one group to the same; independent of any target.

    Parameters
    ----------
    member : ndarray of int, shape (n,)
        Number of each row's group, from 0 without gaps; a group each where rows are independent.
    folds : int
        Where there are fewer groups, there are as many folds as those.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int, shape (n,)
        Fold of each row. The largest groups are dealt first, each to the smallest fold: folds are of as equal sizes as
        the groups allow, and differ by at most 1 where groups are of one size.
    """
    sizes = np.bincount(member)
    order = np.lexsort((rng.permutation(len(sizes)), -sizes))
    held = np.zeros(min(folds, len(sizes)), dtype=np.int64)
    assigned = np.empty(len(sizes), dtype=np.int64)
    for group in order:
        assigned[group] = held.argmin()
        held[assigned[group]] += sizes[group]
    return assigned[member]
