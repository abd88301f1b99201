"""An atlas: integer labels on a grid in MNI space, and the regions' names."""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib


@dataclass(frozen=True)
class Atlas:
    """Regions in MNI space.

    Attributes
    ----------
    image : Nifti1Image
        Integer labels on the atlas's own grid; 0 is no region.
    names : dict of int to str
        Name of every label.
    name : str
        Name of the atlas.
    """

    image: nib.Nifti1Image
    names: dict[int, str]
    name: str
