"""Extractors for tests of the pool; in a module of their own, because other processes import them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from brainpid.core.errors import ImageError, NotInImageError
from brainpid.imaging.extracted import Extracted


def by_content(files: dict[str, str]) -> Extracted:
    """Do what the file says."""
    path = Path(files["image"])
    word = path.read_text().strip()
    with Path(path.parent, "calls.log").open("a") as log:
        log.write(f"{path.stem}\n")
    if word == "bad":
        raise ImageError(f"{path}: 4 of 9 voxels are NaN")
    if word == "slab":
        raise NotInImageError("0 of 9 regions are covered")
    if word == "bug":
        raise ValueError("a library\nfell over")
    if word == "crash":
        os._exit(11)
    picture = np.full((4, 6), 7, dtype=np.uint8)
    excluded = "mean FD 0.9 mm, above 0.5" if word == "moves" else ""
    return Extracted(
        {"a": float(word == "good"), "b": 2.0}, {"a": "1", "b": "mm^3"}, {"fd": 0.1}, picture, excluded, note="doubtful"
    )


def replaced_meanwhile(files: dict[str, str]) -> Extracted:
    """Read a number, after which somebody puts a larger one in its place."""
    path = Path(files["image"])
    number = float(path.read_text())
    path.write_text(str(number + 1))
    return Extracted({"a": number}, {"a": "1"})
