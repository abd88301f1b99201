"""Recipes: settings of the network that belong together, and what is tried where the data has to choose.

A recipe says what is fitting for a kind of table; an option that is given explicitly takes the place of the recipe's.

- ``compact`` is for hundreds of people with hundreds of features that mostly act linearly: one hidden layer under
  strong dropout and weight decay, and a target of normal scores.
- ``expressive`` is for thousands of rows whose features act in steps and bends: piecewise-linear encoding, two hidden
  layers, weak regularisation, and the target as it is.
- ``auto`` is ``expressive`` where a pilot (`brainpid.model.pidreg.pilot`) finds that trees help and there are
  `EXPRESSIVE_FEWEST_PEOPLE` training people or more, else ``compact``. The pilot also says which target suits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brainpid.config.models import PIDRegSettings
from brainpid.core.errors import InputError
from brainpid.model.settings import settings_of

EXPRESSIVE_FEWEST_PEOPLE = 1000
MOST_STEPS = 400
"""Steps of the optimiser; beyond a few thousand people more of them cost much and change nothing."""

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
    values.pop("modalities", None)  # which the matrix it splits is checked against
    values.pop("device", None)  # on which no number depends but for rounding
    share = values.pop("share")
    if not isinstance(share, bool):
        raise InputError(f"PIDReg: share: expected True or False, found {share!r}")
    if isinstance(experts := values.get("experts"), tuple | list):
        values["experts"] = [expert for expert in experts if isinstance(expert, str | Mapping)]
        if share and not all(isinstance(expert, str) for expert in experts):
            raise InputError(
                "PIDReg: experts: a regressor of one's own may keep training people, which a model to be "
                "shared must not"
            )
    return settings_of(PIDRegSettings, values, "PIDReg")


def options_of(settings: PIDRegSettings, recipe: str, target_transform: str, n: int) -> dict[str, Any]:
    """Options by name for n training people.

    Those that are None are taken from a recipe, whose epochs are cut where they would take more than `MOST_STEPS`,
    and the map of the target from the pilot.
    """
    given = settings.model_dump(exclude_none=True)
    options = RECIPES[recipe] | {"target_transform": target_transform} | given
    if "epochs" not in given:
        batches = max(1, round(n / options["batch_size"]))
        options["epochs"] = max(1, min(options["epochs"], MOST_STEPS // batches))
    return options


def chosen_recipe(recipe: str, n: int, trees: bool) -> str:
    """Name of the recipe for n training people, where trees help or do not."""
    if recipe != "auto":
        return recipe
    return "expressive" if trees and n >= EXPRESSIVE_FEWEST_PEOPLE else "compact"
