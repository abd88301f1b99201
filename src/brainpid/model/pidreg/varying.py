"""People as a fitted PIDReg reads them while some features of a modality vary: base learners, and the stack on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.crossfit.transforms import Standardizer
from brainpid.model.pidreg.base_learners import BaseLearner
from brainpid.model.pidreg.base_predictions import BasePredictions, VaryingPredictions, subset_patterns
from brainpid.model.varying import Additive, total

_STEP = 0.1  # of a score, up and down, over which the slope of the stack is taken: beyond the kinks of the target's map


@dataclass(frozen=True)
class VaryingPeople:
    """The same people, with some columns of one modality replaced; see `brainpid.model.varying.Varying`.

    A base learner by which no prediction moves is read once.

    Attributes
    ----------
    stack : callable
        From the predictions of all base learners to predictions in the target's units.
    learners : sequence of BaseLearner
    standardizer : Standardizer
        Of the modality.
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised.
    modality : str
    """

    stack: Callable[[Sequence[BasePredictions]], FloatArray]
    learners: Sequence[BaseLearner]
    standardizer: Standardizer
    blocks: Mapping[str, FloatArray]
    modality: str
    exact: bool = False

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n) in the target's units."""
        scaled = self._scaled(columns, values)
        return self.stack([learner(columns, scaled) for learner in self._varying]).reshape(values.shape[:2])

    def each(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Changes (k, n, c) in the target's units, along the slopes of base learners and stack and by trees' steps."""
        before = self.blocks[self.modality][:, columns]
        return self._additive.changes(columns, before, self._scaled(columns, values))

    @cached_property
    def _read(self) -> list[BasePredictions]:
        return [learner.read(self.blocks) for learner in self.learners]

    @cached_property
    def _slopes(self) -> list[dict[int, FloatArray]]:
        """Slopes (n,) of the predictions by each base learner's scores from the subsets that have the modality."""
        patterns = subset_patterns(len(self.blocks))
        varying = np.flatnonzero(patterns[:, list(self.blocks).index(self.modality)])
        slopes = []
        for e, now in enumerate(self._read):

            def told(moved: BasePredictions, e: int = e) -> FloatArray:
                return self.stack([*self._read[:e], moved, *self._read[e + 1 :]])

            found = {r: (told(now.moved(r, _STEP)) - told(now.moved(r, -_STEP))) / (2 * _STEP) for r in varying}
            slopes.append({r: slope for r, slope in found.items() if slope.any()})
        return slopes

    @cached_property
    def _varying(self) -> list[VaryingPredictions]:
        return [
            learner.vary(self.blocks, self.modality) if slopes else _still(now)
            for learner, slopes, now in zip(self.learners, self._slopes, self._read, strict=True)
        ]

    @cached_property
    def _additive(self) -> Additive:
        parts = [Additive.nothing(*self.blocks[self.modality].shape)]
        for learner, slopes in zip(self.learners, self._slopes, strict=True):
            if slopes:
                own = learner.additive(self.blocks, self.modality)
                parts += [own[r].times(slope) for r, slope in slopes.items()]
        return total(parts)

    def _scaled(self, columns: IntArray, values: FloatArray) -> FloatArray:
        flat = values.reshape(-1, len(columns))
        return self.standardizer.of(columns).transform(flat).reshape(values.shape)


def _still(now: BasePredictions) -> VaryingPredictions:
    """People whose predictions stay as they are."""

    def unchanged(columns: IntArray, values: FloatArray) -> BasePredictions:
        return BasePredictions(np.tile(now.scores, (len(values), 1)))

    return unchanged
