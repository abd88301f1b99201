r"""Predictive densities: what each reader's prediction says of a person's age, as a distribution.

A reader is a model of one subset A of the modalities. From its out-of-fold predictions of the training people a
density ``q_A(y | x)`` is fitted, relative to the age distribution p(y), and with it come

- the log score ``log2 q_A(y | x) - log2 p(y)`` of a person, whose mean is the information in the prediction, in bits;
- median and quantiles;
- intervals with a calibrated coverage.

In the scale of normal scores of the training ages:

1. A reader whose features tell nothing predicts the mean of those that it was trained on, so that its out-of-fold
   predictions fall with age. A prediction is taken minus that mean, in so far as it does not follow from the features.
2. The reader of A is the stack of the predictions from all subsets of A, with non-negative weights. A modality that
   tells nothing costs a seventh of what it does otherwise.
3. Two tilts of the age distribution follow from the stacked prediction (`brainpid.crossfit.tilt`), and are mixed with
   the age distribution itself, with the weights that fit held-out training people best.

References
----------
Wolpert 1992, Neural Networks 5:241; Breiman 1996, Machine Learning 24:49 (stacking). Chernozhukov, Wuthrich & Zhu 2021,
PNAS 118:e2107794118 (distributional conformal prediction).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError, NumericalError, list_some
from brainpid.core.linalg import condition_number
from brainpid.core.modalities import Subset
from brainpid.crossfit.age_groups import AgeGroups, group_ages
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.minima import INNER_FOLDS, fewest_of_baseline, fewest_of_interval
from brainpid.crossfit.tilt import TiltedAges
from brainpid.crossfit.transforms import NormalScores

MOST_PEOPLE = 8000
"""Training people that densities are fitted to at most: of more, each so-manieth in the order of age is taken."""
LEAST_AGE_DISTRIBUTION = 0.002
"""Weight of the age distribution in every mixture, at least: no person's score is minus infinity."""
_SHAPED_AT = 0.9  # probability of the intervals whose lengths are compared
_LONGER = 0.2  # a fifth: all decades of age are covered by 75% and more, at the interval score of equal tails
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
        Probability of the interval that just holds the age of each held-out training person, ascending.
    """

    stack: dict[Subset, float]
    tilted: TiltedAges
    mixture: FloatArray
    needed: FloatArray

    @classmethod
    def fit(
        cls, f: Mapping[Subset, FloatArray], y: FloatArray, fold: IntArray, target_map: NormalScores, least: int
    ) -> ReaderDensity:
        """Fit to held-out predictions (n,) from each subset, in normal scores and centred."""
        columns = np.column_stack(list(f.values()))
        ages, member = group_ages(y, least)
        g, n = target_map.transform(y), len(y)

        def fitted(rows: BoolArray) -> tuple[FloatArray, TiltedAges]:
            weights = _stacked(columns[rows], g[rows])
            tilted = TiltedAges.fit(columns[rows] @ weights, y[rows], member[rows], ages.values, target_map, least)
            return weights, tilted

        ratios = np.ones((3, n))
        held_out = np.empty((3, n, len(ages.values)))
        for k in np.unique(fold):
            own = fold == k
            weights, tilted = fitted(~own)
            people = tilted.of(columns[own] @ weights)
            ratios[1:, own] = _with_own_age(people.at_own(y[own], g[own]), 1.0, float(n - own.sum()))
            held_out[:, own] = people.weights()
        mixture = _mixture(ratios)
        distributions = np.tensordot(mixture, held_out, axes=1)
        below, lower = ages.below(distributions, y), _lower_tails(ages, distributions)
        needed = 1 - np.minimum(below / lower, (1 - below) / (1 - lower))
        weights, tilted = fitted(np.ones(n, dtype=bool))
        return cls(dict(zip(f, weights.tolist(), strict=True)), tilted, mixture, np.sort(needed))

    @classmethod
    def of_ages(cls, y: FloatArray, target_map: NormalScores, subset: Subset, least: int) -> ReaderDensity:
        """Density of a reader of whom too few people are known: the age distribution, and no calibration."""
        ages, member = group_ages(y, least)
        tilted = TiltedAges.fit(np.zeros(len(y)), y, member, ages.values, target_map, least)
        return cls({subset: 1.0}, tilted, np.array([1.0, 0.0, 0.0]), np.empty(0))

    def weights(self, f: FloatArray) -> FloatArray:
        """Densities of people with stacked predictions f (m,), as weights (m, G) on the groups of ages."""
        return np.asarray(np.tensordot(self.mixture, self.tilted.of(f).weights(), axes=1))

    def interval(self, f: FloatArray, coverage: float) -> FloatArray:
        """Intervals (m, 2) of people with stacked predictions f (m,), in the target's units."""
        rank = int(np.ceil((len(self.needed) + 1) * coverage - 1e-9))
        if rank > len(self.needed):
            raise InputError(
                f"an interval with coverage {coverage:g} needs at least {fewest_of_interval(coverage)} training people, "
                f"found {len(self.needed)}"
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
        return np.log2(_with_own_age(own, mean, reference.counts.sum()))


def _with_own_age(ratio: FloatArray, mean: FloatArray | float, n: float) -> FloatArray:
    """Ratios relative to their mean over n ages and the person's own: none is larger than n + 1."""
    return ratio * (n + 1) / (n * mean + ratio)


def _stacked(columns: FloatArray, g: FloatArray) -> FloatArray:
    """Non-negative weights (k,) of predictions (n, k) whose sum predicts g (n,) best, up to a constant."""
    if columns.shape[1] == 1 or len(g) < 2:
        return np.ones(columns.shape[1])
    design = columns - columns.mean(axis=0)
    try:
        weights, _ = nnls(design, g - g.mean())
    except RuntimeError as fault:
        n, d = design.shape
        raise NumericalError(
            f"weights of the predictions from fewer modalities: n = {n}, d = {d}, condition number "
            f"{condition_number(design):.3g}: {fault}"
        ) from fault
    return np.asarray(weights)


def _mixture(ratios: FloatArray) -> FloatArray:
    """Weights (3,) under which held-out people with ratios (3, n) are likeliest, with one person more for each."""
    n = ratios.shape[1]
    weights = np.full(3, 1 / 3)
    for _ in range(_ROUNDS):
        joint = weights[:, None] * ratios
        found = ((joint / joint.sum(axis=0)).sum(axis=1) + 1) / (n + 3)
        moved = np.abs(found - weights).max()
        weights = found
        if moved < _SETTLED:
            break
    weights[0] = max(weights[0], LEAST_AGE_DISTRIBUTION)
    return weights / weights.sum()


@dataclass(frozen=True)
class PredictiveDensities:
    """Densities of every reader of a model.

    Attributes
    ----------
    target_map : NormalScores
        Of the training people.
    readers : dict of Subset to ReaderDensity
        By the modalities in the order of their names.
    reference : AgeGroups
        Ages of the training people with every prediction, against which log scores are told.
    """

    target_map: NormalScores
    readers: dict[Subset, ReaderDensity]
    reference: AgeGroups

    @classmethod
    def fit(
        cls, predictions: Mapping[Subset, ArrayLike], y: ArrayLike, fold: ArrayLike, least: int = 1
    ) -> PredictiveDensities:
        """Fit to out-of-fold predictions of training people.

        Parameters
        ----------
        predictions : mapping of Subset to array_like, shape (n,)
            Prediction of each person from each subset of the modalities by a model that was fitted without the
            person's fold, in the target's units; NaN for people who lack one of its modalities.
        y : array_like, shape (n,)
            Target, in its units.
        fold : array_like of int, shape (n,)
            Inner fold of each person. Where all are of one, the densities are fitted by five folds of their own.
        least : int
            People behind each value that is kept, at least; 1 where the model is not to be passed on.

        Raises
        ------
        InputError
            Where the arrays do not fit together, a target or a prediction is infinite, or all targets are equal.
        NumericalError
            Where weights or tilts do not converge.
        """
        known = _checked(predictions)
        y = np.asarray(y, dtype=float)
        fold = np.asarray(fold)
        n = len(y)
        for name, values in {"y": y, "fold": fold, **{"+".join(a): v for a, v in known.items()}}.items():
            if values.shape != (n,):
                raise InputError(f"predictive densities: {name} has shape {values.shape}; expected ({n},)")
        if bad := int((~np.isfinite(y)).sum()):
            raise InputError(f"predictive densities: {bad} of n = {n} targets are not finite")
        target_map = NormalScores.fit(y, least)
        if len(np.unique(fold)) < 2:
            fold = stratified_folds(y, INNER_FOLDS, np.random.default_rng(0))
        if n > MOST_PEOPLE:
            taken = np.lexsort((*known.values(), y))[:: -(-n // MOST_PEOPLE)]
            known, y, fold = {a: values[taken] for a, values in known.items()}, y[taken], fold[taken]
        f = {a: _centred(target_map.transform(v), target_map.transform(y), fold) for a, v in known.items()}
        readers = {}
        for subset in f:
            parts = {a: values for a, values in f.items() if set(a) <= set(subset)}
            rows = np.isfinite(np.column_stack(list(parts.values()))).all(axis=1)
            if rows.sum() < fewest_of_baseline() or np.ptp(y[rows]) == 0:
                readers[subset] = ReaderDensity.of_ages(y, target_map, subset, least)
            else:
                own = {a: values[rows] for a, values in parts.items()}
                readers[subset] = ReaderDensity.fit(own, y[rows], fold[rows], target_map, least)
        complete = np.isfinite(np.column_stack(list(f.values()))).all(axis=1)
        return cls(target_map, readers, group_ages(y[complete] if complete.any() else y, least)[0])

    def log_scores(
        self, predictions: Mapping[Subset, ArrayLike], y: ArrayLike, reference: ArrayLike | None = None
    ) -> dict[Subset, FloatArray]:
        """Log scores ``log2 q_A(y | x) - log2 p(y)`` of people that the model was not fitted on.

        Parameters
        ----------
        predictions : mapping of Subset to array_like, shape (m,)
            From every subset that was fitted, in the target's units; NaN where a person lacks one of its modalities.
        y : array_like, shape (m,)
            Target, in its units.
        reference : array_like, shape (k,), optional
            Ages that p is the distribution of; without them those of the training people with every modality. With
            the ages of one cohort's people the score tells the information given the cohort. A person's own age
            counts among them, so that no score is larger than ``log2(k + 1)``.

        Returns
        -------
        dict of Subset to ndarray, shape (m,)
            In bits, under the keys of `predictions`; NaN where a person lacks a modality of the subset. A person's
            score may be negative, and the mean of a reader that is worse than the age distribution is.

        Raises
        ------
        InputError
            Where subsets were not fitted or are lacking, or the arrays do not fit together.
        """
        y = np.asarray(y, dtype=float)
        ages = self.reference if reference is None else group_ages(reference)[0]
        found = {}
        for subset in predictions:
            f = self._stacked(predictions, subset)
            if f.shape != y.shape:
                raise InputError(
                    f"predictive densities: {len(f)} predictions from {'+'.join(subset)}, {len(y)} targets"
                )
            there = np.isfinite(f)
            scores = np.full(len(f), np.nan)
            scores[there] = self.readers[_key(subset)].log_scores(
                f[there], y[there], self.target_map.transform(y[there]), ages, self.target_map.transform(ages.values)
            )
            found[subset] = scores
        return found

    def quantiles(
        self, predictions: Mapping[Subset, ArrayLike], subset: Subset, levels: Sequence[float] | FloatArray
    ) -> FloatArray:
        """Quantiles of people's densities.

        Parameters
        ----------
        predictions : mapping of Subset to array_like, shape (m,)
            From the subset and from every part of it that was fitted, in the target's units.
        subset : Subset
            The reader.
        levels : sequence of float, length L
            From 0 to 1; .5 is the median.

        Returns
        -------
        ndarray, shape (m, L)
            In the target's units; NaN where a person lacks a modality of the subset.
        """
        levels = np.asarray(levels, dtype=float)
        return self._by_person(
            predictions, subset, lambda reader, f: reader.tilted.ages.quantiles(reader.weights(f), levels), len(levels)
        )

    def interval(self, predictions: Mapping[Subset, ArrayLike], subset: Subset, coverage: float) -> FloatArray:
        """Intervals with a calibrated coverage, shape (m, 2), in the target's units; parameters as of `quantiles`.

        Raises
        ------
        InputError
            Where too few training people have the modalities: ``n >= coverage / (1 - coverage)`` are needed.
        """
        return self._by_person(predictions, subset, lambda reader, f: reader.interval(f, coverage), 2)

    def expected_gain(
        self, predictions: Mapping[Subset, ArrayLike], subset: Subset, more: Subset, coverage: float
    ) -> FloatArray:
        """By how much intervals (m,) of `interval` narrow where the reader of `more` gives the same prediction."""

        def narrower(reader: ReaderDensity, f: FloatArray) -> FloatArray:
            widths = [np.diff(by.interval(f, coverage)) for by in (reader, self.readers[_key(more)])]
            return widths[0] - widths[1]

        return self._by_person(predictions, subset, narrower, 1)[:, 0]

    def _by_person(
        self,
        predictions: Mapping[Subset, ArrayLike],
        subset: Subset,
        found: Callable[[ReaderDensity, FloatArray], FloatArray],
        width: int,
    ) -> FloatArray:
        f = self._stacked(predictions, subset)
        there = np.isfinite(f)
        values = np.full((len(f), width), np.nan)
        values[there] = found(self.readers[_key(subset)], f[there])
        return values

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> PredictiveDensities:
        """Rebuild what `dataclasses.asdict` took apart."""
        readers = {
            tuple(subset): ReaderDensity(
                {tuple(a): float(w) for a, w in reader["stack"].items()},
                TiltedAges(**reader["tilted"] | {"ages": AgeGroups(**reader["tilted"]["ages"])}),
                reader["mixture"],
                reader["needed"],
            )
            for subset, reader in state["readers"].items()
        }
        return cls(NormalScores(**state["target_map"]), readers, AgeGroups(**state["reference"]))

    def _stacked(self, predictions: Mapping[Subset, ArrayLike], subset: Subset) -> FloatArray:
        """Stacked prediction (m,) of a reader, in normal scores; NaN where one of its predictions is."""
        known = _checked(predictions)
        key = _key(subset)
        if key not in self.readers:
            raise InputError(f"predictive densities: no reader of {'+'.join(subset)} was fitted; fitted: {self._names}")
        stack = self.readers[key].stack
        if lacking := [a for a in stack if a not in known]:
            raise InputError(
                f"predictive densities: the reader of {'+'.join(subset)} needs the predictions from "
                f"{list_some('+'.join(a) for a in lacking)} too; found {list_some('+'.join(a) for a in known)}"
            )
        return np.asarray(sum(w * self.target_map.transform(known[a]) for a, w in stack.items()))

    @property
    def _names(self) -> str:
        return list_some("+".join(a) for a in self.readers)


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
    return np.asarray(weights @ parts / weights.sum(axis=1))


def _key(subset: Subset) -> Subset:
    return tuple(sorted(subset))


def _checked(predictions: Mapping[Subset, ArrayLike]) -> dict[Subset, FloatArray]:
    """Predictions under the sorted names of their modalities, few modalities first."""
    known = {_key(subset): np.asarray(values, dtype=float) for subset, values in predictions.items()}
    for subset, values in known.items():
        if bad := int(np.isinf(values).sum()):
            raise InputError(f"predictive densities: {bad} predictions from {'+'.join(subset)} are infinite")
    return {subset: known[subset] for subset in sorted(known, key=lambda a: (len(a), a))}


def _centred(f: FloatArray, g: FloatArray, fold: IntArray) -> FloatArray:
    """Held-out predictions without what they have from the mean of the people that they were trained on.

    A prediction that the features explain the part R^2 of has ``1 - R^2`` of the mean in it: the features' own means
    make up for the rest.
    """
    there = np.isfinite(f)
    if there.sum() < 2 or np.ptp(f[there]) == 0:
        return f
    explained = max(0.0, np.corrcoef(f[there], g[there])[0, 1]) ** 2
    found = f.copy()
    for k in np.unique(fold[there]):
        trained_on = there & (fold != k)
        if trained_on.any():
            found[fold == k] -= (1 - explained) * (g[trained_on].mean() - g[there].mean())
    return found
