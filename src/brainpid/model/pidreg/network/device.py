"""Where networks are trained and read: on the CPU, or on a GPU that torch sees."""

from __future__ import annotations

import torch

from brainpid.core.errors import InputError
from brainpid.core.names import DEVICES


def device_of(wanted: str) -> str:
    """Device that is used, ``cpu`` or ``cuda``; ``auto`` takes a GPU where there is one.

    Raises
    ------
    InputError
        Where a GPU is asked for and there is none, or the name is none of a device.
    """
    if wanted not in DEVICES:
        raise InputError(f"device: expected {', '.join(DEVICES[:-1])} or {DEVICES[-1]}, found {wanted!r}")
    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "auto":
        return "cpu"
    built = (
        f"is built for CUDA {torch.version.cuda}, but sees no GPU" if torch.version.cuda else "is built without CUDA"
    )
    raise InputError(
        f"device: expected a GPU, found that torch {torch.__version__} {built}; take device: auto or cpu, or run where "
        "there is a GPU and torch for it"
    )
