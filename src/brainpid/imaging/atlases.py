"""What an atlas is."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib


@dataclass(frozen=True)
class Atlas:
    """Regions of the brain in MNI space.

    Attributes
    ----------
    image : Nifti1Image
        Integer labels on its own grid; 0 is outside.
    names : dict of int to str
        Name of every label.
    name : str
        Name of the atlas.
    """

    image: nib.Nifti1Image
    names: dict[int, str]
    name: str
