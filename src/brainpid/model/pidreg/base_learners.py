"""Base learners beside the network: regressors of another kind, whose errors are not the network's.

Every base learner is fitted to all training people, gives their out-of-fold predictions on the network's own inner
folds, and predicts the scores of new people. A normative model turned round and Gaussian processes are at their best
with hundreds of people, trees with thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.modalities import complete, presence
from brainpid.core.names import KEEP_PEOPLE
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_predictions import AdditivePredictions, BasePredictions, VaryingPredictions
from brainpid.model.pidreg.gaussian_process import LEARNING_ROWS, GaussianProcess
from brainpid.model.pidreg.network.ensemble import FittedEnsemble
from brainpid.model.pidreg.normative import NormativeModel, Products
from brainpid.model.pidreg.own_regressor import OwnRegressor
from brainpid.model.pidreg.state import to_arrays, to_tensors
from brainpid.model.pidreg.trees import Trees
from brainpid.model.varying import Additive, Reading

TREES_FOLDS = 5
"""Inner folds that trees are grown for; those of the network are joined to this number."""


class BaseLearner(Protocol):
    """What a base learner does; features are standardised, a row of NaN is a missing modality."""

    def read(self, blocks: Blocks) -> BasePredictions:
        """Predictions of people, blocks in sorted order of their names."""

    def vary(self, blocks: Blocks, modality: str) -> VaryingPredictions:
        """People, all of whom have a modality, as they vary in it."""

    def additive(self, blocks: Blocks, modality: str) -> AdditivePredictions:
        """What each feature of a modality that all of these people have does alone."""

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""


class Regressor(Protocol):
    """What predicts the score from one modality or from several, a dataclass of arrays and plain values."""

    def predict(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,) of people who have all these modalities."""

    def vary(self, blocks: Blocks, modality: str) -> Reading:
        """Such people as they vary in one modality."""

    def additive(self, blocks: Blocks, modality: str) -> Additive:
        """What each feature of one modality does alone."""


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
        alone = [_predict({m: blocks[m]}, regressor) for m, regressor in self.alone.items()]
        return BasePredictions(_predict(blocks, self.together), np.column_stack(alone))

    def vary(self, blocks: Blocks, modality: str) -> VaryingPredictions:
        """People, all of whom have a modality, as they vary in it."""
        before, place, own = self.read(blocks), list(blocks).index(modality), complete(blocks)
        alone = self.alone[modality].vary({modality: blocks[modality]}, modality)
        joint = self.together.vary({m: block[own] for m, block in blocks.items()}, modality) if own.any() else None

        def changed(columns: IntArray, values: FloatArray) -> BasePredictions:
            times = len(values)
            together, each = np.tile(before.together, (times, 1)), np.tile(before.alone, (times, 1))
            each[:, place] = alone(columns, values).ravel()
            if joint is not None:
                together[:, own] = joint(columns, values[:, own])
            return BasePredictions(together.ravel(), each)

        return changed

    def additive(self, blocks: Blocks, modality: str) -> AdditivePredictions:
        """What each feature of a modality that all of these people have does alone."""
        own, together = complete(blocks), Additive.nothing(*blocks[modality].shape)
        if own.any():
            joint = self.together.additive({m: block[own] for m, block in blocks.items()}, modality)
            together = joint.among(own)
        return AdditivePredictions(together, self.alone[modality].additive({modality: blocks[modality]}, modality))

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers."""
        return dict(to_tensors(asdict(self)))


@dataclass(frozen=True)
class TrainingPeople:
    """What base learners are fitted to.

    Attributes
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features in sorted order of the names; a row of NaN is a missing modality.
    y : ndarray, shape (n,)
        Target, in its units.
    target_map : NormalScores
        Between the target and the scores that are predicted.
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    seed : SeedSequence
    products : Products
        Of the features; used where nobody lacks a modality.
    least : int
        People behind each stored value of the target at least; 1 where a model is not to be passed on.
    """

    blocks: Blocks
    y: FloatArray
    target_map: NormalScores
    fold: IntArray
    seed: np.random.SeedSequence
    products: Products
    least: int = 1

    def of(self, modalities: Sequence[str], rows: BoolArray) -> TrainingPeople:
        """Some of the people, and some of the modalities."""
        blocks = {m: self.blocks[m][rows] for m in modalities}
        fold = self.fold[rows]
        products = self.products if rows.all() else Products(blocks, fold)
        return replace(self, blocks=blocks, y=self.y[rows], fold=fold, products=products)


_Fitted = tuple[Regressor, FloatArray]


@dataclass(frozen=True)
class _Kind:
    """How a kind of regressor is fitted and made again from its fields; a fit gives left-out scores (n,) besides."""

    fit: Callable[[TrainingPeople], _Fitted]
    again: Callable[..., Regressor]
    takes_missing: bool = False


def base_learners_for(trees: bool, wanted: Sequence[str], share: bool = False) -> tuple[str, ...]:
    """Names of the base learners that are fitted, in the order in which they are.

    Parameters
    ----------
    trees : bool
        Whether trees are worth fitting, as a pilot says.
    wanted : sequence of str
        Names, where ``auto`` means what is worth it.
    share : bool
        Whether the model is to be passed on, so that what keeps training people is no choice.

    Raises
    ------
    InputError
        Where what keeps training people is asked for by name in a model that is to be passed on.
    """
    if share and (keep := [name for name in wanted if name in KEEP_PEOPLE]):
        raise InputError(f"experts: {list_some(keep)} keeps training people, which a model to be shared must not")
    suits = {"normative": True, "normative_scores": True, "kernel": True, "forest": trees, "boosting": trees}
    if share:
        suits = {name: suitable and name not in KEEP_PEOPLE for name, suitable in suits.items()}
    return tuple(name for name, suitable in suits.items() if name in wanted or ("auto" in wanted and suitable))


def fit_base_learner(name: str, training: TrainingPeople, own: Any = None) -> tuple[BaseLearner, BasePredictions]:
    """Fit a base learner by name; returns it and the out-of-fold predictions of the training people.

    Parameters
    ----------
    name : str
        One of those that `base_learners_for` gives, or the name of a regressor of the user's own.
    training : TrainingPeople
    own : object
        That regressor, see `brainpid.model.pidreg.own_regressor`.

    Raises
    ------
    NumericalError
        Where a matrix cannot be factorised.
    """
    kind = _KINDS[name] if own is None else _Kind(partial(_fit_own, own), OwnRegressor)

    def fit_to(modalities: Sequence[str]) -> _Fitted:
        chosen = {m: training.blocks[m] for m in modalities}
        has_all = complete(chosen)
        own = np.asarray(presence(chosen).any(axis=1)) if kind.takes_missing else has_all
        left_out = np.full(len(own), np.nan)
        regressor, left_out[own] = kind.fit(training.of(modalities, own))
        return regressor, np.where(has_all, left_out, np.nan)

    alone = {m: fit_to([m]) for m in training.blocks}
    together, joint = fit_to(list(training.blocks))
    learner = RegressorLearner({m: regressor for m, (regressor, _) in alone.items()}, together)
    return learner, BasePredictions(joint, np.column_stack([left_out for _, left_out in alone.values()]))


def fit_together(name: str, training: TrainingPeople, learning_rows: int) -> Regressor:
    """Fit a base learner's regressor on all modalities at once, to people who have them all.

    The hyperparameters of a Gaussian process are learned from `learning_rows` of them at most.
    """
    kind = partial(_fit_process, learning_rows=learning_rows) if name == "kernel" else _KINDS[name].fit
    return kind(training)[0]


def base_learner_from_state(name: str, state: dict[str, Any]) -> BaseLearner:
    """Undo a base learner's `state`."""
    if name == "network":
        return FittedEnsemble.from_state(state)
    held, again = to_arrays(state), _KINDS[name].again
    return RegressorLearner({m: again(**fields) for m, fields in held["alone"].items()}, again(**held["together"]))


def _predict(blocks: Blocks, regressor: Regressor) -> FloatArray:
    """Predictions of those who have all of these modalities, NaN for the others."""
    own = complete(blocks)
    predictions = np.full(len(own), np.nan)
    if own.any():
        predictions[own] = regressor.predict({m: block[own] for m, block in blocks.items()})
    return predictions


def _fit_normative(training: TrainingPeople, of_scores: bool) -> _Fitted:
    return NormativeModel.fit(
        training.blocks, training.y, training.target_map, training.fold, training.least, of_scores, training.products
    )


def _fit_process(training: TrainingPeople, learning_rows: int = LEARNING_ROWS) -> _Fitted:
    scores, rng = training.target_map.transform(training.y), np.random.default_rng(training.seed)
    return GaussianProcess.fit(training.blocks, scores, training.fold, rng, learning_rows)


def _fit_trees(grow: Callable[[Blocks, FloatArray, int], Trees], training: TrainingPeople) -> _Fitted:
    scores, seed = training.target_map.transform(training.y), int(training.seed.generate_state(1)[0])
    fold, left_out = training.fold % TREES_FOLDS, np.empty(len(scores))
    for k in np.unique(fold):
        inside = fold == k
        trees = grow({m: block[~inside] for m, block in training.blocks.items()}, scores[~inside], seed)
        left_out[inside] = trees.predict({m: block[inside] for m, block in training.blocks.items()})
    return grow(training.blocks, scores, seed), left_out


def _fit_own(regressor: Any, training: TrainingPeople) -> _Fitted:
    scores, seed = training.target_map.transform(training.y), int(training.seed.generate_state(1)[0])
    return OwnRegressor.fit(regressor, training.blocks, scores, training.fold, seed)


_KINDS = {
    "normative": _Kind(partial(_fit_normative, of_scores=False), NormativeModel),
    "normative_scores": _Kind(partial(_fit_normative, of_scores=True), NormativeModel),
    "kernel": _Kind(_fit_process, GaussianProcess, takes_missing=True),
    "forest": _Kind(partial(_fit_trees, Trees.randomised), Trees),
    "boosting": _Kind(partial(_fit_trees, Trees.boosted), Trees),
}
