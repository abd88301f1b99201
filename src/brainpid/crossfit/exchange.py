"""Which rows may take each other's targets, or residuals, under a null: single people, or whole groups of them.

Rows of one group, such as the visits of a person or the members of a family, are dependent whether or not features and
target are. What may be exchanged are whole groups, each keeping the order of its rows (Winkler et al. 2015, NeuroImage
123:253, whole-block exchangeability):

- where the target differs within groups, among groups of equal size; one whose size occurs once stays where it is;
- where it is the same within every group, the groups' values are exchanged among all of them. Features and sizes of the
  groups stay, and the values are independent of both under the null.

Residuals of features differ within groups, and are exchanged among groups of equal size.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, IntArray

MANY = 10**6
"""More exchanges than this are not counted."""


@dataclass(frozen=True)
class Exchange:
    """Groups of rows, and which of them may take each other's targets.

    Attributes
    ----------
    member : ndarray of int, shape (n,)
        Number of each row's group, from 0 without gaps.
    sets : tuple of ndarray of int
        Numbers of the groups that may be exchanged with each other; two or more in each.
    of_values : bool
        Whether a group has one target, which all of its rows take from another group.
    """

    member: IntArray
    sets: tuple[IntArray, ...]
    of_values: bool

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.member.max()) + 1

    @property
    def staying(self) -> int:
        """Number of groups that stay where they are."""
        return self.groups - sum(len(own) for own in self.sets)

    @property
    def distinct(self) -> int:
        """Number of distinct exchanges, the one that changes nothing included; `MANY` where there are more."""
        count = 1
        for own in self.sets:
            count = min(MANY, count * factorial(min(len(own), 10)))
        return count

    @property
    def what(self) -> str:
        """What is exchanged, in words."""
        return "values of groups" if self.of_values else "whole groups of equal size"

    @property
    def counts(self) -> str:
        """How many groups are exchanged, in words."""
        moved = self.groups - self.staying
        return f"{moved} of {self.groups} groups; {self.staying} are of a size that occurs once and stay"

    def orders(self, count: int, rng: np.random.Generator) -> IntArray:
        """Draw exchanges.

        Parameters
        ----------
        count : int
            Number B of exchanges.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray of int, shape (B, n)
            Row whose target each row takes.
        """
        source = np.tile(np.arange(self.groups), (count, 1))
        for own in self.sets:
            source[:, own] = rng.permuted(np.tile(own, (count, 1)), axis=1)
        rows = np.argsort(self.member, kind="stable")
        sizes = np.bincount(self.member)
        first = np.cumsum(sizes) - sizes
        place = np.zeros(len(rows), dtype=np.int64)
        if not self.of_values:
            place[rows] = np.arange(len(rows)) - np.repeat(first, sizes)
        return np.asarray(rows[first[source[:, self.member]] + place])


def exchange_of(target: FloatArray, groups: ArrayLike | None, level: IntArray | None = None) -> Exchange:
    """Say what may be exchanged.

    Parameters
    ----------
    target : ndarray, shape (n,)
    groups : array_like, shape (n,), or None
        Label of each row's group; None where every row is independent of all others. Rows of a group are in an order
        that means the same in every group, such as that of the visits.
    level : ndarray of int, shape (n,), optional
        Such as the site: only groups whose first rows are of one are exchanged.
    """
    member = members(len(target), groups)
    sizes = np.bincount(member)
    of_values = bool((target == target[np.argsort(member, kind="stable")][np.cumsum(sizes) - sizes][member]).all())
    return _among(member, np.zeros_like(sizes) if of_values else sizes, of_values, level)


def exchange_of_rows(n: int, groups: ArrayLike | None, level: IntArray | None = None) -> Exchange:
    """Say which of n rows may take each other's residuals: those of groups of equal size, in the order of each group.

    Parameters
    ----------
    n : int
    groups : array_like, shape (n,), or None
    level : ndarray of int, shape (n,), optional
        As of `exchange_of`.
    """
    member = members(n, groups)
    return _among(member, np.bincount(member), False, level)


def members(n: int, groups: ArrayLike | None) -> IntArray:
    """Number of each row's group."""
    return np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]


def _among(member: IntArray, kinds: IntArray, of_values: bool, level: IntArray | None) -> Exchange:
    """Exchange among the groups of one kind and level."""
    if level is not None:
        first = np.unique(member, return_index=True)[1]
        kinds = kinds * (int(level.max()) + 1) + level[first]
    sets = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    return Exchange(member, tuple(own for own in sets if len(own) > 1), of_values)
