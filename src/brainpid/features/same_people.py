"""People who are in a study twice: rows of features that are equal, or so near that two people cannot be.

Equal rows are told from chance by how often single features agree. Near rows are told by distances: where people are
spread over k dimensions, the nearest of m neighbours lies within a part x of the distance of the m-th with probability
below m x^k, so that n people have such a neighbour by chance with probability below n m x^k. Relatives share much and
not nearly everything: the dimension is taken as six at most, and nobody is near who is farther than a tenth.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import norm

from brainpid.core.arrays import FloatArray
from brainpid.core.seeds import derive

CHANCE = 0.001
"""Probability of any false alarm in one set of features."""
NEAREST = 0.1
"""Part of the distance of the m-th neighbour beyond which nobody is near: correlation .99 where others have none."""
NEIGHBOURS = 8
DIMENSIONS = 6
"""Dimensions in which neighbours are looked for, and the most that distances are judged by."""
SURE = 0.8
"""Part of the estimated dimension that is relied on: families and edges bring more near people than even spread."""
MOST_FEATURES = 400
"""Features that distances are made of, evenly spaced among all."""
FEWEST_PEOPLE = 20
"""Below which near rows are not told."""
FINE = 1e-4
"""Part of the pairs of people who agree in a feature, below which to agree is no chance."""
SAMPLE = 200
"""People from whom the dimension is told."""
KNOTS = np.array([0, 0.02, 0.05, *np.linspace(0.1, 0.9, 9), 0.95, 0.98, 1])
KNOTS_INSIDE = np.clip(KNOTS, 0.002, 0.998)
"""Quantiles at which features get the scores of the normal distribution; the ends have none."""


class Pair(NamedTuple):
    """Two rows, by number, the first the smaller; `ratio` is the part of the usual distance, 0 where they are equal."""

    one: int
    other: int
    ratio: float


def same_rows(values: NDArray[np.floating]) -> list[Pair]:
    """Pairs of rows that are of one person, in order.

    Equal rows are paired with the first of them.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        Features in any units, NaN where not known; a row of NaN is a person without them.
    """
    values = np.asarray(values, dtype=np.float32) + np.float32(0)  # no negative zeros
    known = np.isfinite(values)
    values = values[:, (np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
                        > np.where(known, values, np.inf).min(axis=0, initial=np.inf))]  # fmt: skip
    known = np.isfinite(values)
    rows = np.flatnonzero(known.mean(axis=1) >= 0.5) if values.shape[1] else np.array([], dtype=int)
    first: dict[bytes, int] = {}
    equal = []
    for row in rows:
        content = hashlib.blake2b(np.where(known[row], values[row], np.float32(np.nan)).tobytes()).digest()
        if (before := first.setdefault(content, int(row))) != row:
            equal.append(Pair(before, int(row), 0.0))
    distinct = np.fromiter(first.values(), dtype=int, count=len(first))
    columns = np.linspace(0, values.shape[1] - 1, min(values.shape[1], MOST_FEATURES)).astype(int)
    scaled = _scaled(values[np.ix_(distinct, columns)]) if len(distinct) > 1 else np.empty((len(distinct), 0))
    if equal and not _telling(values[np.ix_(distinct, columns[:: -(-len(columns) // 64)])]):
        equal = []
    near = [Pair(int(distinct[i]), int(distinct[j]), ratio) for i, j, ratio in _near(scaled)]
    return sorted([*equal, *near])


def _scaled(values: NDArray[np.float32]) -> FloatArray:
    """Features as nearly normal, along lines between quantiles, so that no tail stretches distances; 0 if unknown."""
    knots = np.nanquantile(values, KNOTS, axis=0)
    scaled = np.zeros(values.shape)
    for column, own in enumerate(knots.T):
        places, first = np.unique(own, return_index=True)
        if len(places) > 1:
            scaled[:, column] = np.interp(values[:, column], places, norm.ppf(KNOTS_INSIDE)[first])
    return np.nan_to_num(scaled)


def _telling(values: NDArray[np.float32]) -> bool:
    """Whether equal rows are no chance, from distinct rows (n, p).

    Two features in which nearly nobody agrees suffice; else pairs of people are expected to agree in all of as many
    features of the usual kind as the correlations leave free.
    """
    n, p = values.shape
    pairs = n * (n - 1) / 2
    if pairs == 0 or p == 0:
        return False
    agreeing = np.zeros(p)
    for column in range(p):
        _, counts = np.unique(values[:, column], return_counts=True)
        agreeing[column] = (counts * (counts - 1) / 2).sum() / pairs
    rates = np.maximum(agreeing, 1 / pairs)
    if (agreeing < FINE).sum() >= 2:
        return True
    scaled = _scaled(values[: 5 * MOST_FEATURES])
    if scaled.shape[1] < 2 or not len(scaled):
        return False
    roots = np.linalg.eigvalsh(np.cov(scaled, rowvar=False))
    free = float(roots.sum() ** 2 / (roots**2).sum())
    return bool(np.log(pairs) + free * np.log(rates).mean() < np.log(CHANCE))


def _near(scaled: FloatArray) -> list[tuple[int, int, float]]:
    """Pairs of distinct rows that are nearer than chance and families bring, with their part of the usual distance."""
    n, p = scaled.shape
    if n < FEWEST_PEOPLE or p < 2:
        return []
    seen = scaled
    if p > DIMENSIONS:
        seen = scaled @ np.random.default_rng(derive(0, "same people")).normal(size=(p, DIMENSIONS))
    m = min(NEIGHBOURS, n - 2)
    found = cKDTree(seen).query(seen, k=m + 1)[1]
    others = np.array([[j for j in own if j != i][:m] for i, own in enumerate(found)])
    distances = np.empty(others.shape)
    for start in range(0, n, 1000):  # bounds the memory
        part = slice(start, start + 1000)
        distances[part] = np.linalg.norm(scaled[others[part]] - scaled[part, None], axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.nan_to_num(distances / distances.max(axis=1, keepdims=True), nan=1.0)
    dimension = min(SURE * _dimension(scaled, m), DIMENSIONS, p)
    bound = min(NEAREST, (CHANCE / (n * m)) ** (1 / dimension))
    near: dict[tuple[int, int], float] = {}
    for i, place in zip(*np.nonzero(ratios < bound), strict=True):
        pair = (min(int(i), int(others[i, place])), max(int(i), int(others[i, place])))
        near[pair] = max(near.get(pair, 0.0), float(ratios[i, place]))
    return [(i, j, ratio) for (i, j), ratio in near.items()]


def _dimension(scaled: FloatArray, m: int) -> float:
    """Dimension over which people are spread, from the distances of the m nearest of some (Levina and Bickel 2005)."""
    n = len(scaled)
    some = np.linspace(0, n - 1, min(n, SAMPLE)).astype(int)
    squares = (scaled**2).sum(axis=1)
    far = np.maximum(squares[some, None] + squares - 2 * scaled[some] @ scaled.T, 0)
    # Without itself and the nearest, which may be the person again.
    near = np.sqrt(np.sort(np.partition(far, m, axis=1)[:, : m + 1], axis=1)[:, 2:])
    with np.errstate(divide="ignore", invalid="ignore"):
        spans = np.log(near[:, -1:] / near[:, :-1]).mean(axis=1)
        return float(np.clip(np.nanmedian(1 / spans), 1, None))
