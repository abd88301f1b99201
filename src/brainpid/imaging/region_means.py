"""Means of a map over an atlas's regions, and how much of every region a person's image covers."""

from __future__ import annotations

from collections.abc import Mapping

import nibabel as nib
import numpy as np
from nilearn.image import resample_to_img
from numpy.typing import NDArray


def read_labels(image: nib.Nifti1Image) -> NDArray[np.int64]:
    """Labels as integers; resampling leaves them as floats."""
    return np.rint(np.asarray(image.dataobj)).astype(np.int64)


def resample_labels(labels: nib.Nifti1Image, grid: nib.Nifti1Image) -> nib.Nifti1Image:
    """Take labels to another grid of the same space by nearest neighbour; outside of theirs it is 0."""
    # A fresh float32 image: nilearn warns of, and some versions refuse, 64-bit integers.
    plain = nib.Nifti1Image(np.asarray(labels.dataobj, dtype=np.float32), labels.affine)
    return resample_to_img(plain, grid, interpolation="nearest", force_resample=True, copy_header=True)


def region_means(values: NDArray[np.floating], labels: NDArray[np.int64], names: Mapping[int, str]) -> dict[str, float]:
    """Mean of the finite values in every region.

    Parameters
    ----------
    values : ndarray, shape (X, Y, Z)
        NaN where there is no value.
    labels : ndarray of int, shape (X, Y, Z)
    names : mapping of int to str

    Returns
    -------
    dict of str to float
        By name of the region; NaN where it has no finite value.
    """
    known = np.isfinite(values) & (labels > 0)
    size = max(names, default=0) + 1
    kept = labels[known]
    sums = np.bincount(kept, weights=values[known].astype(np.float64), minlength=size)
    counts = np.bincount(kept, minlength=size)
    return {
        name: float(sums[label] / counts[label]) if counts[label] else float("nan") for label, name in names.items()
    }


def region_coverage(inside: nib.Nifti1Image, labels: nib.Nifti1Image, names: Mapping[int, str]) -> dict[str, float]:
    """Fraction of every region, 0 to 1, in which a person has values.

    It is counted on the atlas's own grid and not on the person's, where what lies outside of the field of view would
    not be counted as missing.

    Parameters
    ----------
    inside : Nifti1Image
        1 where the person has values, else 0, in the atlas's space on any grid.
    labels : Nifti1Image
        Integer labels of the atlas.
    names : mapping of int to str

    Returns
    -------
    dict of str to float
        By name of the region; 0 where the atlas has no voxel of it.
    """
    held = read_labels(labels)
    present = read_labels(resample_labels(inside, labels)) > 0
    size = max(int(held.max()), max(names, default=0)) + 1
    total = np.bincount(held[held > 0], minlength=size)
    found = np.bincount(held[present & (held > 0)], minlength=size)
    return {name: float(found[label] / total[label]) if total[label] else 0.0 for label, name in names.items()}
