"""What every model has: what follows from the predictive densities of its readers, and scikit-learn's conventions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score

from brainpid.core.arrays import BoolArray, FloatArray, Modalities
from brainpid.core.errors import InputError
from brainpid.core.modalities import Subset
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.model.inputs import Read, check_people, checked_coverage, checked_target
from brainpid.model.sites import checked_sites


class NotFitted(InputError, NotFittedError):  # type: ignore[misc]
    """A model is asked before it was fitted; scikit-learn's error too, for what catches that."""


def require_fitted(model: object, attribute: str) -> None:
    """Raise `NotFitted` where a model lacks what its fit sets."""
    if not hasattr(model, attribute):
        raise NotFitted(f"this {type(model).__name__} is not fitted yet; call fit or load before")


class MultimodalMixin(RegressorMixin):  # type: ignore[misc]
    """What follows from the predictions of every subset of the modalities, and scikit-learn's score."""

    modalities_: tuple[str, ...]
    sites_: tuple[str, ...]

    def _remember_sites(self, sites: ArrayLike | None, n: int) -> NDArray[np.object_]:
        """Keep the names of the training sites, where they are given; the site of each person (n,), or None."""
        if hasattr(self, "sites_"):
            del self.sites_
        own = checked_sites(sites, n)
        if sites is not None:
            self.sites_ = tuple(sorted({str(site) for site in own if site is not None}))
        return own

    @property
    def _densities(self) -> PredictiveDensities:
        """Predictive densities of the reader of every subset."""
        raise NotImplementedError

    @property
    def _unseen_densities(self) -> PredictiveDensities | None:
        """The same for people of sites that training has not seen; None where they could not be learned."""
        raise NotImplementedError

    @property
    def learned_new_sites(self) -> bool:
        """Whether training sites that were left out told how people of other sites are predicted, and how surely."""
        return self._unseen_densities is not None

    def _unseen(self, sites: ArrayLike | None, n: int) -> BoolArray:
        """Who (n,) is of a site that training has not seen, where what predictions are worth there was learned."""
        own = checked_sites(sites, n)
        if self._unseen_densities is None:
            return np.zeros(n, dtype=bool)
        return np.array([site is not None and site not in self.sites_ for site in own], dtype=bool)

    def _by_density(self, unseen: BoolArray) -> Iterator[tuple[PredictiveDensities, BoolArray]]:
        """Densities and who is read by them."""
        if not unseen.all() or not len(unseen):
            yield self._densities, ~unseen
        if self._unseen_densities is not None and unseen.any():
            yield self._unseen_densities, unseen

    def predict_interval(self, X: Modalities | Read, coverage: float = 0.9) -> FloatArray:
        """Prediction intervals (n, 2), in the target's units, from the modalities that each person has.

        Parameters
        ----------
        X : mapping of str to array_like, shape (n, p_m), or what `read` gave
        coverage : float
            Between 0 and 1; see `brainpid.crossfit.densities`.
        """
        coverage, read = checked_coverage(coverage), self.read(X)
        predictions = self.subset_predictions(read)
        intervals = np.full((len(predictions[self.modalities_]), 2), np.nan)
        for subset, who in _people_by_subset(predictions, self.modalities_):
            for densities, rows in self._by_density(read.unseen):
                if (own := who & rows).any():
                    intervals[own] = densities.interval(_of(predictions, own), subset, coverage)
        return intervals

    def known_site_width(self, X: Modalities | Read, coverage: float = 0.9) -> FloatArray:
        """Width (n,) that intervals of people of new sites would have if training had seen the site, in target units.

        At the same prediction. NaN for everybody else, and where what predictions are worth at new sites could not be
        learned, so that the interval is that of a known site.
        """
        coverage, read = checked_coverage(coverage), self.read(X)
        widths = np.full(len(read.unseen), np.nan)
        if not read.unseen.any():
            return widths
        predictions = self.subset_predictions(read)
        for subset, who in _people_by_subset(predictions, self.modalities_):
            if (own := who & read.unseen).any():
                widths[own] = np.diff(self._densities.interval(_of(predictions, own), subset, coverage))[:, 0]
        return widths

    def expected_gain(self, X: Modalities | Read, coverage: float = 0.9) -> dict[str, FloatArray]:
        """By how much acquiring a modality would narrow a person's interval: modality to (n,), in the target's units.

        The width of intervals at the person's prediction from the modalities at hand, less that with the modality
        added; NaN for people who have it. A negative value is no gain.
        """
        coverage, read = checked_coverage(coverage), self.read(X)
        predictions = self.subset_predictions(read)
        gain = {m: np.full(len(predictions[self.modalities_]), np.nan) for m in self.modalities_}
        for subset, who in _people_by_subset(predictions, self.modalities_):
            for densities, rows in self._by_density(read.unseen):
                own = who & rows
                for added in set(self.modalities_) - set(subset) if own.any() else ():
                    more = tuple(m for m in self.modalities_ if m == added or m in subset)
                    gain[added][own] = densities.expected_gain(_of(predictions, own), subset, more, coverage)
        return gain

    def log_scores(
        self, X: Modalities | Read, y: ArrayLike, reference: ArrayLike | None = None
    ) -> dict[Subset, FloatArray]:
        """Log scores ``log2 q_A(y | x) - log2 p(y)`` of people's targets by the reader of every subset A.

        Their mean over people whom the model has not seen is the information in its predictions.

        Parameters
        ----------
        X : mapping of str to array_like, shape (n, p_m), or what `read` gave
        y : array_like, shape (n,)
            In the target's units.
        reference : array_like, shape (k,), optional
            Targets p in the place of the training people's, such as those of the same cohort.

        Returns
        -------
        dict of tuple of str to ndarray, shape (n,)
            In bits; NaN for people who lack a modality of the subset.
        """
        read = self.read(X)
        predictions = self.subset_predictions(read)
        target = checked_target(y, len(predictions[self.modalities_]))
        return self._log_scores(predictions, target, reference, read.unseen)

    def rescored(
        self,
        predictions: Mapping[Subset, ArrayLike],
        y: ArrayLike,
        reference: ArrayLike,
        sites: ArrayLike | None = None,
    ) -> dict[Subset, FloatArray]:
        """`log_scores` from predictions of every subset (n,) that the model gave before, in the target's units.

        `sites` (n,) are those that were given to `read`.
        """
        values = {subset: np.asarray(own, dtype=float) for subset, own in predictions.items()}
        target = np.asarray(y, dtype=float)
        return self._log_scores(values, target, reference, self._unseen(sites, len(target)))

    def _log_scores(
        self, predictions: dict[Subset, FloatArray], y: FloatArray, reference: ArrayLike | None, unseen: BoolArray
    ) -> dict[Subset, FloatArray]:
        """Log scores, each person's by the densities of the person's kind of site."""
        if not unseen.any():
            return self._densities.log_scores(predictions, y, reference)
        told = {subset: np.full(len(y), np.nan) for subset in predictions}
        for densities, own in self._by_density(unseen):
            for subset, found in densities.log_scores(_of(predictions, own), y[own], reference).items():
                told[subset][own] = found
        return told

    def score(self, X: Modalities, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Coefficient of determination of `predict`.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m)
        y : array_like, shape (n,)
            In the target's units.
        sample_weight : array_like, shape (n,), optional

        Raises
        ------
        InputError
            Where features are not those that were fitted, labels of rows differ, a target is missing, or a person has
            no modality.
        """
        predicted: FloatArray = self.predict(X)
        target = checked_target(y, len(predicted))
        check_people(X, y, sample_weight)
        if without := int(np.isnan(predicted).sum()):
            raise InputError(f"{without} of {len(target)} people have no modality, and so no prediction to score")
        return float(r2_score(target, predicted, sample_weight=sample_weight))


def _people_by_subset(
    predictions: dict[Subset, FloatArray], modalities: tuple[str, ...]
) -> Iterator[tuple[Subset, BoolArray]]:
    """Who has exactly which modalities; people without any are in no subset."""
    present = np.column_stack([np.isfinite(predictions[m,]) for m in modalities])
    for pattern in np.unique(present[present.any(axis=1)], axis=0):
        yield tuple(np.array(modalities)[pattern].tolist()), (present == pattern).all(axis=1)


def _of(predictions: dict[Subset, FloatArray], rows: BoolArray) -> dict[Subset, FloatArray]:
    return {subset: found[rows] for subset, found in predictions.items()}
