"""Options of an estimator that are given in Python, checked by the section of the configuration that declares them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainpid.config.section import SectionT, parse_section
from brainpid.core.errors import InputError


def settings_of(section: type[SectionT], parameters: Mapping[str, Any], origin: str) -> SectionT:
    """Parameters of an estimator as its section has them, which alone knows their ranges.

    Parameters
    ----------
    section : type
        A section of `brainpid.config.models`.
    parameters : mapping of str to Any
        What the section declares, and ``random_state``.
    origin : str
        Name of the estimator, for messages.

    Raises
    ------
    InputError
        Where one is invalid.
    """
    values = plain_values(parameters)
    seed = values.pop("random_state")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
        raise InputError(f"{origin}: random_state: expected a whole number from 0 on or None, found {seed!r}")
    return parse_section(section, values, origin)


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as plain Python values; `torch.load` refuses a file that holds a numpy scalar."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list | np.ndarray):
        return tuple(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return plain_values(value)
    return value.item() if isinstance(value, np.generic) else value
