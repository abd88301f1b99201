"""Extractors for tests of the pool; in a module of their own, because other processes import them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from brainpid.core.errors import ImageError, NotInImageError, ToolError
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
    if word in ("SIGKILL", "SIGTERM", "SIGBUS", "SIGSEGV"):
        os.kill(os.getpid(), getattr(signal, word))
    if word == "flaky" and path.with_suffix(".once").exists() is False:
        path.with_suffix(".once").touch()
        raise ToolError("registration failed (antsRegistration returned non-zero exit code 1)")
    if word == "vanishes":
        path.unlink()
        raise ImageError(f"{path}: the data cannot be read; the file is cut off or damaged")
    if word == "no space":
        raise RuntimeError("Could not write t1Warp.nii.gz. Reason: No space left on device")
    if word == "stale":
        try:
            raise OSError(116, "Stale file handle", str(path))
        except OSError as fault:
            raise ImageError(f"{path}: not readable as an image") from fault
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


def told(word: str) -> str:
    """End the process or answer, as the word says; for tests of the pool."""
    if word.startswith("signal"):
        os.kill(os.getpid(), int(word.split()[1]))
        time.sleep(60)
    if word.startswith("exit"):
        os._exit(int(word.split()[1]))
    if word.startswith("sleep"):
        Path(word.split()[1]).write_text(str(os.getpid()))
        time.sleep(60)
    return f"{word} {os.getpid()}"
