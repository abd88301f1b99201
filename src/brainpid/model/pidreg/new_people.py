"""What a fitted PIDReg says of new people, who come by modality or, where it splits a matrix, as one matrix."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, Modalities
from brainpid.core.errors import InputError
from brainpid.core.modalities import Subset, subsets_of
from brainpid.core.names import GAUSSIAN_SCORE, LOG_SCORE_ESTIMATOR, Measure
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.crossfit.transforms import Standardizer, normal_scores
from brainpid.model.inputs import Layout, Read, check_people, checked_target
from brainpid.model.matrix import Matrix, MatrixMixin
from brainpid.model.pidreg.atypicality import Atypicality
from brainpid.model.pidreg.base_predictions import ReadByBaseLearners
from brainpid.model.pidreg.fitted import FittedModel
from brainpid.model.regressor import MultimodalMixin, require_fitted
from brainpid.model.varying import Varying
from brainpid.pid.decompose import decompose
from brainpid.pid.options import check_options
from brainpid.pid.predictions import decompose_predictions
from brainpid.pid.result import Decomposition


class NewPeopleMixin(MatrixMixin, MultimodalMixin):
    """Methods of PIDReg that need what was fitted and change nothing."""

    modalities_: tuple[str, ...]
    _fitted: FittedModel
    _atypicality: Atypicality

    def read(self, X: Modalities | Matrix | Read, sites: ArrayLike | None = None) -> ReadByBaseLearners:
        """Predictions of new people by the base learners, which every method below takes in the place of `X`.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m), one matrix, or what this gave before
        sites : array_like of str, shape (n,), optional
            Site of each person, NaN where it is not known. People whose site training has not seen are predicted as
            `brainpid.model.pidreg.new_sites` says, with intervals and log scores of such people.

        Raises
        ------
        InputError
            Where `X` does not have the modalities and features that were fitted, or was read by another model, or
            there is not a site a row.
        """
        return self._state.read(self._modalities_of(X), lambda n: self._unseen(sites, n))

    def predict(self, X: Modalities | Matrix | Read) -> FloatArray:
        """Predict targets (n,), in the target's units, from the modalities that each person has; NaN without any.

        Raises
        ------
        InputError
            Where `X` does not have the modalities and features that were fitted.
        """
        return self._state.predict(self.read(X))

    def vary(self, X: Modalities | Matrix, modality: str, sites: ArrayLike | None = None) -> Varying:
        """People, all of whom have a modality, as they vary in some of its features; see `brainpid.model.varying`.

        `sites` are as of `read`.
        """
        blocks = cast(Modalities, self._modalities_of(X))
        return self._state.vary(blocks, modality, lambda n: self._unseen(sites, n))

    def subset_predictions(self, X: Modalities | Matrix | Read) -> dict[Subset, FloatArray]:
        """Predict from every subset of the modalities alone: subset to (n,), in the target's units.

        NaN for people who lack a modality of the subset. The subset of all modalities gives what `predict` gives.
        """
        read = self.read(X)
        return {subset: self._state.predict_from(read, subset) for subset in subsets_of(self.modalities_)}

    def scalar_latents(self, X: Modalities | Matrix | Read) -> dict[str, FloatArray]:
        """Each modality's own prediction of the normal score, (n,) each; NaN for people who lack the modality."""
        return self._state.latents(self.read(X))

    def atypicality(self, X: Modalities | Matrix | Read) -> FloatArray:
        """How unusual the features of people are for any target (n,), 0 to 1, by the modalities that each has.

        Part of the training people whose features fit their best target better, uniform for people of the same
        population; see `brainpid.model.pidreg.atypicality`. NaN without any modality.
        """
        return self._atypicality.of(self.read(X).blocks)

    def decompose(
        self,
        X: Modalities | Matrix | Read,
        y: ArrayLike,
        measure: Measure = "mmi",
        confidence: float = 0.95,
        estimator: str = LOG_SCORE_ESTIMATOR,
    ) -> Decomposition:
        """Decompose the information of predictions about the target, of people it was not fitted on.

        People who lack a modality are left out.

        Parameters
        ----------
        X : mapping of str to array_like or DataFrame, shape (n, p_m), one matrix, or what `read` gave
        y : array_like, shape (n,)
        measure : {"mmi", "idep"}
        confidence : float
        estimator : {"log_score", "gaussian_score"}
            The log scores of the predictions from every subset of the modalities, relative to the distribution of these
            people's targets; or the scalar latents, as if they and the normal scores of the target were jointly normal.
        """
        check_options(measure, confidence)
        if estimator not in (LOG_SCORE_ESTIMATOR, GAUSSIAN_SCORE):
            raise InputError(f"estimator: expected {LOG_SCORE_ESTIMATOR} or {GAUSSIAN_SCORE}, found {estimator!r}")
        check_people(X, y)
        people = self.read(X)
        latents = self.scalar_latents(people)
        target = checked_target(y, len(next(iter(latents.values()))))
        known = np.isfinite(np.stack(list(latents.values()))).all(0)
        if estimator == GAUSSIAN_SCORE:
            own = {name: latent[known] for name, latent in latents.items()}
            return decompose(own, normal_scores(target[known]), measure, confidence)
        if not known.any():
            raise InputError(f"nobody of {len(target)} people has every modality")
        scores = self.log_scores(people, target, target[known])
        told: dict[str | Subset, ArrayLike] = {subset: values[known] for subset, values in scores.items()}
        return decompose_predictions(told, None, measure, confidence)

    @property
    def _densities(self) -> PredictiveDensities:
        return self._state.densities

    @property
    def _unseen_densities(self) -> PredictiveDensities | None:
        return None if self._state.new_sites is None else self._state.new_sites.densities

    @property
    def layout_(self) -> Layout:
        """Modalities and features that were fitted on, with the names of those that came as a DataFrame."""
        return self._state.layout

    @property
    def scalers_(self) -> dict[str, Standardizer]:
        """Scaling of each modality's features, by the training people."""
        return self._state.standardizers

    @property
    def _state(self) -> FittedModel:
        """What was fitted."""
        require_fitted(self, "_fitted")
        return self._fitted
