"""Late fusion: experts of one modality each, and a non-negative linear model of their held-out predictions.

Every modality has a ridge, a Gaussian process and a random forest of its own. What the experts say of training people
whom they had not seen is combined by ridge regression with non-negative weights; each subset of the modalities has a
combination of its own, so that nobody's missing modality is filled in.

References
----------
Wolpert 1992, Neural Networks 5:241; Engemann et al. 2020, eLife 9:e54055.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import linear_model

from brainpid.arrays import Blocks, FloatArray
from brainpid.baselines.base import Baseline, Subset, TargetTransform, Training
from brainpid.baselines.concatenated import Choice, ConcatenatedRegressor
from brainpid.baselines.kernels import GaussianProcess
from brainpid.baselines.linear import Ridge
from brainpid.baselines.trees import RandomForest
from brainpid.transforms import NormalScores

_ALPHAS = np.logspace(-2, 3, 11)
_EXPERTS = {"ridge": Ridge, "gpr": GaussianProcess, "random_forest": RandomForest}


@dataclass
class StackedFit:
    """Experts of some modalities and the weights of their predictions."""

    experts: dict[str, list[Any]]
    combination: Any
    held_out: FloatArray

    def scores(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,)."""
        told = [expert.predict(blocks[modality]) for modality, experts in self.experts.items() for expert in experts]
        return np.asarray(self.combination.predict(np.column_stack(told)), dtype=float)


class Stacking(Baseline):
    """Stacking of per-modality experts.

    Parameters
    ----------
    experts : tuple of str
        Kinds of experts of every modality, of ``ridge``, ``gpr`` and ``random_forest``.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds and of the experts.
    """

    def __init__(
        self,
        experts: tuple[str, ...] = ("ridge", "gpr", "random_forest"),
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.experts = experts
        self.target_transform = target_transform
        self.random_state = random_state

    def _families(self) -> list[ConcatenatedRegressor]:
        return [_EXPERTS[name](random_state=self.random_state) for name in self.experts]

    def _choose(self, training: Training, scale: NormalScores) -> tuple[float, dict[str, list[Choice]]]:
        choices = {}
        for modality, block in training.blocks.items():
            rows = training.has[modality]
            features, target, fold = block[rows], training.target[rows], training.fold[rows]
            choices[modality] = [family.choose(features, target, scale, fold) for family in self._families()]
        everything = tuple(training.blocks)
        held_out = self._combine(training, scale, choices, everything)[1]
        return training.error(held_out, scale, training.rows(everything)), choices

    def _finish(
        self, training: Training, scale: NormalScores, chosen: dict[str, list[Choice]]
    ) -> Mapping[Subset, StackedFit]:
        experts: dict[str, list[Any]] = {}
        for modality, block in training.blocks.items():
            rows = training.has[modality]
            scores = scale.transform(training.target[rows])
            experts[modality] = [
                family.regressor(choice.setting).fit(block[rows], scores)
                for family, choice in zip(self._families(), chosen[modality], strict=True)
            ]
        fits = {}
        for subset in self.subsets_:
            combination, held_out = self._combine(training, scale, chosen, subset)
            fits[subset] = StackedFit({name: experts[name] for name in sorted(subset)}, combination, held_out)
        return fits

    def _combine(
        self, training: Training, scale: NormalScores, choices: dict[str, list[Choice]], subset: Subset
    ) -> tuple[Any, FloatArray]:
        """Weights of the experts of a subset, and held-out scores of the people who have it."""
        rows = training.rows(subset)
        told = np.column_stack(
            [choice.held_out[rows[training.has[name]]] for name in sorted(subset) for choice in choices[name]]
        )
        scores, fold = scale.transform(training.target[rows]), training.fold[rows]
        held_out = np.empty((len(_ALPHAS), len(scores)))
        for k in np.unique(fold):
            out = fold == k
            for row, alpha in enumerate(_ALPHAS):
                held_out[row, out] = _combination(alpha).fit(told[~out], scores[~out]).predict(told[out])
        best = int(np.argmin([training.error(held, scale, rows) for held in held_out]))
        return _combination(_ALPHAS[best]).fit(told, scores), held_out[best]


def _combination(alpha: float) -> Any:
    """Ridge regression with weights that are not negative."""
    return linear_model.Ridge(alpha=alpha, positive=True)
