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
from brainpid.forest import Forest
from brainpid.gaussian_process import GaussianProcess
from brainpid.model_file import to_arrays, to_tensors
from brainpid.presence import complete

KERNEL_MOST_PEOPLE = 2000
"""A Gaussian process keeps a matrix of people by people; beyond this number it is left out of `auto`."""
FOREST_FEWEST_PEOPLE = 1000
"""With fewer people a forest's weight is near zero, and its cost is not; it is left out of `auto`."""


class Expert(Protocol):
    """What an expert does; features are standardised, a row of NaN is a missing modality."""

    def read(self, blocks: Blocks) -> Readings:
        """Readings of people, blocks in sorted order of their names."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""


def experts_for(n: int, wanted: Sequence[str]) -> tuple[str, ...]:
    """Names of the experts that are fitted to n people: those wanted, where ``auto`` means what suits the number."""
    suits = {"kernel": n <= KERNEL_MOST_PEOPLE, "forest": n >= FOREST_FEWEST_PEOPLE}
    return tuple(name for name, suitable in suits.items() if name in wanted or ("auto" in wanted and suitable))


def fit_expert(
    name: str, blocks: Blocks, scores: FloatArray, fold: IntArray, seed: np.random.SeedSequence
) -> tuple[Expert, Readings]:
    """Fit an expert by name; returns it and the out-of-fold readings of the training people.

    Parameters
    ----------
    name : {"kernel", "forest"}
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features in sorted order of the names; a row of NaN is a missing modality.
    scores : ndarray, shape (n,)
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    seed : SeedSequence
    """
    if name == "kernel":
        return _fit_kernel(blocks, scores, fold, np.random.default_rng(seed))
    return _fit_forest(blocks, scores, fold, int(seed.generate_state(1)[0]))


def expert_from_state(name: str, state: dict[str, Any]) -> Expert:
    """Undo an expert's `state`."""
    if name == "network":
        return FittedEnsemble.from_state(state)
    held = to_arrays(state)
    if name == "kernel":
        alone = {m: GaussianProcess(**process) for m, process in held["alone"].items()}
        return KernelExpert(alone, GaussianProcess(**held["together"]))
    return ForestExpert({m: Forest(**forest) for m, forest in held["alone"].items()}, Forest(**held["together"]))


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
class ForestExpert:
    """Forests of each modality alone and of all together, the latter from people who have every modality.

    Attributes
    ----------
    alone : dict of str to Forest
    together : Forest
    """

    alone: dict[str, Forest]
    together: Forest

    def read(self, blocks: Blocks) -> Readings:
        """Readings of people."""
        alone = [_forest_reading({m: blocks[m]}, forest) for m, forest in self.alone.items()]
        return Readings(_forest_reading(blocks, self.together), np.column_stack(alone))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))


def _fit_forest(blocks: Blocks, scores: FloatArray, fold: IntArray, seed: int) -> tuple[ForestExpert, Readings]:
    """Fit forests; returns them and the out-of-fold readings of the training people."""

    def grow(chosen: Blocks) -> tuple[Forest, FloatArray]:
        own = complete(chosen)
        table, goal = _side_by_side(chosen)[own], scores[own]
        left_out = np.empty(len(goal))
        for k in np.unique(fold[own]):
            inside = fold[own] == k
            left_out[inside] = Forest.fit(table[~inside], goal[~inside], seed).predict(table[inside])
        return Forest.fit(table, goal, seed), _spread(own, left_out)

    grown = {m: grow({m: block}) for m, block in blocks.items()}
    together, joint = grow(blocks)
    expert = ForestExpert({m: forest for m, (forest, _) in grown.items()}, together)
    return expert, Readings(joint, np.column_stack([reading for _, reading in grown.values()]))


def _forest_reading(blocks: Blocks, forest: Forest) -> FloatArray:
    return _where_complete(blocks, lambda own: forest.predict(_side_by_side(own)))


def _side_by_side(blocks: Blocks) -> FloatArray:
    return np.column_stack(list(blocks.values()))


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
