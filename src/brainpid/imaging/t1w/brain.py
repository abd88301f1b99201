"""The brain in a T1-weighted image of a head: where it is, and its intensities without the scanner's bias field."""

from __future__ import annotations

from dataclasses import dataclass

import ants
import nibabel as nib
import numpy as np
from dipy.segment.threshold import otsu
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage

from brainpid.core.errors import ImageError
from brainpid.imaging.ants_calls import ants_call
from brainpid.imaging.nifti import make_image
from brainpid.imaging.registration import register, to_ants
from brainpid.imaging.templates import mni152

SCALP_MM = 8.0
"""From the top of the head to the top of the brain."""

UPPER_HEAD_MM = 80.0
"""The head is centred on what lies so far below its top, where there is neither face nor neck."""

MARGIN_MM = 4.0
"""How far around the brain images are compared and intensities corrected: cerebrospinal fluid, not yet the scalp."""

BIAS_GRID_MM = 8.0
"""Grid on which the bias field is estimated; it varies over centimetres."""

AFFINE_DIGITS = 4
"""Decimals of an affine in mm that are kept; over 300 voxels their rounding is 0.015 mm."""


@dataclass(frozen=True)
class Brain:
    """Where the brain is in an image of a head.

    Attributes
    ----------
    mask : ndarray of bool, shape (X, Y, Z)
        On the image's grid.
    similarity : float
        Correlation of the affinely aligned image with the template inside the template's mask.
    """

    mask: NDArray[np.bool_]
    similarity: float


def working_image(image: nib.Nifti1Image, data: NDArray[np.float32], resolution: float) -> nib.Nifti1Image:
    """Bring an image to axes right, front, up, and axes that are finer than a resolution to that resolution.

    The order in which a file stores its voxels (such as radiological, with a negative determinant) so has no influence.

    Parameters
    ----------
    image : Nifti1Image
        Its affine is used.
    data : ndarray of float32, shape (X, Y, Z)
    resolution : float
        Voxel size in mm. An axis with larger voxels stays as it is.
    """
    turned = nib.as_closest_canonical(make_image(data, image.affine))
    # One order in memory as well, since sums in another order differ in their last digits, and an affine without the
    # digits that a file's float32 rounds off: registration would make some per cent of them in small regions.
    upright = make_image(np.ascontiguousarray(turned.dataobj), turned.affine.round(AFFINE_DIGITS))
    sizes = np.array(upright.header.get_zooms()[:3], dtype=float)
    wanted = np.maximum(sizes, resolution)
    if np.allclose(sizes, wanted, rtol=0.05):
        return upright
    # Smoothing to the width of the wider voxels keeps noise and edges from aliasing into them.
    fwhm = np.sqrt(wanted**2 - sizes**2)
    smooth = ndimage.gaussian_filter(np.asarray(upright.dataobj), fwhm / sizes / np.sqrt(8 * np.log(2)))
    coarse = ants.resample_image(
        to_ants(make_image(smooth, upright.affine)), wanted.tolist(), use_voxels=False, interp_type=0
    )
    back = ants.to_nibabel_nifti(coarse)
    return make_image(np.asarray(back.dataobj, dtype=np.float32), back.affine)


def find_brain(image: nib.Nifti1Image, resolution: int, *, least_similarity: float, seed: int) -> Brain:
    """Find the brain by affine registration of the head to the skull-stripped template, whose mask is brought back.

    Registration starts with the tops of head and template on each other, since the centre of mass depends on how much
    of face and neck is in the image, and compares them within 4 mm around the template's brain.

    Parameters
    ----------
    image : Nifti1Image
        T1-weighted head or brain with axes right, front, up.
    resolution : int
        Voxel size of the template in mm.
    least_similarity : float
    seed : int

    Raises
    ------
    ImageError
        Where the registration fails.
    """
    template, mask = mni152("t1", resolution), mni152("brain", resolution)
    data = np.asarray(image.dataobj)
    head = data > 0.7 * otsu(data)
    shift = _upper_centre(head, image.affine) - _upper_centre(np.asarray(mask.dataobj) > 0.5, mask.affine)
    # A skull-stripped image starts a little too low, which registration makes good.
    shift[2] -= SCALP_MM
    focus = make_image(widen(np.asarray(mask.dataobj) > 0.5, resolution).astype(np.float32), mask.affine)
    with register(
        image,
        template,
        mask=mask,
        model="affine",
        least_similarity=least_similarity,
        seed=seed,
        focus=focus,
        shift=shift,
    ) as found:
        inside = np.asarray(found.from_template(mask, "linear").dataobj) > 0.5
    if not inside.any():
        raise ImageError("no voxel of the image lies inside the brain of the template; is the head in the image?")
    return Brain(inside, found.similarity)


def correct_bias(image: nib.Nifti1Image, mask: NDArray[np.bool_]) -> nib.Nifti1Image:
    """Divide out the bias field that N4 finds inside a mask (Tustison et al. 2010, IEEE TMI 29, 1310).

    Parameters
    ----------
    image : Nifti1Image
    mask : ndarray of bool, shape (X, Y, Z)

    Raises
    ------
    ImageError
        Where N4 fails.
    """
    # N4 works on logarithms: what is 0 or less is lifted to a small positive value.
    data = np.asarray(image.dataobj)
    floor = max(float(np.percentile(data[mask], 99)) * 1e-3, float(np.finfo(np.float32).tiny))
    lifted = make_image(np.maximum(data, floor), image.affine)
    shrink = max(1, round(BIAS_GRID_MM / float(max(image.header.get_zooms()[:3]))))
    with ants_call("bias correction"):
        corrected = ants.n4_bias_field_correction(
            to_ants(lifted),
            mask=to_ants(make_image(mask.astype(np.float32), image.affine)),
            shrink_factor=shrink,
            convergence={"iters": [50, 50, 50], "tol": 1e-5},
        )
    values = corrected.numpy()
    if not np.isfinite(values).all():
        raise ImageError(
            "bias correction gave values that are not finite; is the image of a head, without negative values?"
        )
    return make_image(values, image.affine)


def widen(mask: NDArray[np.bool_], voxel_mm: float) -> NDArray[np.bool_]:
    """Widen a mask by the margin, at least by one voxel."""
    return ndimage.binary_dilation(mask, iterations=max(1, round(MARGIN_MM / voxel_mm)))


def _upper_centre(inside: NDArray[np.bool_], affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middle in x and y, and top in z, of the upper part of a head, in mm."""
    places = apply_affine(affine, np.argwhere(inside))
    top = float(np.percentile(places[:, 2], 99.9))
    upper = places[places[:, 2] > top - UPPER_HEAD_MM]
    middle = np.percentile(upper[:, :2], [1, 99], axis=0).mean(axis=0)
    return np.array([middle[0], middle[1], top])
