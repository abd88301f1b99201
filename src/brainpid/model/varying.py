"""People some of whose features are changed, many times over: what permutation importance asks a model for.

Two questions are asked. What a model predicts with some columns replaced is read anew; a model that is linear in its
features at the bottom knows what the changed columns add, and pays for them alone. What each column does where it alone
is replaced is asked of all columns at once: straight lines along the slopes of the prediction, and the steps of trees
as they are. Its cost is a product of matrices, however many features there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.model.tree_steps import TreeSteps


class Varying(Protocol):
    """The same n people, with some columns of one modality replaced."""

    @property
    def exact(self) -> bool:
        """Whether `each` is what reading the people anew gives, and no approximation."""

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n) with columns (c,) of the modality replaced by `values` (k, n, c), k times."""

    def each(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Change of the predictions (k, n, c) where each of the columns alone is replaced by `values` (k, n, c)."""


class Reading(Protocol):
    """Scores of the same n people with some columns of one modality replaced."""

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Scores (k, n) with columns (c,) of the modality replaced by standardised `values` (k, n, c), k times."""


@dataclass(frozen=True)
class Additive:
    """What scores of n people do as each feature of a modality changes alone: straight lines, and steps of trees.

    Attributes
    ----------
    slopes : ndarray, shape (n, p)
        Derivative of each person's score with respect to each standardised feature.
    steps : sequence of (weight, TreeSteps)
        Trees, with the weight (n,) of each person's.
    exact : bool
        Whether the scores are such lines and steps.
    """

    slopes: FloatArray
    steps: Sequence[tuple[FloatArray, TreeSteps]] = ()
    exact: bool = False

    @classmethod
    def nothing(cls, n: int, p: int) -> Additive:
        """Scores (n,) that no feature changes."""
        return cls(np.zeros((n, p)), exact=True)

    def times(self, weight: FloatArray) -> Additive:
        """Scores times a weight (n,) of each person."""
        return Additive(self.slopes * weight[:, None], [(own * weight, steps) for own, steps in self.steps], self.exact)

    def plus(self, other: Additive) -> Additive:
        """Sum of both scores."""
        return Additive(self.slopes + other.slopes, [*self.steps, *other.steps], self.exact and other.exact)

    def among(self, rows: BoolArray) -> Additive:
        """Scores of all people (n,), of whom these are the marked ones; no feature changes those of the others."""
        place, slopes = np.flatnonzero(rows), np.zeros((len(rows), self.slopes.shape[1]))
        slopes[rows] = self.slopes
        weights = [np.zeros(len(rows)) for _ in self.steps]
        for weight, (own, _) in zip(weights, self.steps, strict=True):
            weight[rows] = own
        moved = [replace(steps, person=place[steps.person]) for _, steps in self.steps]
        return Additive(slopes, list(zip(weights, moved, strict=True)), self.exact)

    def changes(self, columns: IntArray, before: FloatArray, after: FloatArray) -> FloatArray:
        """Change of the scores (k, n, c) where each column alone goes from `before` (n, c) to `after` (k, n, c)."""
        changed = (after - before) * self.slopes[:, columns]
        for weight, steps in self.steps:
            changed += weight[:, None] * steps.changes(columns, after)
        return np.asarray(changed)


def total(parts: Sequence[Additive]) -> Additive:
    """Sum of scores."""
    return reduce(Additive.plus, parts)


@dataclass(frozen=True)
class WholeReads:
    """Any function of features, read as a whole for every change.

    Attributes
    ----------
    predict : callable
        From features by modality to predictions (n,).
    blocks : mapping of str to ndarray, shape (n, p_m)
    modality : str
        The one whose columns are replaced.
    """

    predict: Callable[[dict[str, FloatArray]], FloatArray]
    blocks: Mapping[str, FloatArray]
    modality: str
    exact: bool = True

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n)."""
        times, n = values.shape[:2]
        changed = {name: np.tile(block, (times, 1)) for name, block in self.blocks.items()}
        changed[self.modality][:, columns] = values.reshape(times * n, -1)
        return np.asarray(self.predict(changed)).reshape(times, n)

    def each(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Changes (k, n, c), by one read of each column."""
        before = self(columns[:0], values[:1, :, :0])
        read = [self(columns[j : j + 1], values[..., j : j + 1]) for j in range(len(columns))]
        return np.stack(read, axis=-1) - before[..., None]


@dataclass(frozen=True)
class VaryingParts:
    """People n of several kinds, each of whom one part reads.

    Attributes
    ----------
    parts : sequence of (ndarray of bool, shape (n,), Varying)
        Everybody is of one part.
    """

    parts: Sequence[tuple[BoolArray, Varying]]

    @property
    def exact(self) -> bool:
        """Whether that of every part is."""
        return all(varying.exact for _, varying in self.parts)

    def __call__(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Predictions (k, n)."""
        found = np.full(values.shape[:2], np.nan)
        for rows, varying in self.parts:
            found[:, rows] = varying(columns, values[:, rows])
        return found

    def each(self, columns: IntArray, values: FloatArray) -> FloatArray:
        """Changes (k, n, c)."""
        found = np.full(values.shape, np.nan)
        for rows, varying in self.parts:
            found[:, rows] = varying.each(columns, values[:, rows])
        return found


Vary = Callable[[Blocks, str, NDArray[np.object_] | None], Varying]
"""From features of people, a modality and the people's sites, where they are known, to people as they vary in it."""
