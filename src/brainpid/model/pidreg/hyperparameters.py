"""Which hyperparameters of `brainpid.model.PIDReg` have a meaning, and how they are written to a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainpid.core.errors import InputError, did_you_mean
from brainpid.model.pidreg.options import BASE_LEARNERS, RECIPES

_CHOICES = {
    "recipe": ("auto", *RECIPES),
    "loss": ("squared", "huber"),
    "conditional": ("gaussian", "kernel"),
    "fusion": ("pid", "equal"),
    "target_transform": ("normal_scores", "none"),
}
_RANGES = {
    "bins": (0, np.inf),
    "latent_dim": (1, np.inf),
    "dropout": (0, 0.99),
    "input_dropout": (0, 0.99),
    "signal": (0.01, 1),
    "members": (2, np.inf),
    "epochs": (1, np.inf),
    "batch_size": (2, np.inf),
    "learning_rate": (1e-8, 1),
    "weight_decay": (0, np.inf),
    "alpha_readout": (0, np.inf),
    "alpha_cs": (0, np.inf),
    "alpha_joint": (0, np.inf),
    "alpha_ci": (0, np.inf),
}


def check_hyperparameters(values: Mapping[str, Any]) -> None:
    """Refuse hyperparameters that have no meaning, by name and value, with an `InputError`; None is the recipe's."""
    for name, allowed in _CHOICES.items():
        if (value := values[name]) is not None and value not in allowed:
            raise InputError(f"{name} is '{value}'; {did_you_mean(str(value), allowed)}")
    for name, (low, high) in _RANGES.items():
        if (value := values[name]) is not None and not low <= value <= high:
            raise InputError(f"{name} is {value}; expected a value from {low:g} to {high:g}")
    for expert in values["experts"]:
        if expert not in BASE_LEARNERS:
            raise InputError(f"experts has '{expert}'; {did_you_mean(str(expert), BASE_LEARNERS)}")
