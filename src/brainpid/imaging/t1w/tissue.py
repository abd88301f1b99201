"""Grey matter, white matter and cerebrospinal fluid of one brain: Atropos guided by warped tissue maps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import ants
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from brainpid.core.errors import ImageError
from brainpid.imaging.ants_calls import ants_call
from brainpid.imaging.nifti import make_image
from brainpid.imaging.registration import to_ants

TISSUES = ("csf", "gray", "white")
PRIOR_WEIGHT = 0.25
"""Weight of the warped maps against intensities. On a real head 0 gives csf twice its volume, 0.5 nearly the maps."""


@dataclass(frozen=True)
class Tissue:
    """Tissue of every voxel.

    Attributes
    ----------
    labels : ndarray of uint8, shape (X, Y, Z)
        0 outside the brain, 1 csf, 2 gray, 3 white matter.
    probabilities : ndarray of float32, shape (3, X, Y, Z)
        In the same order, 0 outside the brain; they sum to 1 inside.
    """

    labels: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


def segment(image: nib.Nifti1Image, mask: NDArray[np.bool_], priors: NDArray[np.float32]) -> Tissue:
    """Segment a bias-corrected T1-weighted brain (Avants et al. 2011, Neuroinformatics 9, 381).

    Parameters
    ----------
    image : Nifti1Image
    mask : ndarray of bool, shape (X, Y, Z)
    priors : ndarray of float32, shape (3, X, Y, Z)
        Probability of csf, gray and white matter on the image's grid.

    Raises
    ------
    ImageError
        Where Atropos fails or a tissue is empty.
    """
    # Atropos reads the maps from files, whose origin is rounded, and refuses them beside an image whose origin is not;
    # it needs the size of voxels alone, by which it weighs neighbours.
    grid = np.diag([*np.linalg.norm(image.affine[:3, :3], axis=0), 1.0])
    values, inside = (to_ants(make_image(part, grid)) for part in (np.asarray(image.dataobj), mask.astype(np.float32)))
    maps = [to_ants(make_image(prior, grid)) for prior in np.clip(priors, 0, 1)]
    with ants_call("tissue segmentation"), _own_temporary_files():
        found = ants.atropos(a=values, x=inside, i=maps, m="[0.2,1x1x1]", c="[5,0]", priorweight=PRIOR_WEIGHT, r=0)
    likely = np.stack([image.numpy() for image in found["probabilityimages"]]).astype(np.float32)
    total = likely.sum(axis=0)
    likely = np.where(mask & (total > 0), likely / np.where(total > 0, total, 1), 0).astype(np.float32)
    labels = np.where(mask, found["segmentation"].numpy(), 0).astype(np.uint8)
    empty = [name for k, name in enumerate(TISSUES, start=1) if not (labels == k).any()]
    if empty:
        raise ImageError(f"tissue segmentation found no {' and no '.join(empty)} matter; is the image T1-weighted?")
    return Tissue(labels, likely)


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Dice overlap of two masks, ``2 |A and B| / (|A| + |B|)``; NaN where both are empty."""
    size = int(one.sum()) + int(other.sum())
    return 2 * int((one & other).sum()) / size if size else float("nan")


@contextmanager
def _own_temporary_files() -> Iterator[None]:
    """Remove the files that Atropos leaves in the folder for temporary files."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="brainpid-") as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before
