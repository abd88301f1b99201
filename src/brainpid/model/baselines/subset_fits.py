"""How new people are read by the fits of a baseline, one fit for each subset of the modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.modalities import Subset
from brainpid.crossfit.transforms import NormalScores, Standardizer
from brainpid.model.baselines.varying import VaryingScores
from brainpid.model.inputs import Read
from brainpid.model.varying import Additive


class SubsetFit(Protocol):
    """A fit to one subset of the modalities."""

    held_out: FloatArray
    """Scores of the training people who have the subset, each by a fit without that person's inner fold."""

    def chosen(self) -> dict[str, Any]:
        """What was chosen for it, as plain values."""

    def scores(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,) from standardised features."""

    def vary(self, blocks: Blocks, modality: str) -> VaryingScores:
        """People, by their standardised features, as they vary in one modality of the subset."""


@dataclass(frozen=True)
class ReadBySubsets(Read):
    """New people as the fits of one fitted baseline read them, each fit once for the same people.

    Attributes
    ----------
    reader : mapping of tuple of str to SubsetFit
        The fit to every subset.
    scale : NormalScores
        Map of the target.
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features.
    has : mapping of str to ndarray of bool, shape (n,)
        Who has the modality.
    """

    reader: Mapping[Subset, SubsetFit]
    scale: NormalScores
    blocks: Blocks
    has: Mapping[str, BoolArray]
    _told: dict[tuple[Subset, bytes], FloatArray] = field(default_factory=dict, repr=False)

    @property
    def n(self) -> int:
        """Number of people."""
        return len(next(iter(self.blocks.values())))

    def predict(self, subset: Subset, rows: BoolArray) -> FloatArray:
        """Predicted targets, in their units, of the marked people by the fit to one subset."""
        if not rows.any():
            return np.empty(0)
        key = subset, rows.tobytes()
        if key not in self._told:
            chosen = {modality: self.blocks[modality][rows] for modality in subset}
            self._told[key] = self.scale.inverse_transform(self.reader[subset].scores(chosen))
        return self._told[key]


@dataclass(frozen=True)
class VaryingPeople:
    """The same people, with some columns of one modality replaced; see `brainpid.model.varying.Varying`.

    Attributes
    ----------
    scale : NormalScores
        Map of the target.
    scaler : Standardizer
        Of the modality.
    block : ndarray, shape (n, p)
        Standardised features of the modality.
    parts : sequence of (ndarray of bool, shape (n,), VaryingScores)
        People by the modalities that they have, and the fit that reads them.
    """

    scale: NormalScores
    scaler: Standardizer
    block: FloatArray
    parts: Sequence[tuple[BoolArray, VaryingScores]]

    @property
    def exact(self) -> bool:
        """Whether every fit is linear, or of trees."""
        return all(additive.exact for _, additive in self._additive)

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n) in the target's units."""
        return self.scale.inverse_transform(self._scores(columns, self._scaled(columns, values)))

    def each(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Changes (k, n, c) in the target's units."""
        before, after = self.block[:, columns], self._scaled(columns, values)
        now = self._scores(np.arange(1), self.block[None, :, :1])[..., None]
        moved = np.zeros(after.shape)
        for rows, additive in self._additive:
            moved[:, rows] = additive.changes(columns, before[rows], after[:, rows])
        return self.scale.inverse_transform(now + moved) - self.scale.inverse_transform(now)

    @cached_property
    def _additive(self) -> list[tuple[BoolArray, Additive]]:
        return [(rows, varying.additive()) for rows, varying in self.parts]

    def _scores(self, columns: IntArray, scaled: FloatArray) -> FloatArray:
        scores = np.full(scaled.shape[:2], np.nan)
        for rows, varying in self.parts:
            scores[:, rows] = varying.read(columns, scaled[:, rows])
        return scores

    def _scaled(self, columns: IntArray, values: FloatArray) -> FloatArray:
        return self.scaler.of(columns).transform(values.reshape(-1, len(columns))).reshape(values.shape)
