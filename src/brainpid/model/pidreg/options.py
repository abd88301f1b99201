"""Recipes: settings of the network that belong together, and what is tried where the data has to choose.

A recipe says what is fitting for a kind of table; an option that is given explicitly takes the place of the recipe's.

- ``compact`` is for hundreds of people with hundreds of features that mostly act linearly: one hidden layer under
  strong dropout and weight decay, and a target of normal scores.
- ``expressive`` is for thousands of rows whose features act in steps and bends: piecewise-linear encoding, two hidden
  layers, weak regularisation, and the target as it is.
- ``paper`` is the published model of Ma and Yu with its errors mended, for comparison (``docs/inside/paper.md``): one
  network, whose fusion weights come from its own latents, a noisy bottleneck, three penalties, and no other base
  learners.
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

ONE_NETWORK = frozenset({"paper"})
"""Recipes whose prediction of new people is that of one network on all training people."""

_OURS: dict[str, Any] = {
    "signal": 1.0,
    "alpha_readout": 0.3,
    "alpha_cs": 0.0,
    "alpha_joint": 0.0,
    "alpha_ci": 0.0,
    "conditional": "gaussian",
    "fusion": "pid",
    "feature_transform": "auto",
    "experts": ("auto",),
}
"""What is the same in all recipes but the published one."""

RECIPES: dict[str, dict[str, Any]] = {
    "compact": _OURS
    | {
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
    "expressive": _OURS
    | {
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
    "paper": {
        "bins": 0,
        "latent_dim": 64,
        "hidden": (256, 128),
        "head": (256, 128),
        "dropout": 0.3,
        "signal": 0.98,
        "epochs": 100,
        "batch_size": 64,
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "alpha_readout": 0.0,
        "alpha_cs": 0.1,
        "alpha_joint": 0.1,
        "alpha_ci": 0.1,
        "conditional": "kernel",
        "fusion": "latents",
        "target_transform": "normal_scores",
        "feature_transform": "none",
        "experts": (),
    },
}


def checked_settings(parameters: Mapping[str, Any]) -> PIDRegSettings:
    """Parameters of the estimator as the section of the configuration has them, which alone knows their ranges.

    Those that are None, and do not wait for the choice of a recipe, have the recipe's values.

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
    settings = settings_of(PIDRegSettings, values, "PIDReg")
    recipe = RECIPES.get(settings.recipe, _OURS)
    return settings.model_copy(update={name: recipe[name] for name in _OURS if getattr(settings, name) is None})


def options_of(settings: PIDRegSettings, recipe: str, target_transform: str, n: int) -> dict[str, Any]:
    """Options by name for n training people.

    Those that are None are taken from a recipe, whose epochs are cut where they would take more than `MOST_STEPS`,
    and the map of the target, where the recipe has none, from the pilot.
    """
    given = settings.model_dump(exclude_none=True)
    options = {"target_transform": target_transform} | RECIPES[recipe] | given
    if "epochs" not in given:
        batches = max(1, round(n / options["batch_size"]))
        options["epochs"] = max(1, min(options["epochs"], MOST_STEPS // batches))
    return options


def chosen_recipe(recipe: str, n: int, trees: bool) -> str:
    """Name of the recipe for n training people, where trees help or do not."""
    if recipe != "auto":
        return recipe
    return "expressive" if trees and n >= EXPRESSIVE_FEWEST_PEOPLE else "compact"
