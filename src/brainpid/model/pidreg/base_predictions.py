"""What a base learner predicts from each modality alone and from all of them, the input of stacking."""

from __future__ import annotations

from dataclasses import dataclass

from brainpid.core.arrays import BoolArray, FloatArray


@dataclass(frozen=True)
class BasePredictions:
    """What one expert reads of people, as normal scores.

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
