"""Transforms that are fitted on training rows and applied to any rows.

`NormalScores` turns a target into standard-normal scores, ``g = Phi^-1((r - 1/2) / n)`` with average ranks for
ties, and back by monotone interpolation through the training pairs. `Standardizer` imputes, centres, scales and
clips features. Both are frozen: what was fitted cannot change afterwards, and both are plain arrays, so that a
saved model needs no pickle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import rankdata

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.errors import InputError


def normal_scores(values: ArrayLike) -> FloatArray:
    """Rank-based inverse normal transform of one sample.

    Parameters
    ----------
    values : array_like, shape (..., n)
        Any real values; the last axis is ranked.

    Returns
    -------
    ndarray, shape (..., n)
        ``Phi^-1((r - 1/2) / n)`` with average ranks ``r``, without unit.

    References
    ----------
    Blom 1958; Hazen plotting position.
    """
    values = np.asarray(values, dtype=float)
    ranks = rankdata(values, method="average", axis=-1)
    return ndtri((ranks - 0.5) / values.shape[-1])


def means_of_neighbours(values: FloatArray, least: int) -> FloatArray:
    """Means of neighbours in ascending order, so that each stands for `least` values or more.

    Parameters
    ----------
    values : ndarray, shape (n,)
        In any order; fewer than ``2 * least`` of them make two means.
    least : int

    Returns
    -------
    ndarray, shape (max(2, n // least),)
    """
    parts = np.array_split(np.sort(values), max(2, len(values) // least))
    return np.array([part.mean() for part in parts])


@dataclass(frozen=True)
class NormalScores:
    """Map between a target and its standard-normal scores, fitted on training rows.

    Attributes
    ----------
    values : ndarray, shape (k,)
        Distinct training targets in ascending order, or means of neighbouring ones, in the target's unit.
    scores : ndarray, shape (k,)
        Their normal scores, strictly ascending.

    Notes
    -----
    Outside the training range the map continues as a straight line whose slope is that between the 5% and the
    95% point of the training pairs, so that a prediction may leave the range that was trained on.
    """

    values: FloatArray
    scores: FloatArray

    @classmethod
    def fit(cls, target: ArrayLike, least: int = 1) -> NormalScores:
        """Fit the map to a training target.

        Parameters
        ----------
        target : array_like, shape (n,)
        least : int
            People behind each knot at least; above 1 the knots are means of neighbours, and no person's own target is
            among them (but for a value that as many people share).

        Raises
        ------
        InputError
            Where fewer than two distinct values were given.
        """
        target = np.asarray(target, dtype=float)
        values, first = np.unique(target, return_index=True)
        if len(values) < 2:
            raise InputError(
                f"the training target has {len(values)} distinct value(s) in {len(target)} rows; expected at least 2"
            )
        scores = normal_scores(target)
        if least == 1:
            return cls(values, scores[first])
        knots, place = np.unique(means_of_neighbours(target, least), return_inverse=True)
        if len(knots) < 2:
            raise InputError(f"the training target has one mean in groups of {least} people; expected at least 2")
        return cls(knots, np.bincount(place, means_of_neighbours(scores, least)) / np.bincount(place))

    @classmethod
    def straight(cls, target: ArrayLike) -> NormalScores:
        """Make the map that only centres and scales: two knots, and straight lines beyond them."""
        target = np.asarray(target, dtype=float)
        mean, deviation = target.mean(), target.std()
        return cls(np.array([mean - deviation, mean + deviation]), np.array([-1.0, 1.0]))

    @property
    def tail_slope(self) -> float:
        """Slope of both tails, in units of the target per score."""
        low, high = np.interp([0.05, 0.95], np.linspace(0.0, 1.0, len(self.values)), np.arange(len(self.values)))
        i, j = int(np.floor(low)), int(np.ceil(high))
        return float((self.values[j] - self.values[i]) / (self.scores[j] - self.scores[i]))

    def transform(self, target: ArrayLike) -> FloatArray:
        """Turn targets (n,) into scores (n,)."""
        return _interpolate(target, self.values, self.scores, 1.0 / self.tail_slope)

    def inverse_transform(self, scores: ArrayLike) -> FloatArray:
        """Turn scores (n,) into targets (n,), in the target's unit."""
        return _interpolate(scores, self.scores, self.values, self.tail_slope)


def _interpolate(x: ArrayLike, knots: FloatArray, values: FloatArray, slope: float) -> FloatArray:
    """Interpolate linearly through the knots and continue with `slope` beyond both ends."""
    x = np.asarray(x, dtype=float)
    inside = np.interp(x, knots, values)
    return inside + slope * (np.minimum(x - knots[0], 0.0) + np.maximum(x - knots[-1], 0.0))


@dataclass(frozen=True)
class Standardizer:
    """Median imputation, standardisation and clipping of a feature block, fitted on training rows.

    Attributes
    ----------
    fill : ndarray, shape (p,)
        Training median of each feature, in its unit; takes the place of a missing cell.
    mean, scale : ndarray, shape (p,)
        Training mean and standard deviation after imputation. A feature without spread in the training rows has
        an infinite scale and therefore becomes 0 for everybody.
    clip : float
        Largest absolute standardised value that is passed on; one outlying person cannot dominate a prediction.
    """

    fill: FloatArray
    mean: FloatArray
    scale: FloatArray
    clip: float = 5.0

    @classmethod
    def fit(cls, features: ArrayLike, clip: float = 5.0) -> Standardizer:
        """Fit to training features of shape (n, p); NaN marks a missing cell."""
        features = np.asarray(features, dtype=float)
        missing = np.isnan(features)
        observed = ~missing.all(axis=0)
        fill = np.zeros(features.shape[1])
        # The same number where no cell is missing, at a small part of the time.
        median = np.nanmedian if missing.any() else np.median
        fill[observed] = median(features[:, observed], axis=0)
        complete = np.where(missing, fill, features)
        mean, scale = complete.mean(axis=0), complete.std(axis=0)
        spread = scale > 1e-9 * np.maximum(np.abs(mean), np.finfo(float).tiny)
        return cls(fill, mean, np.where(spread, scale, np.inf), clip)

    def of(self, columns: IntArray) -> Standardizer:
        """Scaling of some of the features."""
        return Standardizer(self.fill[columns], self.mean[columns], self.scale[columns], self.clip)

    def transform(self, features: ArrayLike) -> FloatArray:
        """Standardise features (n, p) with what was fitted; the result has no unit and no missing cell."""
        features = np.asarray(features, dtype=float)
        complete = np.where(np.isnan(features), self.fill, features)
        return np.clip((complete - self.mean) / self.scale, -self.clip, self.clip)


@dataclass(frozen=True)
class RankedStandardizer(Standardizer):
    """Features as normal scores of the training people: ranks in the place of values, then as a `Standardizer` does.

    Skewed and heavy-tailed features become comparable, and scanners that stretch a feature's scale matter less.

    Attributes
    ----------
    fill, mean, scale, clip
        As of `Standardizer`; mean and scale are those of the values, which tell how far out one is.
    knots : ndarray, shape (K, p)
        Means of neighbouring training values of each feature, ascending.
    scores : ndarray, shape (K, p)
        Their normal scores, centred and scaled over the training people; equal knots have the mean of theirs.

    Notes
    -----
    Beyond the knots the map goes on as a straight line whose slope is that between the 5% and the 95% point.
    """

    knots: FloatArray = field(kw_only=True)
    scores: FloatArray = field(kw_only=True)

    @classmethod
    def fit(cls, features: ArrayLike, clip: float = 5.0, least: int = 1) -> RankedStandardizer:
        """Fit to training features of shape (n, p); NaN marks a missing cell.

        Parameters
        ----------
        features : array_like, shape (n, p)
        clip : float
        least : int
            People behind each knot at least.
        """
        features = np.asarray(features, dtype=float)
        plain = Standardizer.fit(features, clip)
        ordered = np.sort(np.where(np.isnan(features), plain.fill, features), axis=0)
        n = len(ordered)
        edges = np.linspace(0, n, min(KNOTS, max(2, n // least)) + 1).astype(int)[:-1]
        people = np.diff([*edges, n])[:, None]
        knots = np.add.reduceat(ordered, edges, axis=0) / people
        own = np.add.reduceat(ndtri((np.arange(n) + 0.5) / n), edges)[:, None] / people
        scores = np.broadcast_to(own, knots.shape).copy()
        for j in np.flatnonzero((np.diff(knots, axis=0) <= 0).any(axis=0)):
            _, place = np.unique(knots[:, j], return_inverse=True)
            scores[:, j] = (np.bincount(place, (own * people)[:, 0]) / np.bincount(place, people[:, 0]))[place]
        scores -= (scores * people).sum(axis=0) / n
        spread = np.sqrt((scores**2 * people).sum(axis=0) / n)
        scores /= np.where(np.isfinite(plain.scale) & (spread > 0), spread, np.inf)
        return cls(plain.fill, plain.mean, plain.scale, clip, knots=knots, scores=scores)

    def of(self, columns: IntArray) -> RankedStandardizer:
        """Scaling of some of the features."""
        plain = super().of(columns)
        return RankedStandardizer(
            plain.fill, plain.mean, plain.scale, self.clip, knots=self.knots[:, columns], scores=self.scores[:, columns]
        )

    def transform(self, features: ArrayLike) -> FloatArray:
        """Standardise features (n, p) with what was fitted; the result has no unit and no missing cell."""
        features = np.asarray(features, dtype=float)
        complete = np.where(np.isnan(features), self.fill, features)
        low, high = int(0.05 * (len(self.knots) - 1)), int(np.ceil(0.95 * (len(self.knots) - 1)))
        rise, run = self.scores[high] - self.scores[low], self.knots[high] - self.knots[low]
        slopes = np.divide(rise, run, out=np.zeros_like(run), where=run > 0)
        ranked = np.column_stack(
            [_interpolate(complete[:, j], self.knots[:, j], self.scores[:, j], slope) for j, slope in enumerate(slopes)]
        )
        return np.clip(ranked, -self.clip, self.clip)


def standardizer_from(fields: Mapping[str, Any]) -> Standardizer:
    """Standardizer of either kind from its fields."""
    return RankedStandardizer(**fields) if "knots" in fields else Standardizer(**fields)


KNOTS = 256
"""Of the map of a feature at most; each is the mean of as many people."""
FAR = 5.0
"""Distance from the training mean, in training standard deviations, at which features are clipped."""
MANY = 0.2
"""Part of a modality's features that lie so far in the median person only where something is wrong with the table."""


def far_modalities(tables: Mapping[str, pd.DataFrame], scalers: Mapping[str, Standardizer]) -> dict[str, float]:
    """Modalities of which the median person is far from training people, with the part of the features that are.

    Features are clipped at `FAR` training standard deviations, so that another unit or a missing division gives
    predictions that look like any other.
    """
    far = {}
    for modality, table in tables.items():
        typical = table[table.notna().any(axis=1)].median().to_numpy()
        scaler = scalers[modality]
        part = float(
            (np.abs((np.where(np.isnan(typical), scaler.mean, typical) - scaler.mean) / scaler.scale) > FAR).mean()
        )
        if part > MANY:
            far[modality] = part
    return far


def clipped_features(table: pd.DataFrame, scaler: Standardizer) -> list[str]:
    """Say of each person which features are so far from the training people that their values were clipped.

    Parameters
    ----------
    table : DataFrame, shape (n, p)
        Features in their units, under their names; NaN is a missing cell.
    scaler : Standardizer
        Of the training people.

    Returns
    -------
    list of str, length n
        Number and the farthest features with their values and distances; empty where none is.
    """
    values = table.to_numpy(dtype=float)
    distance = np.nan_to_num((values - scaler.mean) / scaler.scale)
    told = []
    for own, far in zip(values, np.abs(distance), strict=True):
        count = int((far > scaler.clip).sum())
        farthest = np.argsort(-far, kind="stable")[: min(count, _NAMED)]
        named = ", ".join(f"{table.columns[k]} = {own[k]:.6g} ({far[k]:.1f} SD)" for k in farthest)
        told.append(
            f"{count} of {len(own)} features lie more than {scaler.clip:g} standard deviations of the training people "
            f"from their mean and are clipped: {named}" + (f" and {count - _NAMED} more" if count > _NAMED else "")
            if count
            else ""
        )
    return told


_NAMED = 3
