"""What every model has of scikit-learn's conventions, with errors of the project's own kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score

from brainpid.core.arrays import FloatArray, Modalities
from brainpid.core.errors import InputError
from brainpid.model.inputs import check_people, checked_target


class NotFitted(InputError, NotFittedError):  # type: ignore[misc]
    """A model is asked before it was fitted; scikit-learn's error too, for what catches that."""


def require_fitted(model: object, attribute: str) -> None:
    """Raise `NotFitted` where a model lacks what its fit sets."""
    if not hasattr(model, attribute):
        raise NotFitted(f"this {type(model).__name__} is not fitted yet; call fit or load before")


class MultimodalMixin(RegressorMixin):  # type: ignore[misc]
    """scikit-learn's regressors, scored on people whose labels agree."""

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
