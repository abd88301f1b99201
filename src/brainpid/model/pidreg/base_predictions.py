"""What base learners predict from subsets of the modalities, the input of stacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.modalities import Subset
from brainpid.model.inputs import Read
from brainpid.model.varying import Additive


def subsets_read(modalities: Sequence[str]) -> list[Subset]:
    """Subsets that base learners read: each modality alone, all but one where these are several, and all.

    >>> subsets_read(["dwi", "fmri", "t1"])[3:]
    [('fmri', 't1'), ('dwi', 't1'), ('dwi', 'fmri'), ('dwi', 'fmri', 't1')]
    """
    rest = [tuple(other for other in modalities if other != m) for m in modalities] if len(modalities) > 2 else []
    return [*((m,) for m in modalities), *rest, tuple(modalities)]


@dataclass(frozen=True)
class BasePredictions:
    """Scores that one base learner predicts.

    Attributes
    ----------
    scores : ndarray, shape (n, R)
        From each of the `subsets_read`; NaN for people who lack a modality of it, and for everybody where the base
        learner does not read the subset.
    """

    scores: FloatArray

    @property
    def alone(self) -> FloatArray:
        """From each modality, (n, M)."""
        return self.scores[:, : n_modalities(self.scores.shape[1])]

    @property
    def together(self) -> FloatArray:
        """From all modalities, (n,)."""
        return self.scores[:, -1]

    def of(self, rows: BoolArray) -> BasePredictions:
        """Predictions of some of the people."""
        return BasePredictions(self.scores[rows])

    def moved(self, column: int, step: float) -> BasePredictions:
        """Predictions of which those from one subset are larger by `step`."""
        scores = self.scores.copy()
        scores[:, column] += step
        return BasePredictions(scores)


def n_modalities(n_subsets: int) -> int:
    """Number M of modalities by that of the `subsets_read`: 2 have 3 of them, M have 2 M + 1 from 3 on."""
    return max(2, (n_subsets - 1) // 2)


def subset_patterns(n: int) -> BoolArray:
    """Which of n modalities each of the `subsets_read` has, (R, n)."""
    return np.array([[str(m) in subset for m in range(n)] for subset in subsets_read([str(m) for m in range(n)])])


class VaryingPredictions(Protocol):
    """Predictions of the same n people with some columns of one modality replaced."""

    def __call__(self, columns: IntArray, values: FloatArray) -> BasePredictions:
        """Predictions of k n people, with columns (c,) replaced by standardised `values` (k, n, c)."""


AdditivePredictions = Mapping[int, Additive]
"""Scores that one base learner predicts, as the features of one modality change each alone: by the place among the
`subsets_read` of those that have the modality and that it reads."""


@dataclass(frozen=True)
class ReadByBaseLearners(Read):
    """People as the base learners of one fitted model read them.

    Attributes
    ----------
    predictions : tuple of BasePredictions
        Of each base learner.
    blocks : mapping of str to ndarray, shape (n, p_m)
        The standardised features that were read.
    at_new_sites : tuple of BasePredictions
        Of those who are `unseen` alone, by the base learners that take part there.
    """

    predictions: tuple[BasePredictions, ...]
    blocks: Blocks
    at_new_sites: tuple[BasePredictions, ...] = ()
