"""Multimodal regressors. The public name is `PIDReg`; it is imported when it is asked for, because it brings torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brainpid.model.pidreg.estimator import PIDReg

__all__ = ["PIDReg"]


def __getattr__(name: str) -> Any:
    if name == "PIDReg":
        from brainpid.model.pidreg.estimator import PIDReg

        return PIDReg
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
