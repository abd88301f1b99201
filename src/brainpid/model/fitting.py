"""Fitting one model by name to training people, as every study does it: model, its seed, and its age bias."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray, Modalities
from brainpid.core.errors import InputError
from brainpid.model.age_bias import AgeBiases
from brainpid.model.registry import MODELS, MultimodalRegressor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes
    ----------
    name : str
        Of the model, among `brainpid.model.registry.MODELS`.
    model : MultimodalRegressor
    seed : int
        What it was fitted with.
    biases : AgeBiases
        Lines of out-of-fold prediction on true target among its training people.
    n : int
        Number of training people.
    """

    name: str
    model: MultimodalRegressor
    seed: int
    biases: AgeBiases
    n: int


def fit_model(
    name: str,
    hyperparameters: Mapping[str, Any],
    X: Modalities,
    y: FloatArray,
    groups: ArrayLike | None,
    seed: int,
    sites: ArrayLike | None = None,
) -> Fitted:
    """Fit a model to training people.

    Parameters
    ----------
    name : str
        Of the model, among `brainpid.model.registry.MODELS`.
    hyperparameters : mapping of str to object
        Options of its class but for the seed.
    X : mapping of str to array_like or DataFrame, shape (n, p_m)
        Features; a DataFrame's keep their names, by which those of new people are matched.
    y : ndarray, shape (n,)
        Target, in its units.
    groups : array_like, shape (n,), or None
        People of one group share an inner fold.
    seed : int
    sites : array_like of str, shape (n,), optional
        Site of each person; NaN where it is not known.

    Raises
    ------
    InputError
        Where an option is unknown or invalid, or features, target, groups or sites are not usable.
    NumericalError
        Where the fit has no finite answer.
    """
    try:
        model = MODELS[name].load_class()(**hyperparameters, random_state=seed)
    except TypeError as fault:
        raise InputError(f"hyperparameters of {name}: {fault}") from fault
    model.fit(X, y, groups=groups, sites=sites)
    biases = AgeBiases.fit(model.out_of_fold_subsets_, model.left_out_subsets_, y)
    for where, lines in (("", biases.known), (" at new sites", biases.new_sites)):
        for subset, bias in lines.items():
            if not bias.correctable:
                log.warning(
                    "%s: slope of predicted on true age%s is %.3f: the age-bias correction is not defined",
                    subset, where, bias.slope,
                )  # fmt: skip
    return Fitted(name, model, seed, biases, len(y))
