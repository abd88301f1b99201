"""Atlases: labelled volumes in MNI space, and sums and means over their regions.

A region of which too little was seen is NaN, never 0: an absent region and an empty one must not look like a small one.
"""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nilearn.image import resample_img
from nilearn.image.resampling import BoundingBoxError
from numpy.typing import NDArray

from brainpid.core.errors import ImageError, list_some
from brainpid.imaging.nifti import make_image

FloatVolume = NDArray[np.floating]
IntVolume = NDArray[np.int32]


@dataclass(frozen=True)
class Atlas:
    """A labelled volume in MNI space.

    Attributes
    ----------
    image : Nifti1Image
        Integer labels on a grid of its own, shape (X, Y, Z); 0 is background.
    names : dict of int to str
        Name of every label but 0, each used once.
    name : str
        Name of the atlas, for messages and provenance.
    """

    image: nib.Nifti1Image
    names: dict[int, str]
    name: str

    def regions(self) -> list[str]:
        """Region names in the order of their labels."""
        return [self.names[label] for label in sorted(self.names)]


def labels_on(atlas: Atlas, target: nib.Nifti1Image) -> IntVolume:
    """Labels of an atlas on the grid of an image that is in MNI space too, by nearest neighbour.

    Parameters
    ----------
    atlas : Atlas
    target : Nifti1Image
        Only its first three dimensions and its affine are used.

    Returns
    -------
    ndarray of int32, shape (X, Y, Z)

    Raises
    ------
    ImageError
        Where no label falls inside the image.
    """
    found = on_grid(atlas.image, target.shape[:3], target.affine)
    require_overlap(found, atlas)
    return found


def on_grid(image: nib.Nifti1Image, shape: tuple[int, ...], affine: NDArray[np.floating]) -> IntVolume:
    """Nearest integer values of an image on another grid of the same space; 0 outside.

    Parameters
    ----------
    image : Nifti1Image
        A mask or labels, shape (X, Y, Z).
    shape : tuple of int, length 3
    affine : ndarray, shape (4, 4)

    Returns
    -------
    ndarray of int32, shape `shape`
    """
    whole = np.asarray(image.dataobj).round().astype(np.int32)
    if tuple(image.shape) == tuple(shape) and np.allclose(image.affine, affine, atol=1e-4):
        return whole
    try:
        moved = resample_img(
            make_image(whole, image.affine),
            target_affine=affine,
            target_shape=tuple(shape),
            interpolation="nearest",
            copy_header=True,
            force_resample=True,
        )
    except BoundingBoxError:  # nilearn notices some, not all, grids that do not meet
        return np.zeros(shape, dtype=np.int32)
    return np.asarray(moved.dataobj).astype(np.int32)


def region_coverage(inside: nib.Nifti1Image, atlas: Atlas) -> dict[str, float]:
    """Share of every region's voxels, 0 to 1, in which a person has values; 0 where the atlas has no voxel of it.

    It is counted on the atlas's own grid and not on the person's, where what lies outside of the field of view would
    not be counted as missing.

    Parameters
    ----------
    inside : Nifti1Image
        1 where the person has values, else 0, in the atlas's space on any grid.
    atlas : Atlas
    """
    held = np.asarray(atlas.image.dataobj).round().astype(np.int64)
    present = on_grid(inside, held.shape, atlas.image.affine) > 0
    size = max(int(held.max()), *atlas.names) + 1
    total = np.bincount(held[held > 0], minlength=size)
    found = np.bincount(held[present & (held > 0)], minlength=size)
    return {name: float(found[label] / total[label]) if total[label] else 0.0 for label, name in atlas.names.items()}


def require_overlap(labels: IntVolume, atlas: Atlas) -> None:
    """Raise an `ImageError` where labels that were brought onto an image's grid are all background."""
    if not labels.any():
        raise ImageError(_outside(atlas))


def _outside(atlas: Atlas) -> str:
    """What to say of an atlas that has no voxel in an image."""
    return (
        f"atlas '{atlas.name}' lies outside the image: none of its {len(atlas.names)} regions has a voxel in it. "
        "Are both in the same space (MNI152, mm)?"
    )


def region_sums(
    values: FloatVolume, labels: IntVolume, atlas: Atlas, *, valid: NDArray[np.bool_], least_coverage: float
) -> tuple[dict[str, float], int]:
    """Sum of the values of every region over its valid voxels.

    What lies in invalid voxels is not made up for: `least_coverage` bounds how much a sum may lack.

    Parameters
    ----------
    values : ndarray of float, shape (X, Y, Z)
    labels : ndarray of int, shape (X, Y, Z)
    atlas : Atlas
        Names of the labels.
    valid : ndarray of bool, shape (X, Y, Z)
        Voxels that were measured. Values that are not finite count as not valid.
    least_coverage : float
        Share of a region's voxels that must be valid, 0 to 1.

    Returns
    -------
    sums : dict of str to float
        By region; NaN where the region is empty or covered below `least_coverage`.
    lacking : int
        Number of such regions.

    Raises
    ------
    ImageError
        Where shapes differ or a label has no name in the atlas.
    """
    sums, counts, sizes = _tally(values, labels, atlas, valid)
    seen = _seen(counts, sizes, least_coverage)
    return dict(zip(atlas.regions(), np.where(seen, sums, np.nan).tolist(), strict=True)), int((~seen).sum())


def region_means(
    values: FloatVolume, labels: IntVolume, atlas: Atlas, *, valid: NDArray[np.bool_], least_coverage: float
) -> tuple[dict[str, float], int]:
    """Mean of the values of every region over its valid voxels; parameters and returns as in `region_sums`."""
    sums, counts, sizes = _tally(values, labels, atlas, valid)
    seen = _seen(counts, sizes, least_coverage)
    means = np.where(seen, sums / np.maximum(counts, 1), np.nan)
    return dict(zip(atlas.regions(), means.tolist(), strict=True)), int((~seen).sum())


def region_numbers(labels: IntVolume, atlas: Atlas) -> NDArray[np.intp]:
    """Place of every voxel's label in `Atlas.regions`, counted from 1; 0 is background.

    Raises
    ------
    ImageError
        Where a label has no name in the atlas.
    """
    keys = np.array(sorted(atlas.names))
    place = np.minimum(np.searchsorted(keys, labels), keys.size - 1)
    named = keys[place] == labels
    nameless = np.unique(labels[~named & (labels != 0)])
    if nameless.size:
        raise ImageError(f"atlas '{atlas.name}' has no name for the labels {list_some(nameless.tolist())}")
    return np.where(named, place + 1, 0)


def _tally(
    values: FloatVolume, labels: IntVolume, atlas: Atlas, valid: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Sum over valid voxels, number of valid voxels and number of voxels, per region in the order of labels."""
    if not values.shape == labels.shape == valid.shape:
        raise ImageError(f"values {values.shape}, labels {labels.shape} and mask {valid.shape} are on different grids")
    number = region_numbers(labels, atlas)
    bins = len(atlas.names) + 1
    use = valid & np.isfinite(values)
    # A weighted bincount adds in float64, whatever the type of the values.
    sums = np.bincount(number[use], weights=values[use], minlength=bins)[1:].astype(np.float64)
    counts = np.bincount(number[use], minlength=bins)[1:]
    return sums, counts, np.bincount(number.ravel(), minlength=bins)[1:]


def _seen(counts: NDArray[np.intp], sizes: NDArray[np.intp], least_coverage: float) -> NDArray[np.bool_]:
    """Which regions have a valid voxel and enough of them."""
    return (counts > 0) & (counts >= least_coverage * sizes)
