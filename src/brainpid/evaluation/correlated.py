"""Groups of correlated features of a modality, which share what they tell and are permuted together.

Features are joined by average linkage on ``1 - |r|`` as long as that is at most `FARTHEST`. Of a modality with more
than `MOST_JOINED` features so many of them, evenly spaced, are joined, and each of the others goes to the group with
whose mean it correlates most, if that is as close. A group has the name of the feature that correlates most with the
others. Nothing of the target enters, so that groups of all people may be those of every fold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.modalities import lacking

FARTHEST = 0.5
"""Distance ``1 - |r|`` up to which groups are joined."""
MOST_JOINED = 1000
"""Features that are joined pair by pair, at most; others go to their groups."""
MOST_PEOPLE = 500
"""People, drawn at random, that correlations are taken over where there are more."""
_FEWEST_PEOPLE = 20  # with fewer, features correlate by chance


def correlated_groups(features: FloatArray, names: Sequence[str], seed: int) -> list[str | None]:
    """Name the group of each feature; None for a feature that is alone.

    Parameters
    ----------
    features : ndarray, shape (n, p)
        A row of NaN is a missing modality; a single missing cell counts as the feature's mean.
    names : sequence of str, length p
    seed : int
        Draws the people.
    """
    has = np.flatnonzero(~lacking(features))
    p = len(names)
    if len(has) < _FEWEST_PEOPLE or p < 2:
        return [None] * p
    some = features[np.sort(np.random.default_rng(seed).permutation(has)[:MOST_PEOPLE])]
    known = np.isfinite(some)
    mean = np.where(known, some, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, some - mean, 0.0)
    length = np.sqrt((centred**2).sum(axis=0))
    directions = centred / np.where(
        length > 1e-9 * np.sqrt(len(some)) * np.maximum(np.abs(mean), 1e-300), length, np.inf
    )
    group = _joined(directions)
    told: list[str | None] = [None] * p
    for own in np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1]):
        if len(own) > 1:
            axis = _axis(directions[:, own])
            name = names[own[int(np.abs(axis @ directions[:, own]).argmax())]]
            for column in own:
                told[column] = name
    return told


def _joined(directions: FloatArray) -> IntArray:
    """Group (p,) of each feature, from 0 on, of features as directions (n, p) of length 1 or 0."""
    p = directions.shape[1]
    first = np.unique(np.linspace(0, p - 1, min(p, MOST_JOINED)).astype(int))
    near = np.abs(directions[:, first].T @ directions[:, first])
    distance = np.clip(1 - (near + near.T) / 2, 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    joined = fcluster(linkage(squareform(distance, checks=False), "average"), FARTHEST, "distance") - 1
    group = np.full(p, -1)
    group[first] = joined
    if len(rest := np.flatnonzero(group < 0)) > 0:
        axes = np.column_stack([_axis(directions[:, first[joined == k]]) for k in range(joined.max() + 1)])
        near = np.abs(directions[:, rest].T @ axes)
        best = near.argmax(axis=1)
        close = near[np.arange(len(rest)), best] >= 1 - FARTHEST
        group[rest] = np.where(close, best, joined.max() + 1 + np.arange(len(rest)))
    return group


def _axis(directions: FloatArray) -> FloatArray:
    """Direction of the mean of features, each with the sign that it shares with the first of them."""
    mean = directions @ np.where(directions[:, 0] @ directions < 0, -1.0, 1.0)
    length = float(np.linalg.norm(mean))
    return mean / length if length > 0 else mean
