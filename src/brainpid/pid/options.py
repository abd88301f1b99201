"""Options that all decompositions share."""

from __future__ import annotations

from numbers import Real
from typing import get_args

import numpy as np

from brainpid.core.errors import InputError, did_you_mean
from brainpid.core.names import Measure


def check_options(measure: str, confidence: float, se_factor: float = 1.0) -> None:
    """Raise an `InputError` where an option of a decomposition is none: a name of a measure, or a number in range."""
    if measure not in get_args(Measure):
        raise InputError(f"unknown measure '{measure}'; {did_you_mean(str(measure), get_args(Measure))}")
    if not isinstance(confidence, Real) or not 0 < float(confidence) < 1:
        raise InputError(f"confidence is {confidence}; expected a value between 0 and 1, such as 0.95")
    if not isinstance(se_factor, Real) or not 0 < float(se_factor) < np.inf:
        raise InputError(f"se_factor is {se_factor}; expected a positive number")
