"""A fitted PIDReg as one value: what reads people, weighs the readings, and says how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from brainpid.core.arrays import BoolArray, FloatArray, IntArray, Modalities
from brainpid.core.modalities import Subset, lacking, subsets_of
from brainpid.crossfit.transforms import NormalScores, Standardizer
from brainpid.model.conformal import AdaptiveConformal
from brainpid.model.inputs import Layout
from brainpid.model.pidreg.base_learners import BaseLearner, base_learner_from_state
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.stacking import Stack
from brainpid.model.pidreg.state import to_arrays, to_tensors


@dataclass(frozen=True)
class OutOfFold:
    """What experts and weights that had not seen them say of training people.

    Attributes
    ----------
    prediction : ndarray, shape (n,)
        From the modalities that each person has, in the target's units.
    latents : dict of str to ndarray, shape (n,)
        Scalar latents as normal scores; NaN where the modality is missing.
    """

    prediction: FloatArray
    latents: dict[str, FloatArray]


@dataclass(frozen=True)
class FittedModel:
    """Everything that a prediction needs.

    Attributes
    ----------
    layout : Layout
        Modalities and features that were fitted on.
    standardizers : dict of str to Standardizer
        By modality, in sorted order, which is that of all arrays (n, M).
    score_map : NormalScores
        Between the target and its normal scores, the scale of the scalar latents; the experts' own scale is another
        one where they take the target as it is.
    experts : dict of str to BaseLearner
    combination : Stack
    intervals : dict of tuple of str to AdaptiveConformal
        By the modalities that a prediction is made from.
    """

    layout: Layout
    standardizers: dict[str, Standardizer]
    score_map: NormalScores
    experts: dict[str, BaseLearner]
    combination: Stack
    intervals: dict[Subset, AdaptiveConformal]

    @classmethod
    def calibrate(
        cls,
        layout: Layout,
        standardizers: dict[str, Standardizer],
        target_map: NormalScores,
        experts: dict[str, BaseLearner],
        readings: Sequence[BasePredictions],
        target: FloatArray,
        fold: IntArray,
    ) -> tuple[Self, OutOfFold]:
        """Weigh the experts and calibrate intervals by out-of-fold predictions of training people.

        Intervals rest on predictions by weights that were fitted without a person's own fold.

        Parameters
        ----------
        layout, standardizers, experts
            As above.
        target_map : NormalScores
            Between the target and what the experts read.
        readings : sequence of BasePredictions
            Of each expert, of training people whom it had not seen.
        target : ndarray, shape (n,)
            In its units.
        fold : ndarray of int, shape (n,)
            Inner fold of each person.
        """
        patterns = {subset: _pattern(subset, standardizers) for subset in subsets_of(layout.modalities)}
        predicted, left_out = np.empty(len(target)), {subset: np.empty(len(target)) for subset in patterns}
        latents = np.empty((len(target), len(standardizers)))
        for k in np.unique(fold):
            own = fold == k
            without = Stack.fit([r.of(~own) for r in readings], target[~own], target_map)
            rest = [r.of(own) for r in readings]
            predicted[own], latents[own] = without.predict(rest), without.latents(rest)
            for subset, pattern in patterns.items():
                left_out[subset][own] = without.predict_from(rest, pattern)
        intervals = {}
        for subset, prediction in left_out.items():
            known = np.isfinite(prediction)
            intervals[subset] = AdaptiveConformal.fit(prediction[known], target[known])
        combination = Stack.fit(readings, target, target_map)
        found = cls(layout, standardizers, NormalScores.fit(target), experts, combination, intervals)
        return found, OutOfFold(predicted, found._by_modality(latents))

    def read(self, X: Modalities) -> list[BasePredictions]:
        """Predictions of people by all experts."""
        blocks = standardise(self.layout.check(X), self.standardizers)
        return [expert.read(blocks) for expert in self.experts.values()]

    def predict(self, readings: Sequence[BasePredictions]) -> FloatArray:
        """Predictions (n,) in the target's units, from the modalities that each person has."""
        return self.combination.predict(readings)

    def predict_from(self, readings: Sequence[BasePredictions], subset: Subset) -> FloatArray:
        """Predictions (n,) in the target's units from a subset of the modalities."""
        return self.combination.predict_from(readings, _pattern(subset, self.standardizers))

    def interval(self, readings: Sequence[BasePredictions], coverage: float) -> FloatArray:
        """Intervals (n, 2) in the target's units, calibrated for the modalities that each person has."""
        predicted = self.predict(readings)
        half = np.full(len(predicted), np.nan)
        for subset, own in self._people_by_subset(readings):
            half[own] = self.intervals[subset].half_width(predicted[own], coverage)
        return np.column_stack([predicted - half, predicted + half])

    def expected_gain(self, readings: Sequence[BasePredictions], coverage: float) -> dict[str, FloatArray]:
        """By how much each missing modality would narrow a person's interval: modality to (n,)."""
        predicted = self.predict(readings)
        gain = {m: np.full(len(predicted), np.nan) for m in self.layout.modalities}
        for subset, own in self._people_by_subset(readings):
            now = self.intervals[subset].half_width(predicted[own], coverage)
            for added in set(self.layout.modalities) - set(subset):
                more = tuple(m for m in self.layout.modalities if m == added or m in subset)
                gain[added][own] = 2 * (now - self.intervals[more].half_width(predicted[own], coverage))
        return gain

    def latents(self, readings: Sequence[BasePredictions]) -> dict[str, FloatArray]:
        """Scalar latents by modality as normal scores, (n,) each; NaN for people who lack the modality."""
        return self._by_modality(self.combination.latents(readings))

    def _by_modality(self, latents: FloatArray) -> dict[str, FloatArray]:
        """Latents (n, M) on the experts' scale as normal scores by modality, (n,) each."""
        in_units = self.combination.target_map.inverse_transform(latents)
        columns = dict(zip(self.standardizers, self.score_map.transform(in_units).T, strict=True))
        return {m: columns[m].copy() for m in self.layout.modalities}

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers, which `torch.load` accepts from any source."""
        plain = {
            "layout": asdict(self.layout),
            "standardizers": {m: asdict(fitted) for m, fitted in self.standardizers.items()},
            "score_map": asdict(self.score_map),
            "combination": asdict(self.combination),
            "intervals": {subset: asdict(fitted) for subset, fitted in self.intervals.items()},
        }
        return dict(to_tensors(plain)) | {"experts": {name: expert.state() for name, expert in self.experts.items()}}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        plain = to_arrays({name: held for name, held in state.items() if name != "experts"})
        target_map = NormalScores(**plain["combination"]["target_map"])
        return cls(
            layout=Layout(**plain["layout"]),
            standardizers={m: Standardizer(**held) for m, held in plain["standardizers"].items()},
            score_map=NormalScores(**plain["score_map"]),
            experts={name: base_learner_from_state(name, held) for name, held in state["experts"].items()},
            combination=Stack(**plain["combination"] | {"target_map": target_map}),
            intervals={subset: AdaptiveConformal(**held) for subset, held in plain["intervals"].items()},
        )

    def _people_by_subset(self, readings: Sequence[BasePredictions]) -> list[tuple[Subset, BoolArray]]:
        """Who has exactly which modalities; people without any are in no subset."""
        present = ~np.isnan(readings[0].alone)
        subsets = subsets_of(self.layout.modalities)
        found = (
            (subset, np.asarray((present == _pattern(subset, self.standardizers)).all(axis=1))) for subset in subsets
        )
        return [(subset, own) for subset, own in found if own.any()]


def _pattern(subset: Subset, modalities: Iterable[str]) -> BoolArray:
    """Which of the modalities a subset has, (M,)."""
    return np.array([m in subset for m in modalities])


def standardise(features: Mapping[str, FloatArray], standardizers: Mapping[str, Standardizer]) -> dict[str, FloatArray]:
    """Standardised blocks (n, p_m) in the order of the standardizers; a row of NaN stays one."""
    return {
        m: np.where(lacking(features[m])[:, None], np.nan, fitted.transform(features[m]))
        for m, fitted in standardizers.items()
    }
