"""What base learners predict from each modality alone and from all of them, the input of stacking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.model.inputs import Read
from brainpid.model.varying import Additive


@dataclass(frozen=True)
class BasePredictions:
    """Scores that one base learner predicts.

    Attributes
    ----------
    together : ndarray, shape (n,)
        From all modalities; NaN for people who lack one.
    alone : ndarray, shape (n, M)
        From each modality; NaN where a person lacks it.
    """

    together: FloatArray
    alone: FloatArray

    def of(self, rows: BoolArray) -> BasePredictions:
        """Predictions of some of the people."""
        return BasePredictions(self.together[rows], self.alone[rows])


class VaryingPredictions(Protocol):
    """Predictions of the same n people with some columns of one modality replaced."""

    def __call__(self, columns: IntArray, values: FloatArray) -> BasePredictions:
        """Predictions of k n people, with columns (c,) replaced by standardised `values` (k, n, c)."""


@dataclass(frozen=True)
class AdditivePredictions:
    """Scores that one base learner predicts, as the features of one modality change each alone.

    Attributes
    ----------
    together : Additive
        From all modalities; nothing for people who lack one.
    alone : Additive
        From that modality.
    """

    together: Additive
    alone: Additive


@dataclass(frozen=True)
class ReadByBaseLearners(Read):
    """People as the base learners of one fitted model read them.

    Attributes
    ----------
    predictions : tuple of BasePredictions
        Of each base learner.
    blocks : mapping of str to ndarray, shape (n, p_m)
        The standardised features that were read.
    """

    predictions: tuple[BasePredictions, ...]
    blocks: Blocks
