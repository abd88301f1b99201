"""Repetition time of a BOLD run: from its JSON, else from its header."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib

from brainpid.core.errors import ImageError

LONGEST = 10.0
"""In seconds: a longer repetition time is in another unit."""
_SIDECAR = re.compile(r"json(?:_(\d+))?")


def repetition_time(image: nib.Nifti1Image, files: Mapping[str, str]) -> float:
    """Repetition time in seconds.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
    files : mapping of str to str
        Paths by role, as the finders give them: ``bold``, and its JSON files ``json``, ``json_2``... from the nearest
        to the farthest; what is nearer overrides (BIDS inheritance).

    Raises
    ------
    ImageError
        Where a JSON cannot be read, neither tells, or what they tell is not between 0 and 10 s.
    """
    sidecars = {int(role[1] or 1): path for name, path in files.items() if (role := _SIDECAR.fullmatch(name))}
    metadata: dict[str, Any] = {}
    for place in sorted(sidecars, reverse=True):
        metadata |= _read(sidecars[place])
    found = metadata.get("RepetitionTime")
    if found is None:
        unit = image.header.get_xyzt_units()[1]
        found = float(image.header.get_zooms()[3]) * {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found <= LONGEST:
        raise ImageError(
            f"{files['bold']}: the repetition time is {found!r}; expected RepetitionTime in its JSON, or the fourth "
            f"voxel size, between 0 and {LONGEST:g} s"
        )
    return float(found)


def _read(path: str) -> dict[str, Any]:
    """Content of a JSON file."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as fault:  # no JSON and no UTF-8 are ValueErrors
        raise ImageError(f"{path}: not readable as JSON ({' '.join(str(fault).split())})") from fault
    if not isinstance(content, dict):
        raise ImageError(f"{path}: expected a mapping of keys at the top, found {type(content).__name__}")
    return content
