r"""Predictive densities: what each reader's prediction says of a person's age, as a distribution.

A reader is a model of one subset A of the modalities. From its out-of-fold predictions of the training people a
density ``q_A(y | x)`` is fitted, relative to the age distribution p(y), and with it come

- the log score ``log2 q_A(y | x) - log2 p(y)`` of a person, whose mean is the information in the prediction, in bits;
- median and quantiles;
- intervals with a calibrated coverage.

In the scale of normal scores of the training ages, or of the target as it is:

1. A reader whose features tell nothing predicts the mean of those that it was trained on, so that its out-of-fold
   predictions fall with age. A prediction is taken minus that mean, in so far as it does not follow from the features.
2. The reader of A is the stack of the predictions from all subsets of A, with non-negative weights. A modality that
   tells nothing costs an eighth of what it does otherwise.
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

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.modalities import Subset
from brainpid.crossfit.age_groups import AgeGroups, group_ages
from brainpid.crossfit.reader_density import ReaderDensity
from brainpid.crossfit.reading_scale import centred, scaled
from brainpid.crossfit.tilt import TiltedAges
from brainpid.crossfit.transforms import NormalScores

MOST_PEOPLE = 8000
"""Training people that densities are fitted to at most: of more, each so-manieth in the order of age is taken."""
_AT_ONCE = 4000  # people, whose distributions are held in memory together


@dataclass(frozen=True)
class PredictiveDensities:
    """Densities of every reader of a model.

    Attributes
    ----------
    target_map : NormalScores
        Of the training people.
    scale : NormalScores
        That of the predictions: normal scores, or the target as it is, centred and scaled; by which one the densities
        from all modalities fit held-out people better. A prediction of a mean age among two groups of ages is at no
        place in normal scores, and one of a mean normal score at no place in years.
    readers : dict of Subset to ReaderDensity
        By the modalities in the order of their names.
    reference : AgeGroups
        Ages of the training people with every prediction, against which log scores are told.
    """

    target_map: NormalScores
    scale: NormalScores
    readers: dict[Subset, ReaderDensity]
    reference: AgeGroups

    @classmethod
    def fit(
        cls,
        predictions: Mapping[Subset, ArrayLike],
        y: ArrayLike,
        fold: ArrayLike,
        least: int = 1,
        site: IntArray | None = None,
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
        site : ndarray of int, shape (n,), optional
            Number of each person's site, where folds leave whole sites out (`brainpid.crossfit.site_folds`).

        Raises
        ------
        InputError
            Where the arrays do not fit together, a target or a prediction is infinite, or all targets are equal.
        NumericalError
            Where weights or tilts do not converge.
        """
        known, ages, member = _checked(predictions), np.asarray(y, dtype=float), np.asarray(fold)
        n = len(next(iter(known.values())))
        if ages.shape != (n,) or member.shape != (n,):
            raise InputError(
                f"predictive densities: predictions of {n} people, targets of shape {ages.shape}, folds of shape "
                f"{member.shape}; expected ({n},) of both"
            )
        if bad := int((~np.isfinite(ages)).sum()):
            raise InputError(f"predictive densities: {bad} of n = {n} targets are not finite")
        return cls._fit(known, ages, member, least, site)

    @classmethod
    def _fit(
        cls, known: dict[Subset, FloatArray], y: FloatArray, fold: IntArray, least: int, site: IntArray | None
    ) -> PredictiveDensities:
        target_map = NormalScores.fit(y, least)
        if len(y) > MOST_PEOPLE:
            taken = np.lexsort((*known.values(), y))[:: -(-len(y) // MOST_PEOPLE)]
            known, y, fold = {a: values[taken] for a, values in known.items()}, y[taken], fold[taken]
            site = None if site is None else site[taken]
        fits = [
            (scale, {a: centred(scaled(v, scale, target_map), y, fold, scale, target_map) for a, v in known.items()})
            for scale in (target_map, NormalScores.straight(y))
        ]
        last = [_reader(f, [*f][-1], y, fold, scale, target_map, least, site) for scale, f in fits]
        best = max((0, 1), key=lambda k: last[k].held_out_bits)
        scale, f = fits[best]
        readers = {a: _reader(f, a, y, fold, scale, target_map, least, site) for a in [*f][:-1]} | {
            [*f][-1]: last[best]
        }
        complete = np.isfinite(np.column_stack(list(f.values()))).all(axis=1)
        return cls(target_map, scale, readers, group_ages(y[complete] if complete.any() else y, least)[0])

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
        own = np.asarray(y, dtype=float)
        ages = self.reference if reference is None else _reference(reference)
        scores = self.target_map.transform(ages.values)

        def scored(reader: ReaderDensity, f: FloatArray, y: FloatArray) -> FloatArray:
            return reader.log_scores(f, y, self.target_map.transform(y), ages, scores)[:, None]

        return {subset: self._by_person(predictions, subset, scored, 1, own)[:, 0] for subset in predictions}

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
        asked = np.asarray(levels, dtype=float)
        return self._by_person(predictions, subset, lambda reader, f, _: reader.quantiles(f, asked), len(asked))

    def interval(self, predictions: Mapping[Subset, ArrayLike], subset: Subset, coverage: float) -> FloatArray:
        """Intervals with a calibrated coverage, shape (m, 2), in the target's units; parameters as of `quantiles`.

        Raises
        ------
        InputError
            Where too few training people have the modalities: ``n >= coverage / (1 - coverage)`` are needed.
        """
        return self._by_person(predictions, subset, lambda reader, f, _: reader.interval(f, coverage), 2)

    def expected_gain(
        self, predictions: Mapping[Subset, ArrayLike], subset: Subset, more: Subset, coverage: float
    ) -> FloatArray:
        """By how much intervals (m,) of `interval` narrow where the reader of `more` gives the same prediction."""

        def narrower(reader: ReaderDensity, f: FloatArray, _: FloatArray) -> FloatArray:
            widths = [np.diff(by.interval(f, coverage)) for by in (reader, self.readers[_key(more)])]
            return widths[0] - widths[1]

        return self._by_person(predictions, subset, narrower, 1)[:, 0]

    def _by_person(
        self,
        predictions: Mapping[Subset, ArrayLike],
        subset: Subset,
        found: Callable[[ReaderDensity, FloatArray, FloatArray], FloatArray],
        width: int,
        y: FloatArray | None = None,
    ) -> FloatArray:
        """Rows (m, width) of what a reader tells of everybody who has its modalities, NaN of the others."""
        f = self._stacked(predictions, subset)
        y = np.zeros(len(f)) if y is None else y
        if y.shape != f.shape:
            raise InputError(f"predictive densities: {len(f)} predictions, targets of shape {y.shape}")
        there = np.flatnonzero(np.isfinite(f) & np.isfinite(y))
        values = np.full((len(f), width), np.nan)
        for start in range(0, len(there), _AT_ONCE):
            rows = there[start : start + _AT_ONCE]
            values[rows] = found(self.readers[_key(subset)], f[rows], y[rows])
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
                float(reader["held_out_bits"]),
            )
            for subset, reader in state["readers"].items()
        }
        target_map, scale = (NormalScores(**state[name]) for name in ("target_map", "scale"))
        return cls(target_map, scale, readers, AgeGroups(**state["reference"]))

    def _stacked(self, predictions: Mapping[Subset, ArrayLike], subset: Subset) -> FloatArray:
        """Stacked prediction (m,) of a reader, in the scale of predictions; NaN where one of its predictions is."""
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
        return np.asarray(sum(w * scaled(known[a], self.scale, self.target_map) for a, w in stack.items()))

    @property
    def _names(self) -> str:
        return list_some("+".join(a) for a in self.readers)


def _reference(ages: ArrayLike) -> AgeGroups:
    found = np.asarray(ages, dtype=float)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise InputError(
            f"predictive densities: reference ages of shape {found.shape}; expected one or more finite ages"
        )
    return group_ages(found)[0]


def _key(subset: Subset) -> Subset:
    return tuple(sorted(subset))


def _checked(predictions: Mapping[Subset, ArrayLike]) -> dict[Subset, FloatArray]:
    """Predictions under the sorted names of their modalities, few modalities first."""
    known = {_key(subset): np.asarray(values, dtype=float) for subset, values in predictions.items()}
    if not known:
        raise InputError("predictive densities: no predictions were given")
    shape = (len(next(iter(known.values()))),)
    for subset, values in known.items():
        if values.shape != shape:
            raise InputError(
                f"predictive densities: predictions from {'+'.join(subset)} have shape {values.shape}; expected {shape}"
            )
        if bad := int(np.isinf(values).sum()):
            raise InputError(f"predictive densities: {bad} predictions from {'+'.join(subset)} are infinite")
    return {subset: known[subset] for subset in sorted(known, key=lambda a: (len(a), a))}


def _reader(
    f: Mapping[Subset, FloatArray],
    subset: Subset,
    y: FloatArray,
    fold: IntArray,
    scale: NormalScores,
    target_map: NormalScores,
    least: int,
    site: IntArray | None,
) -> ReaderDensity:
    """Density of one reader, from its people's predictions from every part of it."""
    parts = {a: values for a, values in f.items() if set(a) <= set(subset)}
    rows = np.isfinite(np.column_stack(list(parts.values()))).all(axis=1)
    if rows.sum() < 2 or np.ptp(y[rows]) == 0:
        return ReaderDensity.of_ages(y, target_map, subset, least)
    own = {a: values[rows] for a, values in parts.items()}
    own_site = None if site is None else site[rows]
    return ReaderDensity.fit(own, scale.transform(y[rows]), y[rows], fold[rows], target_map, least, own_site)
