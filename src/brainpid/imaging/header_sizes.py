"""The three places of a NIfTI header that say how large voxels are, which tools do not always keep in step.

Programs differ in which one they believe: a header whose sform was left from another grid gives volumes that are wrong
by the cube of the error, without a word.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from brainpid.core.errors import ImageError

TOLERANCE = 0.01
"""Part by which sizes of voxels may differ."""


def check(image: nib.Nifti1Image, path: Path) -> None:
    """Compare sform, qform and pixdim.

    Raises
    ------
    ImageError
        Where sizes differ by more than 1%, the qform is no rotation, or sform and qform have left and right exchanged.
    """
    header = image.header
    pixdim = np.abs(header["pixdim"][1:4].astype(float))
    try:
        forms = {
            name: get()[:3, :3].astype(float)
            for name, get in (("sform", header.get_sform), ("qform", header.get_qform))
            if int(header[f"{name}_code"]) > 0
        }
    except (ValueError, HeaderDataError) as fault:  # of a quaternion that is longer than 1, or no number
        raise ImageError(f"{path}: the qform is no rotation ({fault}); convert the image again") from fault
    sizes = {name: np.linalg.norm(axes, axis=0) for name, axes in forms.items()} | {"pixdim": pixdim}
    table = np.stack(list(sizes.values()))
    if not np.isfinite(table).all() or ("sform" in sizes and sizes["sform"].min() == 0):
        return  # an affine that is none is named as such
    if forms and np.ptp(table, axis=0).max() > 0 and (np.ptp(table, axis=0) > TOLERANCE * table.max(axis=0)).any():
        said = ", ".join(f"{name} {_words(sizes[name])}" if name in sizes else f"{name} none" for name in _PLACES)
        raise ImageError(
            f"{path}: the header disagrees on the size of voxels: {said} mm; expected the same within "
            f"{100 * TOLERANCE:g}%. Which one is right is known where the image comes from: convert it again"
        )
    if len(forms) == 2 and np.linalg.det(forms["sform"]) * np.linalg.det(forms["qform"]) < 0:
        raise ImageError(f"{path}: sform and qform exchange left and right; expected the same in both")


_PLACES = ("sform", "qform", "pixdim")


def _words(sizes: NDArray[np.float64]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)
