"""Reading of NIfTI images with checks: every image that cannot be used ends with a sentence a person can act on."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from brainpid.core.errors import ImageError

SHEAR_TOLERANCE = 0.02
"""Largest cosine between two voxel axes that counts as rounding of an orthogonal affine."""


def open_image(path: str | Path, ndim: int) -> nib.Nifti1Image:
    """Open an image without reading its data, after a check of header, dimensions and affine.

    Parameters
    ----------
    path : path
        A NIfTI file.
    ndim : {3, 4}
        Dimensions that are expected. A fourth dimension of length 1 does not count.

    Raises
    ------
    ImageError
        Where the file is absent, empty or no NIfTI image, has other dimensions, or its affine is missing or sheared.
    """
    path = Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: the file does not exist")
    if path.stat().st_size == 0:
        raise ImageError(f"{path}: the file is empty; copy it again")
    try:
        image = nib.load(path)
    except (ImageFileError, EOFError, OSError, zlib.error, ValueError) as fault:
        raise ImageError(f"{path}: not readable as an image ({_short(fault)}); expected NIfTI") from fault
    if not isinstance(image, nib.Nifti1Pair):
        raise ImageError(f"{path}: found a {type(image).__name__}; expected NIfTI")
    shape = tuple(image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != ndim:
        raise ImageError(f"{path}: expected {ndim} dimensions, found shape {image.shape}")
    if min(shape[:3]) < 2 and ndim == 3:
        raise ImageError(f"{path}: expected a volume, found shape {image.shape}")
    _check_affine(image, path)
    return image


def read_data(image: nib.Nifti1Image) -> NDArray[np.float32]:
    """Read the scaled data as float32, one length-1 fourth dimension dropped.

    Raises
    ------
    ImageError
        Where the file is truncated, values are not finite, exceed what its integer type can hold, or are all the same.
    """
    path = image.get_filename() or "image"
    data = read_voxels(image).astype(np.float32, copy=False)
    while data.ndim > 3 and data.shape[-1] == 1:
        data = data[..., 0]
    bad = int(data.size - np.isfinite(data).sum())
    if bad:
        raise ImageError(f"{path}: {bad} of {data.size} voxels are NaN or infinite; expected finite values")
    if data.min() == data.max():
        raise ImageError(f"{path}: every voxel is {data.min():g}; the image is blank")
    check_overflow(image, data)
    return data


def read_voxels(image: nib.Nifti1Image) -> NDArray[Any]:
    """Read the scaled data in the type that holds them, unchecked but for what the disk gives.

    Raises
    ------
    ImageError
        Where the file is truncated or damaged.
    """
    try:
        return np.asanyarray(image.dataobj)
    except (EOFError, OSError, zlib.error, gzip.BadGzipFile, ValueError) as fault:
        raise ImageError(
            f"{image.get_filename() or 'image'}: the data cannot be read ({_short(fault)}); "
            "the file is cut off or damaged"
        ) from fault


def check_overflow(image: nib.Nifti1Image, values: NDArray[np.number[Any]]) -> None:
    """Refuse integer data that wrapped around: large negative values beside the largest positive ones.

    An image whose header adds a number is not looked at: whoever wrote it chose the range so that all values fit.

    Parameters
    ----------
    image : Nifti1Image
        Its type and scale are used.
    values : ndarray
        Scaled values of all or some of its voxels.

    Raises
    ------
    ImageError
        Where more than 1 in 10,000 values lie in the lowest, and as many in the highest, tenth of the type's range.
    """
    kind = image.get_data_dtype()
    # Not from the header, whose scale nibabel forgets once the image is loaded.
    slope, inter = (float(getattr(image.dataobj, name, default)) for name, default in (("slope", 1), ("inter", 0)))
    if not np.issubdtype(kind, np.signedinteger) or kind.itemsize > 2 or inter or slope <= 0:
        return
    low, high = (edge * slope for edge in (np.iinfo(kind).min, np.iinfo(kind).max))
    span = high - low
    wrapped = float(np.mean(values < low + 0.1 * span))
    near_top = float(np.mean(values > high - 0.1 * span))
    if wrapped > 1e-4 and near_top > 1e-4:
        raise ImageError(
            f"{image.get_filename() or 'image'}: values overflowed {kind} ({100 * wrapped:.2f}% of voxels wrapped to "
            f"below {low + 0.1 * span:g}); convert the image again with a wider type"
        )


def make_image(data: NDArray[Any], affine: NDArray[np.floating]) -> nib.Nifti1Image:
    """Make an image whose header says mm and seconds, so that no library has to guess."""
    image = nib.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm", "sec")
    return image


def _check_affine(image: nib.Nifti1Image, path: Path) -> None:
    """Refuse a missing, singular or sheared affine."""
    header = image.header
    if int(header["qform_code"]) == 0 and int(header["sform_code"]) == 0:
        raise ImageError(f"{path}: no affine (qform and sform codes are 0): left and right cannot be told apart")
    axes = image.affine[:3, :3]
    sizes = np.linalg.norm(axes, axis=0)
    if not np.isfinite(image.affine).all() or sizes.min() < 1e-3 or abs(np.linalg.det(axes)) < 1e-9:
        raise ImageError(f"{path}: the affine is singular (voxel sizes {np.round(sizes, 4).tolist()} mm)")
    cosines = np.abs((axes / sizes).T @ (axes / sizes) - np.eye(3)).max()
    if cosines > SHEAR_TOLERANCE:
        raise ImageError(f"{path}: the affine is sheared (axes {np.degrees(np.arccos(cosines)):.1f} degrees apart)")


def _short(fault: BaseException) -> str:
    """First line of an error of a library."""
    return " ".join(str(fault).split())[:160] or type(fault).__name__
