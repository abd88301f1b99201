"""What all baselines share: one fit for every subset of the modalities, and what is kept of the training people.

A fit sees standardised features and a target that was mapped to scores: its normal scores by rank, or only centred and
scaled. Which of both is taken is decided by the mean absolute error of held-out training people, in the target's
units. Scaling of features and the map of the target are fitted on all training people; everything else that a held-out
prediction depends on is fitted without that person's inner fold, except settings, which are chosen once for all.
"""

from __future__ import annotations

import pickle
import zlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from brainpid.config.models import TargetTransform
from brainpid.config.section import Section
from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray, Modalities, among
from brainpid.core.errors import InputError
from brainpid.core.files import atomic_path
from brainpid.core.modalities import Subset, lacking, subsets_of
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.minima import INNER_FOLDS, fewest_of_baseline
from brainpid.crossfit.site_folds import deal_sites, site_numbers
from brainpid.crossfit.transforms import NormalScores, Standardizer
from brainpid.model.baselines.subset_fits import ReadBySubsets, SubsetFit, VaryingPeople
from brainpid.model.inputs import Read, checked_training
from brainpid.model.regressor import MultimodalMixin, require_fitted
from brainpid.model.settings import settings_of
from brainpid.model.varying import Varying

_UNREADABLE = (
    EOFError,
    zlib.error,
    pickle.UnpicklingError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    ImportError,
    TypeError,
)
"""What reading a pickle raises that is cut off, is none, or names classes that have moved or have other fields."""


@dataclass(frozen=True)
class Training:
    """Training people as a fit sees them.

    Attributes
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features; where a person lacks a modality, the training medians.
    has : mapping of str to ndarray of bool, shape (n,)
        Who has the modality.
    y : ndarray, shape (n,)
        Target, in its units.
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    """

    blocks: Blocks
    has: Mapping[str, BoolArray]
    y: FloatArray
    fold: IntArray

    def rows(self, subset: Subset) -> BoolArray:
        """People (n,) who have every modality of a subset."""
        return np.all([self.has[modality] for modality in subset], axis=0)

    def error(self, held_out: FloatArray, scale: NormalScores, rows: BoolArray) -> float:
        """Mean absolute error, in the target's units, of held-out scores of these rows."""
        return float(np.abs(scale.inverse_transform(held_out) - self.y[rows]).mean())


class Baseline(MultimodalMixin, BaseEstimator):  # type: ignore[misc]
    """A regressor with one fit for every subset of the modalities.

    Attributes
    ----------
    modalities_ : tuple of str
        In the order of the mapping that was fitted.
    target_transform_ : str
        The map of the target that was taken, ``normal_scores`` or ``none``.
    out_of_fold_prediction_ : ndarray, shape (n_train,)
        Prediction of each training person by fits without that person's inner fold, in the target's units.
    out_of_fold_subsets_ : dict of tuple of str to ndarray, shape (n_train,)
        The same from every subset of the modalities.
    sites_ : tuple of str
        Names of the training sites; there where sites were given.
    left_out_subsets_ : dict of tuple of str to ndarray, shape (n_train,)
        As `out_of_fold_subsets_`, by fits without the person's site; empty where nothing was learned of new sites.
    unseen_densities_ : PredictiveDensities or None
        What predictions are worth at sites that training has not seen; None where it could not be learned.

    Notes
    -----
    A modality is missing for a person whose row in it is all NaN; single missing cells get the training median. A
    person is predicted by the fit to exactly the modalities that the person has, and a fit sees everybody who has its
    modalities: filling whole modalities with medians was no better for people who have all of them, and for the
    others much worse. The result does not depend on the order of the modalities.
    """

    file = "model.joblib"
    section: type[Section]
    """What declares the options of the baseline, and their ranges."""
    target_transform: TargetTransform
    random_state: int

    @abstractmethod
    def _choose(self, training: Training, scale: NormalScores) -> tuple[float, Any]:
        """Choose settings under one map of the target: error of held-out people in units, and what to go on with."""

    @abstractmethod
    def _finish(self, training: Training, scale: NormalScores, chosen: Any) -> Mapping[Subset, SubsetFit]:
        """Fit every subset with what was chosen."""

    @abstractmethod
    def _left_out(self, training: Training, scale: NormalScores, fold: IntArray) -> Mapping[Subset, FloatArray]:
        """Scores of the people who have each subset by fits without their fold (n,), with the settings as chosen."""

    def fit(self, X: Modalities, y: ArrayLike, groups: ArrayLike | None = None, sites: ArrayLike | None = None) -> Self:
        """Fit to training people.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
            Features of two or more modalities; NaN is a missing cell, a row of NaN a missing modality.
        y : array_like, shape (n,)
            Target, in its units.
        groups : array_like, shape (n,), optional
            People with equal labels share an inner fold.
        sites : array_like of str, shape (n,), optional
            Site of each person, NaN where it is not known; their names are remembered, and with three or more of them
            inner folds that leave sites out tell how sure predictions of people of other sites are.

        Raises
        ------
        InputError
            Where an option is out of its range, features, target, groups or sites are not usable, or too few people
            have all modalities.
        """
        settings_of(self.section, self.get_params(deep=False), type(self).__name__)
        self.layout_, blocks, y, group = checked_training(X, y, groups, sites)
        own_site = self._remember_sites(sites, len(y))
        self.modalities_ = self.layout_.modalities
        has = _present(blocks)
        anything = np.any(list(has.values()), axis=0)
        if (complete := int(np.all(list(has.values()), axis=0).sum())) < fewest_of_baseline():
            raise InputError(
                f"{complete} training people have every modality ({', '.join(self.modalities_)}); expected at least "
                f"{fewest_of_baseline()}"
            )
        names = sorted(blocks)  # the order of the mapping must not matter
        has = {name: has[name][anything] for name in names}
        seen = {name: blocks[name][anything] for name in names}
        self.scalers_ = {name: Standardizer.fit(seen[name][has[name]]) for name in names}
        training = Training(
            {name: self.scalers_[name].transform(seen[name]) for name in names},
            has,
            y[anything],
            stratified_folds(y[anything], INNER_FOLDS, np.random.default_rng(self.random_state), group[anything]),
        )
        self.normal_scores_ = NormalScores.fit(training.y)
        scales = {"normal_scores": self.normal_scores_, "none": NormalScores.straight(training.y)}
        tried = [*scales] if self.target_transform == "auto" else [self.target_transform]
        choices = {name: self._choose(training, scales[name]) for name in tried}
        self.target_transform_ = min(choices, key=lambda name: choices[name][0])
        self.scale_ = scales[self.target_transform_]
        self.fits_ = dict(self._finish(training, self.scale_, choices[self.target_transform_][1]))
        self._keep(training, anything)
        self._learn_new_sites(training, own_site[anything], group[anything], anything)
        return self

    def _learn_new_sites(
        self, training: Training, sites: NDArray[np.object_], group: IntArray, anything: BoolArray
    ) -> None:
        """Fit densities to predictions of training people by fits that have not seen their site, and keep these."""
        self.unseen_densities_, self.left_out_subsets_ = None, {}
        complete = training.rows(tuple(training.has))
        fold = deal_sites(sites, training.y, complete, self.random_state, group)
        if fold is None:
            return
        left_out = self._left_out(training, self.scale_, fold)
        told = {s: among(self.scale_.inverse_transform(left_out[s]), training.rows(s)) for s in self.subsets_}
        member, _ = site_numbers(sites)
        self.unseen_densities_ = PredictiveDensities.fit(told, training.y, fold, site=member)
        self.left_out_subsets_ = {subset: among(found, anything) for subset, found in told.items()}

    def _keep(self, training: Training, anything: BoolArray) -> None:
        """Keep what held-out training people tell: a prediction of each from every subset, and how sure these are."""
        patterns = _patterns(training.has, self.subsets_)
        predicted, told = np.full(len(training.y), np.nan), {}
        for subset in self.subsets_:
            told[subset] = among(self.scale_.inverse_transform(self.fits_[subset].held_out), training.rows(subset))
            predicted[patterns[subset]] = told[subset][patterns[subset]]
        self.densities_ = PredictiveDensities.fit(told, training.y, training.fold)
        self.out_of_fold_prediction_ = among(predicted, anything)
        self.out_of_fold_subsets_ = {subset: among(found, anything) for subset, found in told.items()}

    @property
    def _densities(self) -> PredictiveDensities:
        return self.densities_

    @property
    def _unseen_densities(self) -> PredictiveDensities | None:
        return self.unseen_densities_

    @property
    def subsets_(self) -> list[Subset]:
        """Every non-empty subset of the modalities, small ones first, each in the order of the modalities."""
        return subsets_of(self.modalities_)

    def read(self, X: Modalities | Read, sites: ArrayLike | None = None) -> ReadBySubsets:
        """Standardise new people once; every method below takes what this gives in the place of `X`.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m), or what this gave before
        sites : array_like of str, shape (n,), optional
            Site of each person, NaN where it is not known. Intervals and log scores of people whose site training has
            not seen are those of such people.

        Raises
        ------
        InputError
            Where `X` does not have the modalities and features that were fitted, or was read by another model.
        """
        require_fitted(self, "fits_")
        if isinstance(X, Read):
            return cast(ReadBySubsets, X.check(self.fits_))
        blocks = self.layout_.check(X)
        scaled = {name: self.scalers_[name].transform(block) for name, block in blocks.items()}
        n = len(next(iter(blocks.values())))
        return ReadBySubsets(self.fits_, self._unseen(sites, n), self.scale_, scaled, _present(blocks))

    def predict(self, X: Modalities | Read) -> FloatArray:
        """Predict targets (n,), in the target's units, from what each person has; NaN for a person with nothing."""
        read = self.read(X)
        predicted = np.full(read.n, np.nan)
        for subset, rows in _patterns(read.has, self.subsets_).items():
            predicted[rows] = read.predict(subset, rows)
        return predicted

    def vary(self, X: Modalities, modality: str, sites: ArrayLike | None = None) -> Varying:
        """People of these sites as they vary in some features of a modality; see `brainpid.model.varying`."""
        read, parts = self.read(X, sites), []
        for subset, rows in _patterns(read.has, self.subsets_).items():
            if modality in subset and rows.any():
                blocks = {m: read.blocks[m][rows] for m in subset}
                parts.append((rows, self.fits_[subset].vary(blocks, modality)))
        return VaryingPeople(self.scale_, self.scalers_[modality], read.blocks[modality], parts)

    def subset_predictions(self, X: Modalities | Read) -> dict[Subset, FloatArray]:
        """Predicted target (n,), in its units, from every subset of the modalities; NaN for people who lack one."""
        read = self.read(X)
        predictions = {}
        for subset in self.subsets_:
            rows = np.all([read.has[modality] for modality in subset], axis=0)
            predictions[subset] = np.full(read.n, np.nan)
            predictions[subset][rows] = read.predict(subset, rows)
        return predictions

    def scalar_latents(self, X: Modalities | Read) -> dict[str, FloatArray]:
        """Predicted normal score (n,) from each modality alone; NaN for people who lack it."""
        predictions = self.subset_predictions(X)
        return {modality: self.normal_scores_.transform(predictions[modality,]) for modality in self.modalities_}

    def history(self) -> list[dict[str, float]]:
        """Nothing: there are no epochs."""
        return []

    def chosen(self) -> dict[str, Any]:
        """What was chosen inside the training rows: the map of the target, and the settings of each subset's fit."""
        settings = {"+".join(subset): fit.chosen() for subset, fit in self.fits_.items()}
        return {"target_transform": self.target_transform_, "settings": settings}

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to ``model.joblib``; only load such a file from a source that you trust."""
        with atomic_path(Path(folder) / self.file) as part:
            joblib.dump(self, part, compress=3)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote; only load such a file from a source that you trust.

        Raises
        ------
        InputError
            Where the file is absent, damaged, or holds something else.
        """
        path = Path(folder) / cls.file
        if not path.is_file():
            raise InputError(f"{path}: expected a saved {cls.__name__}; the file does not exist")
        try:
            zlib.decompress(path.read_bytes())  # its checksum: a damaged pickle can raise anything, or load
            model = joblib.load(path)
        except _UNREADABLE as fault:
            raise InputError(
                f"{path}: expected a saved {cls.__name__}; the file is cut off, damaged or of another version: "
                f"{' '.join(str(fault).split())[:200]}"
            ) from fault
        if not isinstance(model, cls):
            raise InputError(f"{folder}: expected a {cls.__name__}, found a {type(model).__name__}")
        return model


def _present(blocks: Blocks) -> dict[str, BoolArray]:
    """Who has which modality: a row of NaN is a missing one."""
    return {name: ~lacking(block) for name, block in blocks.items()}


def _patterns(has: Mapping[str, BoolArray], subsets: list[Subset]) -> dict[Subset, BoolArray]:
    """People (n,) who have exactly the modalities of a subset, for every subset."""
    names, rows = tuple(has), np.stack(list(has.values()), axis=1)
    return {subset: np.all(rows == [name in subset for name in names], axis=1) for subset in subsets}
