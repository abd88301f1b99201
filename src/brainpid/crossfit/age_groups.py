"""The empirical distribution of ages, in groups of neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.crossfit.transforms import means_of_neighbours

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
        return _edges(self.values)

    def below(self, weights: FloatArray, ages: FloatArray) -> FloatArray:
        """Part of distributions on the groups that lies below an age: (..., m) of weights (..., m, G) and ages (m,).

        Half a group lies below its mean, and what lies between is interpolated; outside the edges it is 0 or 1.
        """
        knots, cumulated = self._cumulated(weights)
        right = np.clip(np.searchsorted(knots, ages, side="right"), 1, len(knots) - 1)
        rows = np.arange(len(ages))
        low, high = cumulated[..., rows, right - 1], cumulated[..., rows, right]
        width = knots[right] - knots[right - 1]
        past = np.clip(ages - knots[right - 1], 0.0, width)
        part = np.divide(past, width, out=np.full(len(ages), 0.5), where=width > 0)
        return np.asarray(low + part * (high - low))

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
        People behind each value at least. Above 1 the values are interpolated between means of so many neighbours,
        so that there are as many of them all the same.

    Returns
    -------
    AgeGroups
    ndarray of int, shape (n,)
        Each one's group.
    """
    ages = np.asarray(ages, dtype=float)
    n = len(ages)
    if least > 1:
        means = means_of_neighbours(ages, least) if n > 1 else ages
        k, groups = len(means), min(n, MOST_GROUPS)
        knots = np.concatenate([[0.0], (np.arange(k) + 0.5) / k, [1.0]])
        low, high = _edges(means)
        values, place = np.unique(
            np.interp((np.arange(groups) + 0.5) / groups, knots, [low, *means, high]), return_inverse=True
        )
        member = place[((rankdata(ages) - 0.5) * groups / n).astype(np.int64)]
        return AgeGroups(values, np.bincount(member, minlength=len(values)).astype(float)), member
    distinct, place, counts = np.unique(ages, return_inverse=True, return_counts=True)
    size = -(-n // MOST_GROUPS) if len(distinct) > MOST_GROUPS else 1
    starts, own = [0], 0
    for j, count in enumerate(counts):
        if own >= size:
            starts.append(j)
            own = 0
        own += int(count)
    people = np.add.reduceat(counts, starts)
    group = np.searchsorted(starts, np.arange(len(distinct)), side="right") - 1
    return AgeGroups(np.add.reduceat(distinct * counts, starts) / people, people.astype(float)), group[place]


def _edges(values: FloatArray) -> FloatArray:
    if len(values) == 1:
        return np.repeat(values, 2)
    low, high = values[1] - values[0], values[-1] - values[-2]
    return np.array([values[0] - low / 2, values[-1] + high / 2])
