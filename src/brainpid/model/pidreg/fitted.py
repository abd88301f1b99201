"""A fitted PIDReg as one value: base learners, the stack of their predictions, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self, cast

import numpy as np

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray, Modalities
from brainpid.core.errors import InputError, did_you_mean
from brainpid.core.modalities import Subset, lacking, subsets_of
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.crossfit.transforms import NormalScores, RankedStandardizer, Standardizer, standardizer_from
from brainpid.model.inputs import Layout, Read
from brainpid.model.pidreg.base_learners import BaseLearner, base_learner_from_state
from brainpid.model.pidreg.base_predictions import BasePredictions, ReadByBaseLearners
from brainpid.model.pidreg.new_sites import NewSites, stack_from_state
from brainpid.model.pidreg.stacking import Stack
from brainpid.model.pidreg.state import to_arrays, to_tensors
from brainpid.model.pidreg.varying import VaryingPeople
from brainpid.model.varying import Varying, VaryingParts


@dataclass(frozen=True)
class OutOfFold:
    """What base learners and weights that had not seen them predict of training people.

    Attributes
    ----------
    prediction : ndarray, shape (n,)
        From the modalities that each person has, in the target's units.
    subsets : dict of tuple of str to ndarray, shape (n,)
        From every subset of the modalities; NaN for people who lack one of it.
    latents : dict of str to ndarray, shape (n,)
        Scalar latents as normal scores; NaN where the modality is missing.
    """

    prediction: FloatArray
    subsets: dict[Subset, FloatArray]
    latents: dict[str, FloatArray]


@dataclass(frozen=True)
class FittedModel:
    """Everything that a prediction needs.

    Attributes
    ----------
    layout : Layout
        Modalities and features that were fitted on.
    standardizers : dict of str to Standardizer
        By modality, in sorted order, which is that of all arrays (n, M).
    score_map : NormalScores
        Between the target and its normal scores, the scale of the scalar latents; the base learners' own scale is
        another one where they take the target as it is.
    base_learners : dict of str to BaseLearner
    stack : Stack
    densities : PredictiveDensities
        How sure a prediction from each subset of the modalities is.
    new_sites : NewSites or None
        How people of sites that training has not seen are predicted; None where it could not be learned.
    """

    layout: Layout
    standardizers: dict[str, Standardizer]
    score_map: NormalScores
    base_learners: dict[str, BaseLearner]
    stack: Stack
    densities: PredictiveDensities
    new_sites: NewSites | None = None

    @classmethod
    def calibrate(
        cls,
        layout: Layout,
        standardizers: dict[str, Standardizer],
        target_map: NormalScores,
        base_learners: dict[str, BaseLearner],
        predictions: Sequence[BasePredictions],
        y: FloatArray,
        fold: IntArray,
        least: int = 1,
        alone: bool = False,
    ) -> tuple[Self, OutOfFold]:
        """Weigh the base learners and fit predictive densities by out-of-fold predictions of training people.

        Densities rest on predictions by weights that were fitted without a person's own fold.

        Parameters
        ----------
        layout, standardizers, base_learners
            As above.
        target_map : NormalScores
            Between the target and the scores that the base learners predict.
        predictions : sequence of BasePredictions
            Of each base learner, of training people whom it had not seen.
        y : ndarray, shape (n,)
            Target, in its units.
        fold : ndarray of int, shape (n,)
            Inner fold of each person.
        least : int
            People behind each knot of the normal scores at least.
        alone : bool
            Whether what the first base learner predicts from all modalities is the prediction.
        """
        patterns = patterns_of(layout.modalities)
        predicted, left_out = np.empty(len(y)), {subset: np.empty(len(y)) for subset in patterns}
        latents = np.empty((len(y), len(standardizers)))
        for k in np.unique(fold):
            own = fold == k
            without = Stack.fit([p.of(~own) for p in predictions], y[~own], target_map, alone)
            rest = [p.of(own) for p in predictions]
            predicted[own], latents[own] = without.predict(rest), without.latents(rest)
            for subset, pattern in patterns.items():
                left_out[subset][own] = without.predict_from(rest, pattern)
        stack = Stack.fit(predictions, y, target_map, alone)
        densities = PredictiveDensities.fit(left_out, y, fold, least)
        found = cls(layout, standardizers, NormalScores.fit(y, least), base_learners, stack, densities)
        return found, OutOfFold(predicted, left_out, found._by_modality(latents))

    def read(self, X: Modalities | Read, unseen: Callable[[int], BoolArray]) -> ReadByBaseLearners:
        """Predictions of people by all base learners; what it has read already stays as it is.

        `unseen` gives which of n people are of sites that training has not seen.
        """
        if isinstance(X, Read):
            return cast(ReadByBaseLearners, X.check(self))
        blocks = standardise(self.layout.check(X), self.standardizers)
        own = unseen(len(next(iter(blocks.values()))))
        told = tuple(learner.read(blocks) for learner in self.base_learners.values())
        elsewhere: tuple[BasePredictions, ...] = ()
        if self.new_sites is not None and own.any():
            elsewhere = self.new_sites.read({m: block[own] for m, block in blocks.items()}, self.base_learners)
        return ReadByBaseLearners(self, own, told, blocks, elsewhere)

    def vary(self, X: Modalities, modality: str, unseen: Callable[[int], BoolArray]) -> Varying:
        """People, all of whom have a modality, as they vary in it; `unseen` as of `read`."""
        if modality not in self.layout.modalities:
            raise InputError(f"there is no modality '{modality}'; {did_you_mean(modality, self.layout.modalities)}")
        blocks = standardise(self.layout.check(X), self.standardizers)
        own = unseen(len(blocks[modality]))
        parts: list[tuple[BoolArray, Varying]] = []
        if not own.all() or not len(own):
            parts.append((~own, self._varying(self.stack, list(self.base_learners.values()), blocks, modality, ~own)))
        if self.new_sites is not None and own.any():
            learners = self.new_sites.base_learners(self.base_learners)
            parts.append((own, self._varying(self.new_sites.stack, learners, blocks, modality, own)))
        return parts[0][1] if len(parts) == 1 else VaryingParts(parts)

    def _varying(
        self, stack: Stack, learners: Sequence[BaseLearner], blocks: Blocks, modality: str, rows: BoolArray
    ) -> VaryingPeople:
        """Some people as base learners and a stack read them while a modality varies."""
        some = {m: block[rows] for m, block in blocks.items()}
        return VaryingPeople(stack.predict, learners, self.standardizers[modality], some, modality)

    def predict(self, read: ReadByBaseLearners) -> FloatArray:
        """Predictions (n,) in the target's units, from the modalities that each person has."""
        return self._told(read, Stack.predict)

    def predict_from(self, read: ReadByBaseLearners, subset: Subset) -> FloatArray:
        """Predictions (n,) in the target's units from a subset of the modalities."""
        pattern = patterns_of(self.layout.modalities)[subset]
        return self._told(read, lambda stack, predictions: stack.predict_from(predictions, pattern))

    def latents(self, read: ReadByBaseLearners) -> dict[str, FloatArray]:
        """Scalar latents by modality as normal scores, (n,) each; NaN for people who lack the modality."""
        return self._by_modality(self._told(read, Stack.latents))

    def _told(
        self, read: ReadByBaseLearners, tell: Callable[[Stack, Sequence[BasePredictions]], FloatArray]
    ) -> FloatArray:
        """What stacks tell of people, that of new sites of those who are of one."""
        found = tell(self.stack, read.predictions)
        if self.new_sites is not None and read.unseen.any():
            found[read.unseen] = tell(self.new_sites.stack, read.at_new_sites)
        return found

    def _by_modality(self, latents: FloatArray) -> dict[str, FloatArray]:
        """Latents (n, M) on the base learners' scale as normal scores by modality, (n,) each."""
        in_units = self.stack.target_map.inverse_transform(latents)
        columns = dict(zip(self.standardizers, self.score_map.transform(in_units).T, strict=True))
        return {m: columns[m].copy() for m in self.layout.modalities}

    def state(self) -> dict[str, Any]:
        """Tensors and plain containers, which `torch.load` accepts from any source."""
        plain = {
            "layout": asdict(self.layout),
            "standardizers": {m: asdict(fitted) for m, fitted in self.standardizers.items()},
            "score_map": asdict(self.score_map),
            "stack": asdict(self.stack),
            "densities": asdict(self.densities),
        }
        return dict(to_tensors(plain)) | {
            "base_learners": {name: learner.state() for name, learner in self.base_learners.items()},
            "new_sites": None if self.new_sites is None else self.new_sites.state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        plain = to_arrays({name: held for name, held in state.items() if name not in ("base_learners", "new_sites")})
        return cls(
            layout=Layout(**plain["layout"]),
            standardizers={m: standardizer_from(held) for m, held in plain["standardizers"].items()},
            score_map=NormalScores(**plain["score_map"]),
            base_learners={name: base_learner_from_state(name, held) for name, held in state["base_learners"].items()},
            stack=stack_from_state(plain["stack"]),
            densities=PredictiveDensities.from_state(plain["densities"]),
            new_sites=None if state["new_sites"] is None else NewSites.from_state(state["new_sites"]),
        )


def patterns_of(modalities: Sequence[str]) -> dict[Subset, BoolArray]:
    """Subsets of the modalities, and which of them, in the order of their names, each has (M,)."""
    return {subset: np.array([m in subset for m in sorted(modalities)]) for subset in subsets_of(modalities)}


def fit_standardizers(features: Mapping[str, FloatArray], transform: str, least: int) -> dict[str, Standardizer]:
    """Scaling of each modality by the people who have it, in sorted order of the names: the order given is none.

    Parameters
    ----------
    features : mapping of str to ndarray, shape (n, p_m)
    transform : {"normal_scores", "none"}
    least : int
        People behind each value that a scaling by ranks keeps, at least.
    """
    known = {m: features[m][~lacking(features[m])] for m in sorted(features)}
    if transform == "none":
        return {m: Standardizer.fit(block) for m, block in known.items()}
    return {m: RankedStandardizer.fit(block, least=least) for m, block in known.items()}


def standardise(features: Mapping[str, FloatArray], standardizers: Mapping[str, Standardizer]) -> dict[str, FloatArray]:
    """Standardised blocks (n, p_m) in the order of the standardizers; a row of NaN stays one."""
    return {
        m: np.where(lacking(features[m])[:, None], np.nan, fitted.transform(features[m]))
        for m, fitted in standardizers.items()
    }
