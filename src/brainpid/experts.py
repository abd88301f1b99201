"""Experts beside the network: regressors of another kind, whose errors are not the network's.

Every expert is fitted to all training people, gives their out-of-fold readings on the network's own inner folds, and
reads the scores of new people. A Gaussian process is at its best with hundreds of people, a forest with thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from brainpid.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.combination import Readings
from brainpid.fitted_ensemble import FittedEnsemble
from brainpid.gaussian_process import GaussianProcess
from brainpid.model_file import to_arrays, to_tensors
from brainpid.presence import complete
from brainpid.transforms import NormalScores
from brainpid.trees import Trees

KERNEL_MOST_PEOPLE = 2000
"""A Gaussian process keeps a matrix of people by people; beyond this number it is left out of `auto`."""
TREES_FEWEST_PEOPLE = 1000
"""With fewer people the weight of trees is near zero, and their cost is not; they are left out of `auto`."""
TREES_FOLDS = 5
"""Inner folds that trees are grown for; those of the network are joined to this number."""
_GROW = {"forest": Trees.randomised, "boosting": Trees.boosted}


class Expert(Protocol):
    """What an expert does; features are standardised, a row of NaN is a missing modality."""

    def read(self, blocks: Blocks) -> Readings:
        """Readings of people, blocks in sorted order of their names."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""


def experts_for(n: int, wanted: Sequence[str]) -> tuple[str, ...]:
    """Names of the experts that are fitted to n people: those wanted, where ``auto`` means what suits the number."""
    few, many = n <= KERNEL_MOST_PEOPLE, n >= TREES_FEWEST_PEOPLE
    suits = {"kernel": few, "kernel_units": few} | dict.fromkeys(_GROW, many)
    return tuple(name for name, suitable in suits.items() if name in wanted or ("auto" in wanted and suitable))


def fit_expert(
    name: str,
    blocks: Blocks,
    target: FloatArray,
    target_map: NormalScores,
    fold: IntArray,
    seed: np.random.SeedSequence,
) -> tuple[Expert, Readings]:
    """Fit an expert by name; returns it and the out-of-fold readings of the training people.

    Parameters
    ----------
    name : {"kernel", "kernel_units", "forest", "boosting"}
        ``kernel_units`` is a process of the target in its units, whose errors differ from those of scores in the tails.
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features in sorted order of the names; a row of NaN is a missing modality.
    target : ndarray, shape (n,)
    target_map : NormalScores
        Fitted to the target; readings are its scores.
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    seed : SeedSequence
    """
    if name == "kernel_units":
        plain = NormalScores.straight(target)
        kernel, left_out = _fit_kernel(blocks, plain.transform(target), fold, np.random.default_rng(seed))
        expert = KernelInUnits(kernel, plain, target_map)
        return expert, expert.as_scores(left_out)
    scores = target_map.transform(target)
    if name == "kernel":
        return _fit_kernel(blocks, scores, fold, np.random.default_rng(seed))
    return _fit_trees(_GROW[name], blocks, scores, fold % TREES_FOLDS, int(seed.generate_state(1)[0]))


def expert_from_state(name: str, state: dict[str, Any]) -> Expert:
    """Undo an expert's `state`."""
    if name == "network":
        return FittedEnsemble.from_state(state)
    held = to_arrays(state)
    if name == "kernel":
        return _kernel_from(held)
    if name == "kernel_units":
        maps = (NormalScores(**held[kept]) for kept in ("plain", "target_map"))
        return KernelInUnits(_kernel_from(held["kernel"]), *maps)
    return TreesExpert({m: Trees(**grown) for m, grown in held["alone"].items()}, Trees(**held["together"]))


@dataclass(frozen=True)
class KernelExpert:
    """Gaussian processes of each modality alone and of all together.

    Attributes
    ----------
    alone : dict of str to GaussianProcess
    together : GaussianProcess
    """

    alone: dict[str, GaussianProcess]
    together: GaussianProcess

    def read(self, blocks: Blocks) -> Readings:
        """Readings of people."""
        alone = [_where_complete({m: blocks[m]}, process.predict) for m, process in self.alone.items()]
        return Readings(_where_complete(blocks, self.together.predict), np.column_stack(alone))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))


def _kernel_from(held: dict[str, Any]) -> KernelExpert:
    alone = {m: GaussianProcess(**process) for m, process in held["alone"].items()}
    return KernelExpert(alone, GaussianProcess(**held["together"]))


@dataclass(frozen=True)
class KernelInUnits:
    """Gaussian processes of the target in its units; readings are turned into scores.

    Attributes
    ----------
    kernel : KernelExpert
    plain : NormalScores
        The straight map between the target and what the processes predict.
    target_map : NormalScores
    """

    kernel: KernelExpert
    plain: NormalScores
    target_map: NormalScores

    def as_scores(self, readings: Readings) -> Readings:
        """Scores of what the processes read."""
        return Readings(
            *(
                self.target_map.transform(self.plain.inverse_transform(values))
                for values in (readings.together, readings.alone)
            )
        )

    def read(self, blocks: Blocks) -> Readings:
        """Readings of people."""
        return self.as_scores(self.kernel.read(blocks))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))


def _fit_kernel(
    blocks: Blocks, scores: FloatArray, fold: IntArray, rng: np.random.Generator
) -> tuple[KernelExpert, Readings]:
    """Fit Gaussian processes; returns them and the out-of-fold readings of the training people."""
    alone, readings = {}, []
    for m, block in blocks.items():
        own = complete({m: block})
        alone[m], left_out = GaussianProcess.fit({m: block[own]}, scores[own], fold[own], rng)
        readings.append(_spread(own, left_out))
    together, joint = GaussianProcess.fit(blocks, scores, fold, rng)
    return KernelExpert(alone, together), Readings(np.where(complete(blocks), joint, np.nan), np.column_stack(readings))


@dataclass(frozen=True)
class TreesExpert:
    """Trees of each modality alone and of all together, the latter from people who have every modality.

    Attributes
    ----------
    alone : dict of str to Trees
    together : Trees
    """

    alone: dict[str, Trees]
    together: Trees

    def read(self, blocks: Blocks) -> Readings:
        """Readings of people."""
        alone = [_trees_reading({m: blocks[m]}, trees) for m, trees in self.alone.items()]
        return Readings(_trees_reading(blocks, self.together), np.column_stack(alone))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))


def _fit_trees(
    grow: Callable[[FloatArray, FloatArray, int], Trees], blocks: Blocks, scores: FloatArray, fold: IntArray, seed: int
) -> tuple[TreesExpert, Readings]:
    """Grow trees; returns them and the out-of-fold readings of the training people."""

    def grow_on(chosen: Blocks) -> tuple[Trees, FloatArray]:
        own = complete(chosen)
        table, goal = _side_by_side(chosen)[own], scores[own]
        left_out = np.empty(len(goal))
        for k in np.unique(fold[own]):
            inside = fold[own] == k
            left_out[inside] = grow(table[~inside], goal[~inside], seed).predict(table[inside])
        return grow(table, goal, seed), _spread(own, left_out)

    grown = {m: grow_on({m: block}) for m, block in blocks.items()}
    together, joint = grow_on(blocks)
    expert = TreesExpert({m: trees for m, (trees, _) in grown.items()}, together)
    return expert, Readings(joint, np.column_stack([reading for _, reading in grown.values()]))


def _trees_reading(blocks: Blocks, trees: Trees) -> FloatArray:
    return _where_complete(blocks, lambda own: trees.predict(_side_by_side(own)))


def _side_by_side(blocks: Blocks) -> FloatArray:
    # Single precision, as scikit-learn's forests have it: a value between two thresholds must not change sides.
    return np.column_stack(list(blocks.values())).astype(np.float32).astype(np.float64)


def _spread(own: BoolArray, values: FloatArray) -> FloatArray:
    """Values of the people `own` among everybody, NaN for the others."""
    everybody = np.full(len(own), np.nan)
    everybody[own] = values
    return everybody


def _where_complete(blocks: Blocks, predict: Callable[[Blocks], FloatArray]) -> FloatArray:
    """Predictions of those who have all of these modalities, NaN for the others."""
    own = complete(blocks)
    if not own.any():
        return np.full(len(own), np.nan)
    return _spread(own, predict({m: block[own] for m, block in blocks.items()}))
