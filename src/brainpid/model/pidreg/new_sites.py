"""People of sites that training has not seen: what is predicted of them, and how sure it is.

What predictions are worth there is learned from inner folds that leave sites out. Base learners are refitted without
each such fold with everything that was chosen: hyperparameters, shrinkage, weights. Networks take no part where there
is another base learner: to train them anew for every fold would cost as much as the whole fit, and of people at new
sites the others alone are predicted no worse. Neither do those with no weight. The normative models have a scatter of
their own there (`brainpid.model.pidreg.normative`). Weights of the stack are those that random folds give: from sites
left out, which are few, they were worse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.modalities import Subset
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_learners import (
    BaseLearner,
    RegressorLearner,
    TrainingPeople,
    base_learner_from_state,
    leave_sites_out,
)
from brainpid.model.pidreg.base_predictions import BasePredictions
from brainpid.model.pidreg.stacking import Stack
from brainpid.model.pidreg.state import to_arrays, to_tensors

_OF_THEIR_OWN = ("normative", "normative_scores")
"""Base learners that are others at new sites than at those of the training."""


@dataclass(frozen=True)
class NewSites:
    """How people of sites that training has not seen are predicted.

    Attributes
    ----------
    names : tuple of str
        Base learners that take part.
    learners : dict of str to BaseLearner
        Those of them that are others than at training sites.
    stack : Stack
    densities : PredictiveDensities
    """

    names: tuple[str, ...]
    learners: dict[str, BaseLearner]
    stack: Stack
    densities: PredictiveDensities

    @classmethod
    def fit(
        cls,
        training: TrainingPeople,
        site: IntArray,
        base_learners: Mapping[str, BaseLearner],
        own: Mapping[str, Any],
        predictions: Mapping[str, BasePredictions],
        networks: Callable[[], BasePredictions],
        stack: Stack,
        patterns: Mapping[Subset, BoolArray],
        alone: bool,
    ) -> tuple[Self, dict[Subset, FloatArray]]:
        """Fit to training people.

        Parameters
        ----------
        training : TrainingPeople
            With folds that leave sites out.
        site : ndarray of int, shape (n,)
            Number of each person's site.
        base_learners : mapping of str to BaseLearner
            Of people of training sites, the network first.
        own : mapping of str to object
            Regressors of the user's own, by name.
        predictions : mapping of str to BasePredictions
            What each base learner predicts of training people in random folds.
        networks : callable
            Predictions of training people by networks that have not seen their sites; called where they take part.
        stack : Stack
            Of people of training sites.
        patterns : mapping of Subset to ndarray of bool, shape (M,)
            Subsets of the modalities, and which of them each has.
        alone : bool
            Whether what the network predicts from all modalities is the prediction.

        Returns
        -------
        NewSites
        dict of tuple of str to ndarray, shape (n,)
            Predictions of training people from every subset by fits without their site, in the target's units; NaN for
            people who lack a modality of it.

        Raises
        ------
        NumericalError
            Where a fit has no finite answer.
        """
        used = [name for name, weight in zip(base_learners, _used(stack), strict=True) if weight]
        names = tuple(name for name in used if name != "network") or ("network",)
        learners: dict[str, BaseLearner] = {}
        left_out = []
        for name in names:
            learner = base_learners[name]
            if not isinstance(learner, RegressorLearner):
                left_out.append(networks())
                continue
            at_new, told = leave_sites_out(name, learner, training, site, own.get(name))
            left_out.append(told)
            if name in _OF_THEIR_OWN:
                learners[name] = at_new
        known = [predictions[name] for name in names]
        y, target_map, least = training.y, training.target_map, training.least
        told_of = {subset: np.empty(len(y)) for subset in patterns}
        for k in np.unique(training.fold):
            out = training.fold == k
            without = Stack.fit([p.of(~out) for p in known], y[~out], target_map, alone)
            for subset, pattern in patterns.items():
                told_of[subset][out] = without.predict_from([p.of(out) for p in left_out], pattern)
        densities = PredictiveDensities.fit(told_of, y, training.fold, least, site)
        return cls(names, learners, Stack.fit(known, y, target_map, alone), densities), told_of

    def base_learners(self, known: Mapping[str, BaseLearner]) -> list[BaseLearner]:
        """Base learners of people of new sites; `known` are those of people of training sites."""
        return [self.learners.get(name) or known[name] for name in self.names]

    def read(self, blocks: Blocks, known: Mapping[str, BaseLearner]) -> tuple[BasePredictions, ...]:
        """Predictions of people of new sites; `known` are the base learners of people of training sites."""
        return tuple(learner.read(blocks) for learner in self.base_learners(known))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        plain = {"names": self.names, "stack": asdict(self.stack), "densities": asdict(self.densities)}
        learners = {name: learner.state() for name, learner in self.learners.items()}
        return dict(to_tensors(plain)) | {"learners": learners}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        plain = to_arrays({name: held for name, held in state.items() if name != "learners"})
        return cls(
            tuple(plain["names"]),
            {name: base_learner_from_state(name, held) for name, held in state["learners"].items()},
            stack_from_state(plain["stack"]),
            PredictiveDensities.from_state(plain["densities"]),
        )


def stack_from_state(held: Mapping[str, Any]) -> Stack:
    """Rebuild what `dataclasses.asdict` took apart."""
    return Stack(**dict(held) | {"target_map": NormalScores(**held["target_map"])})


def _used(stack: Stack) -> BoolArray:
    """Which base learners have a weight in any prediction."""
    return np.any(np.column_stack([stack.latent_weights, stack.weights[:-1]]) > 0, axis=1)
