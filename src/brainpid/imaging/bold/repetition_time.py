"""Repetition time of a BOLD run: from its JSON, else from its header."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib

from brainpid.cohort.person_files import metadata
from brainpid.core.errors import ImageError

LONGEST = 10.0
"""In seconds: a longer repetition time is in another unit."""


def repetition_time(image: nib.Nifti1Image, path: Path) -> float:
    """Repetition time in seconds.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
    path : path
        Of the image; JSON files beside it and in the folders above, up to the dataset's top, are looked into (BIDS
        inheritance).

    Raises
    ------
    ImageError
        Where neither tells, or what they tell is not between 0 and 10 s.
    """
    top = next((folder for folder in path.parents if (folder / "dataset_description.json").is_file()), path.parent)
    found = metadata(path, top, "bold").get("RepetitionTime")
    if found is None:
        unit = image.header.get_xyzt_units()[1]
        found = float(image.header.get_zooms()[3]) * {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0)
    if not isinstance(found, int | float) or not 0 < found <= LONGEST:
        raise ImageError(
            f"{path}: the repetition time is {found!r}; expected RepetitionTime in its JSON, or the fourth voxel size, "
            f"between 0 and {LONGEST:g} s"
        )
    return float(found)
