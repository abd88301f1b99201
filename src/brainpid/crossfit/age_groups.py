"""The empirical distribution of ages, in groups of neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, IntArray

MOST_GROUPS = 150
"""Groups that ages are held in at most: finer ones change no score by .001 bits."""


@dataclass(frozen=True)
class AgeGroups:
    """Ages in neighbouring groups, equal ages in one.

    Attributes
    ----------
    values : ndarray, shape (G,)
        Mean age of each group, ascending, in the target's units.
    counts : ndarray, shape (G,)
        People in each.
    """

    values: FloatArray
    counts: FloatArray

    @property
    def parts(self) -> FloatArray:
        """Part of the people in each group, (G,)."""
        return self.counts / self.counts.sum()

    @property
    def edges(self) -> FloatArray:
        """Where the distribution begins and ends: half a step beyond the outer groups, shape (2,)."""
        if len(self.values) == 1:
            return np.repeat(self.values, 2)
        low, high = self.values[1] - self.values[0], self.values[-1] - self.values[-2]
        return np.array([self.values[0] - low / 2, self.values[-1] + high / 2])

    def below(self, weights: FloatArray, ages: FloatArray) -> FloatArray:
        """Part of distributions on the groups that lies below an age: (..., m) of weights (..., m, G) and ages (m,).

        Half a group lies below its mean, and what lies between is interpolated; outside the edges it is 0 or 1.
        """
        knots, cumulated = self._cumulated(weights)
        right = np.clip(np.searchsorted(knots, ages, side="right"), 1, len(knots) - 1)
        rows = np.arange(len(ages))
        low, high = cumulated[..., rows, right - 1], cumulated[..., rows, right]
        part = (ages - knots[right - 1]) / np.maximum(knots[right] - knots[right - 1], np.finfo(float).tiny)
        return np.asarray(low + np.clip(part, 0.0, 1.0) * (high - low))

    def quantiles(self, weights: FloatArray, levels: FloatArray) -> FloatArray:
        """Quantiles (m, L) of distributions with weights (m, G), at levels (L,) or (m, L); inverts `below`."""
        knots, cumulated = self._cumulated(weights)
        levels = np.broadcast_to(levels, (len(weights), np.shape(levels)[-1]))
        right = np.clip(np.sum(cumulated[:, None] < levels[..., None], axis=2), 1, len(knots) - 1)
        low = np.take_along_axis(cumulated, right - 1, axis=1)
        high = np.take_along_axis(cumulated, right, axis=1)
        part = (levels - low) / np.maximum(high - low, np.finfo(float).tiny)
        return np.asarray(knots[right - 1] + np.clip(part, 0.0, 1.0) * (knots[right] - knots[right - 1]))

    def _cumulated(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        low, high = self.edges
        knots = np.concatenate([[low], self.values, [high]])
        below = np.cumsum(weights, axis=-1) - weights / 2
        ends = np.zeros((*below.shape[:-1], 1))
        return knots, np.concatenate([ends, below, ends + 1], axis=-1)


def group_ages(ages: ArrayLike, least: int = 1) -> tuple[AgeGroups, IntArray]:
    """Group ages (n,), n at least 1, into at most `MOST_GROUPS` groups.

    Parameters
    ----------
    ages : array_like, shape (n,)
    least : int
        People in a group at least; fewer than so many people are one group.

    Returns
    -------
    AgeGroups
    ndarray of int, shape (n,)
        Each one's group.
    """
    distinct, member, counts = np.unique(np.asarray(ages, dtype=float), return_inverse=True, return_counts=True)
    size = least if len(distinct) <= MOST_GROUPS else max(least, -(-len(member) // MOST_GROUPS))
    starts, own = [0], 0
    for k, count in enumerate(counts):
        if own >= size:
            starts.append(k)
            own = 0
        own += int(count)
    if own < size and len(starts) > 1:
        starts.pop()
    people = np.add.reduceat(counts, starts)
    group = np.searchsorted(starts, np.arange(len(distinct)), side="right") - 1
    return AgeGroups(np.add.reduceat(distinct * counts, starts) / people, people.astype(float)), group[member]
