"""The mean of the training people: what a prediction is worth that looks at nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainpid.config.models import MeanSettings, TargetTransform
from brainpid.core.arrays import Blocks, FloatArray, IntArray, Modalities
from brainpid.core.modalities import Subset
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.baselines.base import Baseline, Training
from brainpid.model.baselines.varying import VaryingScores
from brainpid.model.inputs import Read
from brainpid.model.varying import Additive


@dataclass
class MeanFit:
    """The mean score of all training people, and of those outside each inner fold."""

    mean: float
    held_out: FloatArray

    def chosen(self) -> dict[str, Any]:
        """There is nothing to choose."""
        return {}

    def scores(self, blocks: Blocks) -> FloatArray:
        """The same score (n,) for everybody."""
        return np.full(len(next(iter(blocks.values()))), self.mean)

    def vary(self, blocks: Blocks, modality: str) -> VaryingScores:
        """People as they vary in one modality: nothing changes."""
        return VaryingScores(
            lambda columns, values: np.full(values.shape[:2], self.mean),
            lambda: Additive.nothing(*blocks[modality].shape),
        )


class Mean(Baseline):
    """Mean target of all training people, whatever modalities they have.

    Parameters
    ----------
    random_state : int
        Seed of the inner folds.
    """

    target_transform: TargetTransform = "none"

    section = MeanSettings

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def scalar_latents(self, X: Modalities | Read) -> dict[str, FloatArray]:
        """Zero (n,) for everybody who has the modality: that the means of folds differ tells nothing."""
        return {name: np.where(np.isnan(found), np.nan, 0.0) for name, found in super().scalar_latents(X).items()}

    def _choose(self, training: Training, scale: NormalScores) -> tuple[float, None]:
        """There is nothing to choose."""
        return 0.0, None

    def _finish(self, training: Training, scale: NormalScores, chosen: None) -> Mapping[Subset, MeanFit]:
        mean, held_out = float(scale.transform(training.y).mean()), self._left_out(training, scale, training.fold)
        return {subset: MeanFit(mean, held_out[subset]) for subset in self.subsets_}

    def _left_out(self, training: Training, scale: NormalScores, fold: IntArray) -> Mapping[Subset, FloatArray]:
        scores = scale.transform(training.y)
        outside = {k: scores[fold != k].mean() for k in np.unique(fold)}
        held_out = np.array([outside[k] for k in fold])
        return {subset: held_out[training.rows(subset)] for subset in self.subsets_}
