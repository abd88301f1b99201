"""Recipes: settings of the network that belong together, and what is tried where the data has to choose.

A recipe says what is fitting for a kind of table; an option that is given explicitly takes the place of the recipe's.

- ``compact`` is for hundreds of people with hundreds of features that mostly act linearly: one hidden layer under
  strong dropout and weight decay, and a target of normal scores.
- ``expressive`` is for thousands of rows whose features act in steps and bends: piecewise-linear encoding, two hidden
  layers, weak regularisation, and the target as it is.
- ``auto`` is ``compact`` below `EXPRESSIVE_FEWEST_PEOPLE` training people; from there on both are tried on inner folds
  of the training people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainpid.config.models import PIDRegSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.model.settings import settings_of

EXPRESSIVE_FEWEST_PEOPLE = 1000
TRIAL_MEMBERS = 2
"""Members that are trained for a trial, each tested on the inner fold that it leaves out."""

RECIPES: dict[str, dict[str, Any]] = {
    "compact": {
        "bins": 0,
        "latent_dim": 16,
        "hidden": (128,),
        "head": (),
        "dropout": 0.4,
        "epochs": 40,
        "batch_size": 128,
        "learning_rate": 1e-2,
        "weight_decay": 1.0,
        "target_transform": "normal_scores",
    },
    "expressive": {
        "bins": 8,
        "latent_dim": 64,
        "hidden": (256, 128),
        "head": (128,),
        "dropout": 0.1,
        "epochs": 40,
        "batch_size": 256,
        "learning_rate": 3e-3,
        "weight_decay": 0.1,
        "target_transform": "none",
    },
}


def checked_settings(parameters: Mapping[str, Any]) -> PIDRegSettings:
    """Parameters of the estimator as the section of the configuration has them, which alone knows their ranges.

    Raises
    ------
    InputError
        Where one is invalid.
    """
    values = dict(parameters)
    share = values.pop("share")
    if not isinstance(share, bool):
        raise InputError(f"PIDReg: share: expected True or False, found {share!r}")
    return settings_of(PIDRegSettings, values, "PIDReg")


def options_of(settings: PIDRegSettings, recipe: str) -> dict[str, Any]:
    """Options by name, those that are None taken from a recipe."""
    return RECIPES[recipe] | settings.model_dump(exclude_none=True)


def recipes_to_try(recipe: str, n: int) -> list[str]:
    """Names of the recipes to try with n training people, the preferred one first."""
    if recipe != "auto":
        return [recipe]
    return ["compact"] if n < EXPRESSIVE_FEWEST_PEOPLE else ["compact", "expressive"]


def best_recipe(errors: dict[str, FloatArray]) -> str:
    """Name of the recipe to use: the first, unless another's absolute errors are lower by more than a standard error.

    Parameters
    ----------
    errors : dict of str to ndarray, shape (n,)
        Absolute errors of the same people, by recipe.
    """
    first, *others = errors
    chosen, gain = first, 0.0
    for name in others:
        difference = errors[first] - errors[name]
        lead = float(difference.mean()) - float(difference.std(ddof=1) / np.sqrt(len(difference)))
        if lead > gain:
            chosen, gain = name, lead
    return chosen
