"""What one reader's prediction says of a person's age, as a distribution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError
from brainpid.core.linalg import non_negative_least_squares
from brainpid.core.modalities import Subset
from brainpid.crossfit.age_groups import AgeGroups, group_ages
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.level_spread import level_ratios
from brainpid.crossfit.minima import INNER_FOLDS, fewest_of_baseline, fewest_of_interval
from brainpid.crossfit.site_folds import person_weights
from brainpid.crossfit.tilt import PersonalTilts, TiltedAges
from brainpid.crossfit.transforms import NormalScores

LEAST_AGE_DISTRIBUTION = 0.002
"""Weight of the age distribution in every mixture, at least: no person's score is minus infinity."""
_SHAPED_AT = 0.9  # probability of the intervals whose lengths are compared
_LONGER = 0.2  # a fifth: all decades of age are covered by 75% and more, at the interval score of equal tails
_AGES_ALONE = np.array([1.0, 0.0, 0.0])
_ROUNDS = 200  # of expectation and maximisation
_SETTLED = 1e-5  # largest change of a weight that ends them


@dataclass(frozen=True)
class ReaderDensity:
    """The density that follows from the prediction of one reader.

    Attributes
    ----------
    stack : dict of Subset to float
        Weight of the prediction from each subset of the reader's modalities.
    tilted : TiltedAges
    mixture : ndarray, shape (3,)
        Weights of the age distribution and of both tilts.
    needed : ndarray, shape (n,)
        Probability of the interval that just holds the age of each held-out training person, ascending; where people
        have weights, the k-th value is the one up to which they weigh the part k / n.
    held_out_bits : float
        Mean log score of held-out training people.
    """

    stack: dict[Subset, float]
    tilted: TiltedAges
    mixture: FloatArray
    needed: FloatArray
    held_out_bits: float

    @classmethod
    def fit(
        cls,
        f: Mapping[Subset, FloatArray],
        target: FloatArray,
        y: FloatArray,
        fold: IntArray,
        target_map: NormalScores,
        least: int,
        site: IntArray | None = None,
    ) -> ReaderDensity:
        """Fit to held-out predictions.

        Parameters
        ----------
        f : mapping of Subset to ndarray, shape (n,)
            From the reader's modalities and parts of them, centred.
        target : ndarray, shape (n,)
            What they predict, in their scale.
        y : ndarray, shape (n,)
            Target, in its units; it varies.
        fold : ndarray of int, shape (n,)
            Where all are of one, people are dealt anew.
        target_map : NormalScores
        least : int
            People behind each value that is kept, at least.
        site : ndarray of int, shape (n,), optional
            Number of each person's site, where folds leave sites out: intervals are for a person of any new site, so
            that sites count alike and not by their people.

        Raises
        ------
        NumericalError
            Where weights or tilts do not converge.
        """
        if len(np.unique(fold)) < 2:
            fold = stratified_folds(y, INNER_FOLDS, np.random.default_rng(0))
        own_fit = _Fit(np.column_stack(list(f.values())), target, y, *group_ages(y, least), target_map, least)
        ages, n = own_fit.ages, len(y)
        ratios = np.ones((3, n))
        held_out = np.empty((3, n, len(ages.values)))
        for own, people, found in own_fit.held_out(fold):
            ratios[1:, own] = found
            held_out[:, own] = people.weights()
        # Of a handful of people no tilt is believed, and calibration is that of the age distribution.
        mixture = _mixture(ratios) if n >= fewest_of_baseline() else _AGES_ALONE
        distributions = np.asarray(np.tensordot(mixture, held_out, axes=1), dtype=float)
        below, lower = ages.below(distributions, y), _lower_tails(ages, distributions)
        needed = 1 - np.minimum(below / lower, (1 - below) / (1 - lower))
        held_out_bits = float(np.log2(mixture @ ratios).mean())
        weights, tilted = own_fit.to(np.ones(n, dtype=bool))
        calibration = np.sort(needed) if site is None else _in_order(needed, person_weights(site))
        return cls(dict(zip(f, weights.tolist(), strict=True)), tilted, mixture, calibration, held_out_bits)

    @classmethod
    def of_ages(cls, y: FloatArray, target_map: NormalScores, subset: Subset, least: int) -> ReaderDensity:
        """Density of a reader of whom too few people are known: the age distribution, and no calibration."""
        ages, member = group_ages(y, least)
        tilted = TiltedAges.fit(np.zeros(len(y)), y, member, ages.values, target_map, least)
        return cls({subset: 1.0}, tilted, _AGES_ALONE, np.empty(0), 0.0)

    def weights(self, f: FloatArray) -> FloatArray:
        """Densities of people with stacked predictions f (m,), as weights (m, G) on the groups of ages."""
        return np.asarray(np.tensordot(self.mixture, self.tilted.of(f).weights(), axes=1))

    def quantiles(self, f: FloatArray, levels: FloatArray) -> FloatArray:
        """Quantiles (m, L) of people with stacked predictions f (m,), in the target's units."""
        return self.tilted.ages.quantiles(self.weights(f), levels)

    def interval(self, f: FloatArray, coverage: float) -> FloatArray:
        """Intervals (m, 2) of people with stacked predictions f (m,), in the target's units.

        Raises
        ------
        InputError
            Where too few training people are known for the coverage.
        """
        rank = int(np.ceil((len(self.needed) + 1) * coverage - 1e-9))
        if rank > len(self.needed):
            raise InputError(
                f"an interval with coverage {coverage:g} needs at least {fewest_of_interval(coverage)} training "
                f"people, found {len(self.needed)}"
            )
        ages, distributions = self.tilted.ages, self.weights(f)
        outside = (1 - self.needed[rank - 1]) * _lower_tails(ages, distributions)
        return ages.quantiles(distributions, np.column_stack([outside, outside + self.needed[rank - 1]]))

    def log_scores(
        self, f: FloatArray, y: FloatArray, g: FloatArray, reference: AgeGroups, reference_scores: FloatArray
    ) -> FloatArray:
        """Log scores (m,), in bits, of people with stacked predictions f, ages y and their normal scores g."""
        people = self.tilted.of(f)
        own = self.mixture[0] + self.mixture[1:] @ people.at_own(y, g)
        everywhere = people.at(reference.values, reference_scores)
        mean = self.mixture[0] + np.tensordot(self.mixture[1:], everywhere, axes=1) @ reference.parts
        return np.asarray(np.log2(_with_own_age(own, mean, float(reference.counts.sum()))))


def held_out_scores(
    f: Mapping[Subset, FloatArray],
    target: FloatArray,
    y: FloatArray,
    fold: IntArray,
    target_map: NormalScores,
    level: IntArray | None = None,
) -> FloatArray:
    """Log scores of people by densities that are fitted without their fold, their mixture included.

    Parameters
    ----------
    f, target, y, fold, target_map
        As of `ReaderDensity.fit`, with two folds or more, of predictions of normal scores. Those that hardly vary, such
        as from nothing that tells of the target, get hardly any weight.
    level : ndarray of int, shape (n,), optional
        Such as the site: a density with a spread for each is mixed in (`brainpid.crossfit.level_spread`).

    Returns
    -------
    ndarray, shape (n,)
        In bits, relative to the ages of those outside of the person's fold.
    """
    fit = _Fit(np.column_stack(list(f.values())), target, y, *group_ages(y), target_map, least=1, penalty=1.0)
    scores = target_map.transform(fit.ages.values)
    ratios = np.ones((3 if level is None else 4, len(y)))
    for own, people, found in fit.held_out(fold):
        ratios[1:3, own] = found
        if level is not None:
            parts = people.fitted.ages.parts
            ratio, mean = level_ratios(fit.stacked(own), target, own, level, scores, parts)
            ratios[3, own] = _with_own_age(ratio, mean, float((~own).sum()))
    told = np.empty(len(y))
    for k in np.unique(fold):
        own = fold == k
        told[own] = np.log2(_mixture(ratios[:, ~own]) @ ratios[:, own]) if (~own).sum() >= fewest_of_baseline() else 0.0
    return told


@dataclass(frozen=True)
class _Fit:
    """Stack and tilts of predictions (n, k) of a target, of any of the n people."""

    columns: FloatArray
    target: FloatArray
    y: FloatArray
    ages: AgeGroups
    member: IntArray
    target_map: NormalScores
    least: int
    penalty: float = 0.0

    def to(self, rows: BoolArray) -> tuple[FloatArray, TiltedAges]:
        """Fit to the marked rows."""
        weights = _stacked(self.columns[rows], self.target[rows], self.penalty)
        f = self.columns[rows] @ weights
        values = self.ages.values
        return weights, TiltedAges.fit(f, self.y[rows], self.member[rows], values, self.target_map, self.least)

    def stacked(self, own: BoolArray) -> FloatArray:
        """Stacked predictions (n,) of everybody, by the weights that are fitted without the marked rows."""
        return np.asarray(self.columns @ self.to(~own)[0])

    def held_out(self, fold: IntArray) -> Iterator[tuple[BoolArray, PersonalTilts, FloatArray]]:
        """Of each fold its rows, its people by what is fitted without them, and their ratios (2, m) at their ages."""
        g = self.target_map.transform(self.y)
        for k in np.unique(fold):
            own = fold == k
            weights, tilted = self.to(~own)
            people = tilted.of(self.columns[own] @ weights)
            yield own, people, _with_own_age(people.at_own(self.y[own], g[own]), 1.0, float((~own).sum()))


def _in_order(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Values (n,) up to which people with weights (n,) weigh 1 / n to n / n; with equal weights they are sorted."""
    order, n = np.argsort(values, kind="stable"), len(values)
    reached = np.cumsum(weights[order]) / weights.sum() * n
    place = np.searchsorted(reached, np.arange(1, n + 1) - 1e-9 * n)
    return np.asarray(values[order][np.minimum(place, n - 1)])


def _with_own_age(ratio: FloatArray, mean: ArrayLike, n: float) -> FloatArray:
    """Ratios relative to their mean over n ages and the person's own: none is larger than n + 1."""
    return np.asarray(ratio * (n + 1) / (n * np.asarray(mean) + ratio))


def _stacked(columns: FloatArray, g: FloatArray, penalty: float) -> FloatArray:
    """Non-negative weights (k,) of predictions (n, k) whose sum predicts a target g (n,) best, up to a constant.

    `penalty` times the sum of their squares is added to that of the errors.
    """
    n, k = columns.shape
    if k == 1 or n < 2:
        return np.ones(k)
    design, target = columns - columns.mean(axis=0), g - g.mean()
    if penalty:
        design, target = np.concatenate([design, np.sqrt(penalty) * np.eye(k)]), np.append(target, np.zeros(k))
    return non_negative_least_squares("weights of the predictions from fewer modalities", design, target, n, k)


def _mixture(ratios: FloatArray) -> FloatArray:
    """Weights (k,) under which held-out people with ratios (k, n) are likeliest, with one person more for each."""
    k, n = ratios.shape
    weights = np.full(k, 1 / k)
    for _ in range(_ROUNDS):
        joint = weights[:, None] * ratios
        found = ((joint / joint.sum(axis=0)).sum(axis=1) + 1) / (n + k)
        moved = np.abs(found - weights).max()
        weights = found
        if moved < _SETTLED:
            break
    weights[0] = max(weights[0], LEAST_AGE_DISTRIBUTION)
    return weights / weights.sum()


def _lower_tails(ages: AgeGroups, distributions: FloatArray) -> FloatArray:
    """Part (m,) of what an interval leaves out that lies below it.

    Where ages end, as the youngest of a study do, a distribution rises from its end: equal tails leave out those that
    are likeliest, and the shortest interval leaves out the far tail's people at too small a gain. Parts from 0 to 1
    are averaged, with weights that fall as the interval of each is longer than the shortest, by e at `_LONGER`.
    """
    parts = np.linspace(0.0, 1.0, 11)
    low = parts * (1 - _SHAPED_AT)
    ends = ages.quantiles(distributions, np.concatenate([low, low + _SHAPED_AT]))
    lengths = ends[:, len(parts) :] - ends[:, : len(parts)]
    shortest = np.maximum(lengths.min(axis=1, keepdims=True), np.finfo(float).tiny)
    weights = np.exp(-(lengths / shortest - 1) / _LONGER)
    return np.clip(weights @ parts / weights.sum(axis=1), 0.001, 0.999)
