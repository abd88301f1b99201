"""Predictions in the scale that densities are fitted in, without what they have from their training people's mean."""

from __future__ import annotations

import numpy as np

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.crossfit.transforms import NormalScores

_BEYOND = 1.0  # standard deviations of the normal scores


def scaled(predictions: FloatArray, scale: NormalScores, target_map: NormalScores) -> FloatArray:
    """Predictions in their scale, at most `_BEYOND` outside the people's ages: one runaway must not set a scale."""
    low, high = scale.transform(target_map.values[[0, -1]])
    return np.clip(scale.transform(predictions), low - _BEYOND, high + _BEYOND)


def centred(f: FloatArray, y: FloatArray, fold: IntArray, scale: NormalScores, target_map: NormalScores) -> FloatArray:
    """Held-out predictions f (n,), in their scale, without what they have from the mean of their training people.

    A prediction whose features explain the part R^2 has ``1 - R^2`` of the mean in it: the features' own means make up
    for the rest. It is the mean of normal scores or of the target as it is, or the median, by what a reader is trained
    to; of the three the one is taken that brings the folds closest together.
    """
    there = np.isfinite(f)
    if there.sum() < 2 or np.ptp(f[there]) == 0:
        return f
    g, target = target_map.transform(y), scale.transform(y)
    explained = max(0.0, np.corrcoef(f[there], target[there])[0, 1]) ** 2 if np.ptp(y[there]) > 0 else 0.0
    own = [there & (fold == k) for k in np.unique(fold[there])]
    others = [there & ~rows if len(own) > 1 else there for rows in own]
    found = []
    for middle in (
        lambda rows: target_map.inverse_transform(g[rows].mean()),
        lambda rows: y[rows].mean(),
        lambda rows: np.median(y[rows]),
    ):
        shifted = f.copy()
        for rows, trained_on in zip(own, others, strict=True):
            shifted[rows] -= (1 - explained) * (scale.transform(middle(trained_on)) - scale.transform(middle(there)))
        apart = sum(rows.sum() * (shifted[rows].mean() - shifted[there].mean()) ** 2 for rows in own)
        found.append((apart, shifted))
    return min(found, key=lambda pair: pair[0])[1]
