"""People as a fitted PIDReg reads them while some features of a modality vary: base learners, and the stack on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.crossfit.transforms import Standardizer
from brainpid.model.pidreg.base_learners import BaseLearner
from brainpid.model.pidreg.base_predictions import BasePredictions, VaryingPredictions
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
    def _slopes(self) -> list[tuple[FloatArray, FloatArray]]:
        """Slopes (n,) of the predictions by each base learner's score from all modalities, and from this one alone."""
        place, slopes = list(self.blocks).index(self.modality), []
        for e, now in enumerate(self._read):
            alone = np.zeros(now.alone.shape)
            alone[:, place] = _STEP

            def slope(up: BasePredictions, down: BasePredictions, e: int = e) -> FloatArray:
                told = [self.stack([*self._read[:e], moved, *self._read[e + 1 :]]) for moved in (up, down)]
                return np.asarray((told[0] - told[1]) / (2 * _STEP))

            slopes.append(
                (
                    slope(replace(now, together=now.together + _STEP), replace(now, together=now.together - _STEP)),
                    slope(replace(now, alone=now.alone + alone), replace(now, alone=now.alone - alone)),
                )
            )
        return slopes

    @cached_property
    def _moves(self) -> list[bool]:
        return [bool(together.any() or alone.any()) for together, alone in self._slopes]

    @cached_property
    def _varying(self) -> list[VaryingPredictions]:
        return [
            learner.vary(self.blocks, self.modality) if moves else _still(now)
            for learner, moves, now in zip(self.learners, self._moves, self._read, strict=True)
        ]

    @cached_property
    def _additive(self) -> Additive:
        parts = [Additive.nothing(*self.blocks[self.modality].shape)]
        for learner, moves, (together, alone) in zip(self.learners, self._moves, self._slopes, strict=True):
            if moves:
                own = learner.additive(self.blocks, self.modality)
                parts += [own.together.times(together), own.alone.times(alone)]
        return total(parts)

    def _scaled(self, columns: IntArray, values: FloatArray) -> FloatArray:
        flat = values.reshape(-1, len(columns))
        return self.standardizer.of(columns).transform(flat).reshape(values.shape)


def _still(now: BasePredictions) -> VaryingPredictions:
    """People whose predictions stay as they are."""

    def unchanged(columns: IntArray, values: FloatArray) -> BasePredictions:
        times = len(values)
        return BasePredictions(np.tile(now.together, times), np.tile(now.alone, (times, 1)))

    return unchanged
