"""Which hyperparameters of `brainpid.model.PIDReg` have a meaning, and how they are written to a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainpid.errors import InputError, did_you_mean

_CHOICES = {
    "conditional": ("gaussian", "kernel"),
    "fusion": ("pid", "equal"),
    "target_transform": ("normal_scores", "none"),
}
_RANGES = {
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
    """Refuse hyperparameters that have no meaning, by name and value, with an `InputError`."""
    for name, allowed in _CHOICES.items():
        if (value := values[name]) not in allowed:
            raise InputError(f"{name} is '{value}'; {did_you_mean(str(value), allowed)}")
    for name, (low, high) in _RANGES.items():
        if not low <= (value := values[name]) <= high:
            raise InputError(f"{name} is {value}; expected a value from {low:g} to {high:g}")


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as plain Python values; `torch.load` refuses a file that holds a numpy scalar."""
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, tuple | list | np.ndarray):
            plain[name] = tuple(int(width) for width in value)
        else:
            plain[name] = value.item() if isinstance(value, np.generic) else value
    return plain
