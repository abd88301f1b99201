"""Experts beside the network: regressors of another kind, whose errors are not the network's.

Every expert is fitted to all training people, gives their out-of-fold predictions on the network's own inner folds, and
reads the scores of new people. A normative model turned round and Gaussian processes are at their best with hundreds of
people, trees with thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.modalities import complete, presence
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.gaussian_process import GaussianProcess
from brainpid.model.pidreg.network.ensemble import FittedEnsemble
from brainpid.model.pidreg.normative import NormativeModel
from brainpid.model.pidreg.state import to_arrays, to_tensors
from brainpid.model.pidreg.trees import Trees

KERNEL_MOST_PEOPLE = 2000
"""A Gaussian process keeps a matrix of people by people; beyond this number it is left out of `auto`."""
TREES_FEWEST_PEOPLE = 1000
"""With fewer people the weight of trees is near zero, and their cost is not; they are left out of `auto`."""
TREES_FOLDS = 5
"""Inner folds that trees are grown for; those of the network are joined to this number."""


class BaseLearner(Protocol):
    """What an expert does; features are standardised, a row of NaN is a missing modality."""

    def read(self, blocks: Blocks) -> BasePredictions:
        """Predictions of people, blocks in sorted order of their names."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""


class Regressor(Protocol):
    """What reads the score from one modality or from several, a dataclass of arrays and plain values."""

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,) of people who have all these modalities."""


@dataclass(frozen=True)
class RegressorLearner:
    """A regressor on each modality alone and one on all of them together.

    Attributes
    ----------
    alone : dict of str to Regressor
    together : Regressor
    """

    alone: dict[str, Regressor]
    together: Regressor

    def read(self, blocks: Blocks) -> BasePredictions:
        """Predictions of people."""
        alone = [_read({m: blocks[m]}, regressor) for m, regressor in self.alone.items()]
        return BasePredictions(_read(blocks, self.together), np.column_stack(alone))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))


_Fitted = tuple[Regressor, FloatArray]


@dataclass(frozen=True)
class _Kind:
    """How a kind of regressor is fitted and made again from its fields.

    `fit` takes standardised blocks, target in its units, the map to its scores, inner folds and a seed; it returns the
    regressor and the left-out scores (n,).
    """

    fit: Callable[[Blocks, FloatArray, NormalScores, IntArray, np.random.SeedSequence], _Fitted]
    again: Callable[..., Regressor]
    takes_missing: bool = False


def base_learners_for(n: int, wanted: Sequence[str]) -> tuple[str, ...]:
    """Names of the experts that are fitted to n people: those wanted, where ``auto`` means what suits the number."""
    few, many = n <= KERNEL_MOST_PEOPLE, n >= TREES_FEWEST_PEOPLE
    suits = {"normative": True, "kernel": few, "forest": many, "boosting": many}
    return tuple(name for name, suitable in suits.items() if name in wanted or ("auto" in wanted and suitable))


def fit_base_learner(
    name: str,
    blocks: Blocks,
    target: FloatArray,
    target_map: NormalScores,
    fold: IntArray,
    seed: np.random.SeedSequence,
) -> tuple[BaseLearner, BasePredictions]:
    """Fit an expert by name; returns it and the out-of-fold predictions of the training people.

    Parameters
    ----------
    name : {"normative", "kernel", "forest", "boosting"}
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features in sorted order of the names; a row of NaN is a missing modality.
    target : ndarray, shape (n,)
    target_map : NormalScores
        Fitted to the target; predictions are its scores.
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    seed : SeedSequence
    """
    kind = _KINDS[name]

    def fit_to(modalities: Sequence[str]) -> _Fitted:
        chosen = {m: blocks[m] for m in modalities}
        has_all = complete(chosen)
        own = np.asarray(presence(chosen).any(axis=1)) if kind.takes_missing else has_all
        people = {m: block[own] for m, block in chosen.items()}
        left_out = np.full(len(own), np.nan)
        regressor, left_out[own] = kind.fit(people, target[own], target_map, fold[own], seed)
        return regressor, np.where(has_all, left_out, np.nan)

    alone = {m: fit_to([m]) for m in blocks}
    together, joint = fit_to(list(blocks))
    expert = RegressorLearner({m: regressor for m, (regressor, _) in alone.items()}, together)
    return expert, BasePredictions(joint, np.column_stack([left_out for _, left_out in alone.values()]))


def base_learner_from_state(name: str, state: dict[str, Any]) -> BaseLearner:
    """Undo an expert's `state`."""
    if name == "network":
        return FittedEnsemble.from_state(state)
    held, again = to_arrays(state), _KINDS[name].again
    return RegressorLearner({m: again(**fields) for m, fields in held["alone"].items()}, again(**held["together"]))


def _read(blocks: Blocks, regressor: Regressor) -> FloatArray:
    """Predictions of those who have all of these modalities, NaN for the others."""
    own = complete(blocks)
    predictions = np.full(len(own), np.nan)
    if own.any():
        predictions[own] = regressor.predict({m: block[own] for m, block in blocks.items()})
    return predictions


def _fit_normative(
    blocks: Blocks, target: FloatArray, target_map: NormalScores, fold: IntArray, seed: np.random.SeedSequence
) -> _Fitted:
    return NormativeModel.fit(blocks, target, target_map, fold)


def _fit_process(
    blocks: Blocks, target: FloatArray, target_map: NormalScores, fold: IntArray, seed: np.random.SeedSequence
) -> _Fitted:
    return GaussianProcess.fit(blocks, target_map.transform(target), fold, np.random.default_rng(seed))


def _fit_trees(
    grow: Callable[[Blocks, FloatArray, int], Trees],
    blocks: Blocks,
    target: FloatArray,
    target_map: NormalScores,
    fold: IntArray,
    seed: np.random.SeedSequence,
) -> _Fitted:
    scores, number, fold = target_map.transform(target), int(seed.generate_state(1)[0]), fold % TREES_FOLDS
    left_out = np.empty(len(scores))
    for k in np.unique(fold):
        inside = fold == k
        trees = grow({m: block[~inside] for m, block in blocks.items()}, scores[~inside], number)
        left_out[inside] = trees.predict({m: block[inside] for m, block in blocks.items()})
    return grow(blocks, scores, number), left_out


_KINDS = {
    "normative": _Kind(_fit_normative, NormativeModel),
    "kernel": _Kind(_fit_process, GaussianProcess, takes_missing=True),
    "forest": _Kind(partial(_fit_trees, Trees.randomised), Trees),
    "boosting": _Kind(partial(_fit_trees, Trees.boosted), Trees),
}
