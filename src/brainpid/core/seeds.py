"""Seeds of everything random, derived from the configured one by the place that they are for."""

from __future__ import annotations

import hashlib
import json
import operator
from typing import Any


def derive(seed: int, *place: Any) -> int:
    """Seed of one place, so that no two cohorts, repeats, folds or steps share their random numbers.

    Parameters
    ----------
    seed : int
        The configured one.
    *place : str, int, or tuple of these
        What the numbers are for, such as ``"null", cohort``. Equal places have equal seeds on every machine; places
        that differ in anything, where one name ends and the next begins included, have seeds of their own.

    Returns
    -------
    int
        From 0 to 2**31 - 1, which every library takes.

    Examples
    --------
    >>> derive(0, "train", 1, 2) == derive(0, "train", 1, 2)
    True
    >>> derive(0, "null", "a", "b") == derive(0, "null", "a|b"), derive(0, 1) == derive(0, "1")
    (False, False)
    """
    encoded = json.dumps([seed, *place], default=operator.index, ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(encoded.encode()).digest()[:4], "big") >> 1
