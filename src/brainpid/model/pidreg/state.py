"""A fitted model as tensors and plain containers, which `torch.load` reads without executing anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def to_tensors(content: Any) -> Any:
    """Replace every array by a tensor, within dictionaries, lists and tuples."""
    if isinstance(content, np.ndarray):
        # Arrays that pandas gives out cannot be written to, which torch warns of.
        return torch.from_numpy(content if content.flags.writeable else content.copy())
    if isinstance(content, dict):
        return {name: to_tensors(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(to_tensors(value) for value in content)
    return content.item() if isinstance(content, np.generic) else content


def to_arrays(content: Any) -> Any:
    """Undo `to_tensors`."""
    if isinstance(content, Tensor):
        return content.numpy()
    if isinstance(content, dict):
        return {name: to_arrays(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(to_arrays(value) for value in content)
    return content


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as plain Python values; `torch.load` refuses a file that holds a numpy scalar."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list | np.ndarray):
        return tuple(_plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value
