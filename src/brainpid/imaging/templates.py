"""The MNI152 template and its tissue maps, from what nilearn carries: nothing is downloaded."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import nibabel as nib
import numpy as np
from nilearn import datasets

from brainpid.imaging.nifti import make_image

Kind = Literal["t1", "brain", "gm", "wm"]
_LOADERS = {
    "t1": datasets.load_mni152_template,
    "brain": datasets.load_mni152_brain_mask,
    "gm": datasets.load_mni152_gm_template,
    "wm": datasets.load_mni152_wm_template,
}


@lru_cache(maxsize=12)
def mni152(kind: Kind, resolution: int) -> nib.Nifti1Image:
    """MNI152 (ICBM 2009 asymmetric) image at a resolution in mm.

    Parameters
    ----------
    kind : {"t1", "brain", "gm", "wm"}
        Skull-stripped T1 from 0 to 1, brain mask (0 or 1), grey- and white-matter maps from 0 to 1.
    resolution : int
        Voxel size in mm.
    """
    image = _LOADERS[kind](resolution=resolution)
    return make_image(np.asarray(image.dataobj, dtype=np.float32), image.affine)


def csf_map(resolution: int) -> nib.Nifti1Image:
    """Map of cerebrospinal fluid: what grey and white matter leave of the brain mask, from 0 to 1."""
    brain, gm, wm = (mni152(kind, resolution) for kind in ("brain", "gm", "wm"))
    rest = np.asarray(brain.dataobj) * np.clip(1 - np.asarray(gm.dataobj) - np.asarray(wm.dataobj), 0, 1)
    return make_image(rest.astype(np.float32), brain.affine)
