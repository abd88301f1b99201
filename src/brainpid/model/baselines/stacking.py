"""Late fusion: base learners of one modality each and of all together, and a stack of their predictions.

Their predictions of training people whom they had not seen are stacked by ridge regression with weights that are not
negative. Each subset of the modalities has a stack of its own, so that no missing modality is filled in.

References
----------
Wolpert 1992, Neural Networks 5:241; Engemann et al. 2020, eLife 9:e54055.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from sklearn import linear_model

from brainpid.config.models import StackingSettings, TargetTransform
from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.modalities import Subset
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.baselines.base import Baseline, Training
from brainpid.model.baselines.early_fusion import Choice, ConcatenatedFit, ConcatenatedRegressor, side_by_side
from brainpid.model.baselines.kernels import GaussianProcessRegression, SupportVectors
from brainpid.model.baselines.linear import Ridge
from brainpid.model.baselines.trees import GradientBoosting, RandomForest
from brainpid.model.baselines.varying import VaryingScores
from brainpid.model.varying import Additive, total

_ALPHAS = np.logspace(-1, 3, 5)
_BASE_LEARNERS: dict[str, type[ConcatenatedRegressor]] = {
    "ridge": Ridge,
    "gpr": GaussianProcessRegression,
    "svr": SupportVectors,
    "random_forest": RandomForest,
    "gradient_boosting": GradientBoosting,
}


@dataclass
class StackedFit:
    """Base learners of some blocks of features, by kind, and the stack of their predictions."""

    base_learners: dict[Subset, dict[str, ConcatenatedFit]]
    stack: Any
    held_out: FloatArray

    def chosen(self) -> dict[str, Any]:
        """Settings and weights of the base learners by block and kind, and the penalty of the weights."""
        weights = iter(self.stack.coef_)
        base_learners = {
            "+".join(block): {kind: fit.chosen() | {"weight": float(next(weights))} for kind, fit in kinds.items()}
            for block, kinds in self.base_learners.items()
        }
        return {"penalty": float(self.stack.alpha), "experts": base_learners}

    def scores(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,)."""
        told = [fit.scores(blocks) for kinds in self.base_learners.values() for fit in kinds.values()]
        return np.asarray(self.stack.predict(np.column_stack(told)), dtype=float)

    def vary(self, blocks: Blocks, modality: str) -> VaryingScores:
        """People as they vary in one modality, by those base learners that read it."""
        fits = [fit for kinds in self.base_learners.values() for fit in kinds.values()]
        pairs = list(zip(self.stack.coef_, fits, strict=True))
        moving = [
            (weight, fit.vary({m: blocks[m] for m in fit.subset}, modality))
            for weight, fit in pairs
            if modality in fit.subset and weight > 0
        ]
        fixed = np.full(len(blocks[modality]), float(self.stack.intercept_))
        for weight, fit in pairs:
            if modality not in fit.subset:
                fixed += weight * fit.scores(blocks)

        def read(columns: IntArray, values: FloatArray) -> FloatArray:
            parts = [weight * varying.read(columns, values) for weight, varying in moving]
            return np.asarray(np.sum([np.broadcast_to(fixed, values.shape[:2]), *parts], axis=0))

        def additive() -> Additive:
            parts = [varying.additive().times(np.full(len(fixed), weight)) for weight, varying in moving]
            return total([Additive.nothing(*blocks[modality].shape), *parts])

        return VaryingScores(read, additive)


class Stacking(Baseline):
    """Stacking of base learners.

    Parameters
    ----------
    experts : tuple of str
        Kinds of base learners, of ``ridge``, ``gpr``, ``svr``, ``random_forest`` and ``gradient_boosting``.
    concatenated : bool
        Whether there are base learners of all modalities together beside those of one modality each.
    target_transform : {"auto", "normal_scores", "none"}
        Map of the target; the better one by held-out error, or a given one.
    random_state : int
        Seed of the inner folds and of the base learners.
    """

    section = StackingSettings

    def __init__(
        self,
        experts: tuple[str, ...] = ("gpr", "svr", "gradient_boosting"),
        concatenated: bool = True,
        target_transform: TargetTransform = "auto",
        random_state: int = 0,
    ) -> None:
        self.experts = experts
        self.concatenated = concatenated
        self.target_transform = target_transform
        self.random_state = random_state

    def _families(self) -> dict[str, ConcatenatedRegressor]:
        """Make the kinds of base learners, each once."""
        return {kind: _BASE_LEARNERS[kind](random_state=self.random_state) for kind in self.experts}

    def _blocks(self, training: Training) -> list[Subset]:
        """Each modality, and all of them, by name so that their order does not matter."""
        names = tuple(sorted(training.blocks))
        return [*((name,) for name in names), *([names] if self.concatenated else [])]

    def _choose(self, training: Training, scale: NormalScores) -> tuple[float, dict[Subset, list[Choice]]]:
        choices = {}
        for block in self._blocks(training):
            rows = training.rows(block)
            features, y, fold = (
                side_by_side(training.blocks, block)[rows],
                training.y[rows],
                training.fold[rows],
            )
            choices[block] = [family.choose(features, y, scale, fold) for family in self._families().values()]
        everything = tuple(training.blocks)
        held_out = self._stack(training, scale, choices, everything)[1]
        return training.error(held_out, scale, training.rows(everything)), choices

    def _finish(
        self, training: Training, scale: NormalScores, chosen: dict[Subset, list[Choice]]
    ) -> Mapping[Subset, StackedFit]:
        base_learners: dict[Subset, dict[str, ConcatenatedFit]] = {}
        for block, choices in chosen.items():
            rows = training.rows(block)
            features, scores = side_by_side(training.blocks, block)[rows], scale.transform(training.y[rows])
            base_learners[block] = {
                kind: family.fit_setting(block, choice, features, scores)
                for (kind, family), choice in zip(self._families().items(), choices, strict=True)
            }
        fits = {}
        for subset in self.subsets_:
            stack, held_out = self._stack(training, scale, chosen, subset)
            own = {block: base_learners[block] for block in _within(chosen, subset)}
            fits[subset] = StackedFit(own, stack, held_out)
        return fits

    def _left_out(self, training: Training, scale: NormalScores, fold: IntArray) -> Mapping[Subset, FloatArray]:
        """Base learners leave the folds out; weights are fitted to what inner folds gave of the other people."""
        fits = cast(Mapping[Subset, StackedFit], self.fits_)
        scores, learners = scale.transform(training.y), fits[self.modalities_].base_learners
        told: dict[Subset, list[FloatArray]] = {}
        for block, kinds in learners.items():
            rows = training.rows(block)
            features = side_by_side(training.blocks, block)[rows]
            told[block] = [
                family.held_out(features, scores[rows], fold[rows], kinds[kind].setting)
                for kind, family in self._families().items()
            ]
        found = {}
        for subset, fit in fits.items():
            rows, within = training.rows(subset), _within(told, subset)
            new = np.column_stack([own[rows[training.rows(block)]] for block in within for own in told[block]])
            known = np.column_stack(
                [one.held_out[rows[training.rows(block)]] for block in within for one in learners[block].values()]
            )
            own_fold, left_out = fold[rows], np.empty(int(rows.sum()))
            for k in np.unique(own_fold):
                out = own_fold == k
                stack = _weights(fit.stack.alpha).fit(known[~out], scores[rows][~out])
                left_out[out] = stack.predict(new[out])
            found[subset] = left_out
        return found

    def _stack(
        self, training: Training, scale: NormalScores, choices: Mapping[Subset, list[Choice]], subset: Subset
    ) -> tuple[Any, FloatArray]:
        """Weights of the base learners of a subset, and held-out scores of the people who have it."""
        rows = training.rows(subset)
        told = np.column_stack(
            [
                choice.held_out[rows[training.rows(block)]]
                for block in _within(choices, subset)
                for choice in choices[block]
            ]
        )
        scores, fold = scale.transform(training.y[rows]), training.fold[rows]
        held_out = np.empty((len(_ALPHAS), len(scores)))
        for k in np.unique(fold):
            out = fold == k
            for row, alpha in enumerate(_ALPHAS):
                held_out[row, out] = _weights(alpha).fit(told[~out], scores[~out]).predict(told[out])
        best = int(np.argmin([training.error(held, scale, rows) for held in held_out]))
        return _weights(_ALPHAS[best]).fit(told, scores), held_out[best]


def _within(blocks: Iterable[Subset], subset: Subset) -> list[Subset]:
    """Blocks that a person with just these modalities has."""
    return [block for block in blocks if set(block) <= set(subset)]


def _weights(alpha: float) -> Any:
    """Ridge regression with weights that are not negative."""
    return linear_model.Ridge(alpha=alpha, positive=True)
