"""Seeds of everything random, derived from the configured one by place."""

from __future__ import annotations

import hashlib


def fold_seed(seed: int, *place: object) -> int:
    """Seed of one fold by its repeat and number, so that no two folds share their random numbers."""
    digest = hashlib.sha256("|".join(map(str, (seed, *place))).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
