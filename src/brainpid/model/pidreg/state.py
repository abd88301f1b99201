"""A fitted model as a file of tensors and plain containers, which is read without executing anything."""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from brainpid.core.errors import InputError
from brainpid.core.files import write_bytes

FORMAT, VERSION = "brainpid.PIDReg", 4
"""What a file says that it is. The version rises whenever older code could not read a file, or would misread it."""


_DAMAGE = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, OverflowError, struct.error, zlib.error)
"""What reading raises besides, by the byte that is turned: in a zip's directory, a pickle's stack, a tensor's shape."""


def write_state(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain containers with the format's name and version, whole or not at all."""
    # Of a full disk torch does not tell the errno.
    whole = BytesIO()
    torch.save({"format": FORMAT, "version": VERSION} | dict(content), whole)
    write_bytes(path, whole.getbuffer())


def read_state(path: Path) -> dict[str, Any]:
    """Read what `write_state` wrote.

    Raises
    ------
    InputError
        Where there is no file, it is damaged or something else, or of another version.
    """
    expected = f"{path}: expected a model that PIDReg.save wrote"
    if not path.is_file():
        raise InputError(f"{expected}; the file does not exist")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        content = None if damaged else torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, pickle.UnpicklingError, EOFError, OSError, *_DAMAGE) as fault:
        reason = " ".join(str(fault).split())[:200]
        raise InputError(f"{expected}; the file is cut off, damaged or something else: {reason}") from fault
    if damaged:
        raise InputError(f"{expected}; the file is damaged in its part {damaged}")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{expected}, format {VERSION}; the file does not say that it is one: fit the model again")
    if (found := content.get("version")) != VERSION:
        raise InputError(f"{expected}, format {VERSION}, found format {found}: fit the model again")
    return content


@contextmanager
def complete_state(path: Path) -> Iterator[None]:
    """Turn what a state lacks, or what does not fit together in it, into an `InputError` that names the file."""
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as fault:
        reason = " ".join(str(fault).split())[:200]
        raise InputError(
            f"{path}: expected a whole model of PIDReg.save; a part is absent or does not fit the others "
            f"({type(fault).__name__}: {reason}): fit the model again"
        ) from fault


def to_tensors(content: Any) -> Any:
    """Replace every array by a tensor, one of text by a tuple, within dictionaries, lists and tuples."""
    if isinstance(content, np.ndarray) and content.dtype == object:
        return tuple(content.tolist())
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
