"""Repetition time of a BOLD run: from its JSON, else from its header."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib

from brainpid.core.errors import ImageError
from brainpid.core.machine import refuse_machine_fault

LONGEST = 10.0
"""In seconds: a longer repetition time is in another unit."""
TOLERANCE = 0.01
"""Part by which header and JSON may differ."""
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6, "unknown": 1.0}
_SIDECAR = re.compile(r"json(?:_(\d+))?")


def repetition_time(image: nib.Nifti1Image, files: Mapping[str, str]) -> tuple[float, str]:
    """Repetition time in seconds, and what is doubtful about it.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
    files : mapping of str to str
        Paths by role, as the finders give them: ``bold``, and its JSON files ``json``, ``json_2``... from the nearest
        to the farthest; what is nearer overrides (BIDS inheritance).

    Returns
    -------
    seconds : float
        Of the JSON, else of the header.
    doubt : str
        Where the header alone tells, which many tools leave at 1, or it differs by more than 1% from the JSON; empty
        where there is none.

    Raises
    ------
    ImageError
        Where a JSON cannot be read, neither tells, what they tell is not between 0 and 10 s, or volumes are not evenly
        spaced.
    """
    sidecars = {int(role[1] or 1): path for name, path in files.items() if (role := _SIDECAR.fullmatch(name))}
    metadata: dict[str, Any] = {}
    for place in sorted(sidecars, reverse=True):
        metadata |= _read(sidecars[place])
    if metadata.get("VolumeTiming") is not None:
        raise ImageError(
            f"{files['bold']}: its JSON has VolumeTiming: volumes are not evenly spaced in time; expected a run with "
            "one RepetitionTime"
        )
    unit = image.header.get_xyzt_units()[1]
    header = float(image.header.get_zooms()[3]) * SECONDS.get(unit, math.nan)
    stated = metadata.get("RepetitionTime")
    found = header if stated is None else stated
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= LONGEST:
        raise ImageError(
            f"{files['bold']}: the repetition time is {found!r}; expected RepetitionTime in its JSON, or the fourth "
            f"voxel size, between 0 and {LONGEST:g} s"
        )
    if stated is None:
        return header, f"repetition time {header:g} s from the header alone, without a JSON that tells it"
    if header > 0 and abs(header - found) > TOLERANCE * found:
        return float(found), f"repetition time {found:g} s of the JSON is used; the header has {header:g} s"
    return float(found), ""


def _read(path: str) -> dict[str, Any]:
    """Content of a JSON file."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as fault:  # no JSON and no UTF-8 are ValueErrors
        refuse_machine_fault(fault, path)
        raise ImageError(f"{path}: not readable as JSON ({' '.join(str(fault).split())})") from fault
    if not isinstance(content, dict):
        raise ImageError(f"{path}: expected a mapping of keys at the top, found {type(content).__name__}")
    return content
