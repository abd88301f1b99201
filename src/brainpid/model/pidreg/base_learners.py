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
from brainpid.core.modalities import Subset, complete, presence
from brainpid.core.names import KEEP_PEOPLE
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.pidreg.base_predictions import (
    AdditivePredictions,
    BasePredictions,
    VaryingPredictions,
    subsets_read,
)
from brainpid.model.pidreg.gaussian_process import LEARNING_ROWS, GaussianProcess
from brainpid.model.pidreg.network.ensemble import FittedEnsemble
from brainpid.model.pidreg.normative import NormativeModel, Products
from brainpid.model.pidreg.own_regressor import OwnRegressor
from brainpid.model.pidreg.state import to_arrays, to_tensors
from brainpid.model.pidreg.trees import Trees
from brainpid.model.varying import Additive, Reading

TREES_FOLDS = 5
"""Inner folds that trees are grown for; those of the network are joined to this number."""
REST_LEARNING_ROWS = 200
"""People that a Gaussian process on all modalities but one learns its hyperparameters from."""
REST_FOREST: dict[str, Any] = {"n_estimators": 50}
REST_BOOSTING: dict[str, Any] = {"trees": 170, "learning_rate": 0.12, "bins": 63}
"""Trees on all modalities but one: fewer, and where they are boosted each goes further."""


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
    """A regressor of its own on each of the `subsets_read`.

    Attributes
    ----------
    regressors : dict of tuple of str to Regressor
    """

    regressors: dict[Subset, Regressor]

    def read(self, blocks: Blocks) -> BasePredictions:
        """Predictions of people."""
        told = [_predict({m: blocks[m] for m in subset}, found) for subset, found in self.regressors.items()]
        return BasePredictions(np.column_stack(told))

    def vary(self, blocks: Blocks, modality: str) -> VaryingPredictions:
        """People, all of whom have a modality, as they vary in it."""
        before = self.read(blocks).scores
        varying = [
            (column, own, self.regressors[subset].vary({m: blocks[m][own] for m in subset}, modality))
            for column, subset, own in self._with(blocks, modality)
        ]

        def changed(columns: IntArray, values: FloatArray) -> BasePredictions:
            scores = np.tile(before, (len(values), 1, 1))
            for column, own, reading in varying:
                scores[:, own, column] = reading(columns, values[:, own])
            return BasePredictions(scores.reshape(-1, before.shape[1]))

        return changed

    def additive(self, blocks: Blocks, modality: str) -> AdditivePredictions:
        """What each feature of a modality that all of these people have does alone."""
        return {
            column: self.regressors[subset].additive({m: blocks[m][own] for m in subset}, modality).among(own)
            for column, subset, own in self._with(blocks, modality)
        }

    def _with(self, blocks: Blocks, modality: str) -> list[tuple[int, Subset, BoolArray]]:
        """Places and subsets that have a modality, and the people who have all of it, where there are any."""
        found = [
            (column, subset, complete({m: blocks[m] for m in subset}))
            for column, subset in enumerate(self.regressors)
            if modality in subset
        ]
        return [(column, subset, own) for column, subset, own in found if own.any()]

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
    """How a kind of regressor is fitted and made again from its fields; a fit gives left-out scores (n,) besides.

    `leave_out` takes a fitted regressor, training people whose folds leave sites out, and the number of each one's
    site; it gives the regressor for people of other sites, and left-out scores, by settings as they are.

    Subsets of all modalities but one are as many as the modalities, and nearly as wide as all: where a fit is dear they
    have one of their own, which costs less.
    """

    fit: Callable[[TrainingPeople], _Fitted]
    again: Callable[..., Regressor]
    leave_out: Callable[[Any, TrainingPeople, IntArray], _Fitted]
    takes_missing: bool = False
    fit_to_rest: Callable[[TrainingPeople], _Fitted] | None = None
    leave_out_of_rest: Callable[[Any, TrainingPeople, IntArray], _Fitted] | None = None


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


def fit_base_learner(name: str, training: TrainingPeople, own: Any = None) -> tuple[RegressorLearner, BasePredictions]:
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
    kind = _kind(name, own)

    def fit_to(modalities: Subset, people: TrainingPeople, rows: BoolArray) -> _Fitted:
        fit = kind.fit_to_rest if _is_rest(modalities, training) and kind.fit_to_rest else kind.fit
        return fit(people)

    return _by_subset(kind, training, fit_to)


def leave_sites_out(
    name: str, learner: RegressorLearner, training: TrainingPeople, site: IntArray, own: Any = None
) -> tuple[RegressorLearner, BasePredictions]:
    """Base learner for people of sites that training has not seen, and what it predicts of sites that are left out.

    Nothing is chosen anew.

    Parameters
    ----------
    name, own
        As of `fit_base_learner`.
    learner : RegressorLearner
        What that gave.
    training : TrainingPeople
        With folds that leave sites out.
    site : ndarray of int, shape (n,)
        Number of each person's site.

    Raises
    ------
    NumericalError
        Where a matrix cannot be factorised.
    """
    kind = _kind(name, own)

    def leave_out(modalities: Subset, people: TrainingPeople, rows: BoolArray) -> _Fitted:
        rest = kind.leave_out_of_rest if _is_rest(modalities, training) else None
        return (rest or kind.leave_out)(learner.regressors[modalities], people, site[rows])

    return _by_subset(kind, training, leave_out)


def _kind(name: str, own: Any) -> _Kind:
    return _KINDS[name] if own is None else _Kind(partial(_fit_own, own), OwnRegressor, partial(_leave_own_out, own))


def _is_rest(modalities: Subset, training: TrainingPeople) -> bool:
    return 1 < len(modalities) < len(training.blocks)


def _by_subset(
    kind: _Kind, training: TrainingPeople, fit_to: Callable[[Subset, TrainingPeople, BoolArray], _Fitted]
) -> tuple[RegressorLearner, BasePredictions]:
    """Regressors of all subsets that are read, each of the people whom its kind takes, and left-out scores."""
    regressors, scores = {}, []
    for modalities in subsets_read(list(training.blocks)):
        chosen = {m: training.blocks[m] for m in modalities}
        has_all = complete(chosen)
        rows = np.asarray(presence(chosen).any(axis=1)) if kind.takes_missing else has_all
        left_out = np.full(len(rows), np.nan)
        regressors[modalities], left_out[rows] = fit_to(modalities, training.of(modalities, rows), rows)
        scores.append(np.where(has_all, left_out, np.nan))
    return RegressorLearner(regressors), BasePredictions(np.column_stack(scores))


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
    return RegressorLearner({subset: again(**fields) for subset, fields in held["regressors"].items()})


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


def _normative_at_new_sites(
    model: NormativeModel, training: TrainingPeople, site: IntArray, of_scores: bool
) -> _Fitted:
    return model.at_new_sites(
        training.blocks, training.y, training.target_map, training.fold, site, training.least, of_scores,
        training.products,
    )  # fmt: skip


def _leave_out_of_process(process: GaussianProcess, training: TrainingPeople, site: IntArray) -> _Fitted:
    return process, process.leave_out(training.blocks, training.target_map.transform(training.y), training.fold)


def _fit_process(training: TrainingPeople, learning_rows: int = LEARNING_ROWS) -> _Fitted:
    scores, rng = training.target_map.transform(training.y), np.random.default_rng(training.seed)
    return GaussianProcess.fit(training.blocks, scores, training.fold, rng, learning_rows)


def _fit_trees(grow: Callable[[Blocks, FloatArray, int], Trees], training: TrainingPeople) -> _Fitted:
    scores, seed = training.target_map.transform(training.y), int(training.seed.generate_state(1)[0])
    trees = grow(training.blocks, scores, seed)
    return _leave_out_of_trees(grow, trees, training, training.fold)


def _leave_out_of_trees(
    grow: Callable[[Blocks, FloatArray, int], Trees], trees: Trees, training: TrainingPeople, site: IntArray
) -> _Fitted:
    scores, seed = training.target_map.transform(training.y), int(training.seed.generate_state(1)[0])
    fold, left_out = training.fold % TREES_FOLDS, np.empty(len(scores))
    for k in np.unique(fold):
        inside = fold == k
        part = grow({m: block[~inside] for m, block in training.blocks.items()}, scores[~inside], seed)
        left_out[inside] = part.predict({m: block[inside] for m, block in training.blocks.items()})
    return trees, left_out


def _fit_own(regressor: Any, training: TrainingPeople) -> _Fitted:
    scores, seed = training.target_map.transform(training.y), int(training.seed.generate_state(1)[0])
    return OwnRegressor.fit(regressor, training.blocks, scores, training.fold, seed)


def _leave_own_out(regressor: Any, fitted: OwnRegressor, training: TrainingPeople, site: IntArray) -> _Fitted:
    scores, seed = training.target_map.transform(training.y), int(training.seed.generate_state(1)[0])
    return fitted, OwnRegressor.leave_out(regressor, training.blocks, scores, training.fold, seed)


_FOREST, _BOOSTING = Trees.randomised, Trees.boosted
_REST_FOREST, _REST_BOOSTING = partial(Trees.randomised, **REST_FOREST), partial(Trees.boosted, **REST_BOOSTING)
_KINDS = {
    "normative": _Kind(
        partial(_fit_normative, of_scores=False), NormativeModel, partial(_normative_at_new_sites, of_scores=False)
    ),
    "normative_scores": _Kind(
        partial(_fit_normative, of_scores=True), NormativeModel, partial(_normative_at_new_sites, of_scores=True)
    ),
    "kernel": _Kind(
        _fit_process,
        GaussianProcess,
        _leave_out_of_process,
        takes_missing=True,
        fit_to_rest=partial(_fit_process, learning_rows=REST_LEARNING_ROWS),
    ),
    "forest": _Kind(
        partial(_fit_trees, _FOREST),
        Trees,
        partial(_leave_out_of_trees, _FOREST),
        fit_to_rest=partial(_fit_trees, _REST_FOREST),
        leave_out_of_rest=partial(_leave_out_of_trees, _REST_FOREST),
    ),
    "boosting": _Kind(
        partial(_fit_trees, _BOOSTING),
        Trees,
        partial(_leave_out_of_trees, _BOOSTING),
        fit_to_rest=partial(_fit_trees, _REST_BOOSTING),
        leave_out_of_rest=partial(_leave_out_of_trees, _REST_BOOSTING),
    ),
}
