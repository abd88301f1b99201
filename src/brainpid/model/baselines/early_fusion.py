"""Early fusion: one scikit-learn regressor on the features of all modalities side by side."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.linalg import factorising
from brainpid.core.modalities import Subset
from brainpid.crossfit.transforms import NormalScores
from brainpid.model.baselines.base import Baseline, Training
from brainpid.model.baselines.varying import VaryingScores, vary_scores

Setting = dict[str, Any]


def side_by_side(blocks: Blocks, subset: Subset) -> FloatArray:
    """Features (n, p) of a subset, by the modalities' names so that their order does not matter."""
    return np.column_stack([blocks[modality] for modality in sorted(subset)])


@dataclass(frozen=True)
class Choice:
    """A setting and its held-out scores (n,)."""

    setting: Setting
    held_out: FloatArray


@dataclass
class ConcatenatedFit:
    """A regressor that was fitted to the concatenated features of one subset, with a setting."""

    subset: Subset
    setting: Setting
    regressor: Any
    held_out: FloatArray

    def chosen(self) -> dict[str, Any]:
        """Return the setting; what is not a number, as a kernel, is told in words."""
        return {name: value if isinstance(value, int | float) else str(value) for name, value in self.setting.items()}

    def scores(self, blocks: Blocks) -> FloatArray:
        """Predicted scores (n,)."""
        predicted: FloatArray = self.regressor.predict(side_by_side(blocks, self.subset))
        return np.asarray(predicted, dtype=float).reshape(-1)

    def vary(self, blocks: Blocks, modality: str) -> VaryingScores:
        """People as they vary in one modality."""
        start = sum(blocks[m].shape[1] for m in self.subset if m < modality)
        return vary_scores(self.regressor, side_by_side(blocks, self.subset), start, blocks[modality].shape[1])


class ConcatenatedRegressor(Baseline):
    """A scikit-learn regressor on concatenated features; a subclass says which, and between what to choose.

    Settings are chosen by the mean absolute error of held-out training people, in the target's units, under each map of
    the target. The fits to subsets of the modalities take over what was chosen for all, unless the choice is cheap.
    """

    choice_people: int | None = None
    """People, drawn at random, that a choice between many settings is made on where there are more."""

    @abstractmethod
    def regressor(self, setting: Setting) -> Any:
        """Make a new scikit-learn regressor."""

    def settings(self, features: FloatArray, scores: FloatArray, start: Setting | None = None) -> Sequence[Setting]:
        """Settings to choose between.

        Parameters
        ----------
        features : ndarray, shape (n, p)
        scores : ndarray, shape (n,)
        start : dict, optional
            What was chosen for all modalities, where a subset of them is fitted.
        """
        return [start or {}]

    def path(
        self, features: FloatArray, scores: FloatArray, new: FloatArray, settings: Sequence[Setting]
    ) -> FloatArray:
        """Fit every setting to some people and predict others.

        Parameters
        ----------
        features : ndarray, shape (n, p)
        scores : ndarray, shape (n,)
        new : ndarray, shape (k, p)
        settings : sequence of dict

        Returns
        -------
        ndarray, shape (settings, k)
        """
        return np.stack([self.regressor(setting).fit(features, scores).predict(new) for setting in settings])

    def choose(
        self,
        features: FloatArray,
        y: FloatArray,
        scale: NormalScores,
        fold: IntArray,
        start: Setting | None = None,
    ) -> Choice:
        """Choose a setting by the held-out error and return its held-out scores.

        Parameters
        ----------
        features : ndarray, shape (n, p)
            Standardised.
        y : ndarray, shape (n,)
            Target, in its units.
        scale : NormalScores
            Map of the target to scores.
        fold : ndarray of int, shape (n,)
        start : dict, optional
            See `settings`.

        Raises
        ------
        NumericalError
            Where a matrix cannot be factorised.
        """
        with factorising(type(self).__name__, features, *features.shape):
            return self._choice(features, y, scale, fold, start)

    def _choice(
        self, features: FloatArray, y: FloatArray, scale: NormalScores, fold: IntArray, start: Setting | None
    ) -> Choice:
        scores = scale.transform(y)
        settings = self.settings(features, scores, start)
        if len(settings) > 1 and self.choice_people and len(y) > self.choice_people:
            some = np.random.default_rng(self.random_state).permutation(len(y))[: self.choice_people]
            held_out = self._held_out(features[some], scores[some], fold[some], settings)
            settings = [settings[_best(held_out, y[some], scale)]]
        held_out = self._held_out(features, scores, fold, settings)
        best = _best(held_out, y, scale)
        return Choice(settings[best], held_out[best])

    def _held_out(
        self, features: FloatArray, scores: FloatArray, fold: IntArray, settings: Sequence[Setting]
    ) -> FloatArray:
        """Scores (settings, n) of everybody by fits without the own fold."""
        held_out = np.empty((len(settings), len(scores)))
        for k in np.unique(fold):
            out = fold == k
            held_out[:, out] = self.path(features[~out], scores[~out], features[out], settings)
        return held_out

    def _choose(self, training: Training, scale: NormalScores) -> tuple[float, Choice]:
        everything = tuple(training.blocks)
        rows = training.rows(everything)
        choice = self.choose(
            side_by_side(training.blocks, everything)[rows], training.y[rows], scale, training.fold[rows]
        )
        return training.error(choice.held_out, scale, rows), choice

    def _finish(self, training: Training, scale: NormalScores, chosen: Choice) -> Mapping[Subset, ConcatenatedFit]:
        fits = {}
        for subset in self.subsets_:
            rows = training.rows(subset)
            features, y = side_by_side(training.blocks, subset)[rows], training.y[rows]
            choice = chosen
            if len(subset) < len(self.modalities_):
                choice = self.choose(features, y, scale, training.fold[rows], chosen.setting)
            fits[subset] = self.fit_setting(subset, choice, features, scale.transform(y))
        return fits

    def _left_out(self, training: Training, scale: NormalScores, fold: IntArray) -> Mapping[Subset, FloatArray]:
        scores, found = scale.transform(training.y), {}
        for subset, fit in cast(Mapping[Subset, ConcatenatedFit], self.fits_).items():
            rows = training.rows(subset)
            features = side_by_side(training.blocks, subset)[rows]
            found[subset] = self.held_out(features, scores[rows], fold[rows], fit.setting)
        return found

    def held_out(self, features: FloatArray, scores: FloatArray, fold: IntArray, setting: Setting) -> FloatArray:
        """Scores (n,) of everybody by fits of one setting without the own fold.

        Raises
        ------
        NumericalError
            Where a matrix cannot be factorised.
        """
        with factorising(type(self).__name__, features, *features.shape):
            return np.asarray(self._held_out(features, scores, fold, [setting])[0])

    def fit_setting(self, subset: Subset, choice: Choice, features: FloatArray, scores: FloatArray) -> ConcatenatedFit:
        """Fit the chosen setting to features (n, p) of a subset and scores (n,).

        Raises
        ------
        NumericalError
            Where a matrix cannot be factorised.
        """
        with factorising(type(self).__name__, features, *features.shape):
            regressor = self.regressor(choice.setting).fit(features, scores)
        return ConcatenatedFit(subset, choice.setting, regressor, choice.held_out)


def _best(held_out: FloatArray, y: FloatArray, scale: NormalScores) -> int:
    """Setting with the smallest mean absolute error in the target's units; the first of equals."""
    return int(np.argmin(np.abs(scale.inverse_transform(held_out) - y).mean(axis=1)))
