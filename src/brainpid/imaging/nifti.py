"""Reading of NIfTI images with checks: every image that cannot be used ends with a sentence a person can act on."""

from __future__ import annotations

import math
import stat
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError, ImageDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from brainpid.core.errors import ImageError
from brainpid.core.machine import refuse_machine_fault
from brainpid.imaging import header_sizes

NIBABEL_ERRORS = (
    ImageFileError,
    HeaderDataError,
    HeaderTypeError,
    ImageDataError,
    WrapStructError,
    EOFError,
    OSError,
    zlib.error,
    ValueError,
    OverflowError,
    KeyError,
    MemoryError,
)
"""Whatever nibabel raises at a file that is damaged or says senseless things of itself, or is refused by the system."""
_READ = 1 << 20
MILLIMETRES = {"meter": 1e3, "micron": 1e-3, "mm": 1.0, "unknown": 1.0}
SENSIBLE_MM = (0.01, 100.0)
"""Sizes of voxels in mm; others are in another unit than the header says."""
SHEAR_TOLERANCE = 0.02
"""Largest cosine between two voxel axes that counts as rounding of an orthogonal affine."""
VOXELS_AT_ONCE = 2**22
"""Voxels that are scaled at a time: 32 MB as float64."""


def open_image(path: str | Path, ndim: int) -> nib.Nifti1Image:
    """Open an image without reading its data, its affine in mm, after a check of header, dimensions and affine.

    Parameters
    ----------
    path : path
        A NIfTI file.
    ndim : {3, 4}
        Dimensions that are expected. Axes of length 1 beyond the third are dropped.

    Raises
    ------
    ImageError
        Where the file is absent, empty or no NIfTI image, its voxels are no single numbers, it has other dimensions,
        its affine is missing or sheared, or what the header says of the size of voxels disagrees.
    MachineError
        Where the system refuses to read it.
    """
    path = Path(path)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ImageError(f"{path}: this is no file; expected NIfTI")
        if found.st_size == 0:
            raise ImageError(f"{path}: the file is empty; copy it again")
        image = _loaded(path)
        if not isinstance(image, nib.Nifti1Pair):
            raise ImageError(f"{path}: found a {type(image).__name__}; expected NIfTI")
        kind = image.get_data_dtype()
    except ImageError:
        raise
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise ImageError(f"{path}: the file does not exist") from fault
    except NIBABEL_ERRORS as fault:
        refuse_machine_fault(fault, path)
        raise ImageError(f"{path}: not readable as an image ({_short(fault)}); expected NIfTI") from fault
    _check_kind(kind, image, path)
    image = _without_empty_axes(image, ndim, path)
    if len(image.shape) != ndim:
        raise ImageError(f"{path}: expected {ndim} dimensions, found shape {image.shape}")
    if min(image.shape[:3]) < 2 and ndim == 3:
        raise ImageError(f"{path}: expected a volume, found shape {image.shape}")
    header_sizes.check(image, path)
    image = _in_mm(image, path)
    _check_affine(image, path)
    return image


def _loaded(path: Path) -> Any:
    """What nibabel makes of a file; what the system says of it while nibabel guesses its kind is lost there."""
    try:
        return nib.load(path)
    except ImageFileError:
        with path.open("rb") as file:
            file.read(_READ)
        return nib.load(path)


def read_data(image: nib.Nifti1Image) -> NDArray[np.float32]:
    """Read the scaled data as float32.

    Raises
    ------
    ImageError
        Where the file is truncated, values are not finite, exceed what its integer type can hold, or are all the same.
    """
    path = image.get_filename() or "image"
    data = _as_float32(image)
    bad = data.size - sum(int(np.isfinite(data[..., part]).sum()) for part in _parts(data.shape))
    if bad:
        raise ImageError(f"{path}: {bad} of {data.size} voxels are NaN or infinite; expected finite values")
    if data.min() == data.max():
        raise ImageError(f"{path}: every voxel is {data.min():g}; the image is blank")
    check_overflow(image, data)
    return data


def _as_float32(image: nib.Nifti1Image) -> NDArray[np.float32]:
    """Scaled data as float32; of what the disk holds in another type, some volumes at a time.

    Whole, a scaled series of 2 bytes a voxel would be there as 8 and as 4 bytes a voxel at once. The values are the
    same: each voxel is scaled in float64 by itself.
    """
    stored = image.dataobj
    same = stored.dtype == np.float32 and (getattr(stored, "slope", 1), getattr(stored, "inter", 0)) == (1, 0)
    if same or not isinstance(stored, ArrayProxy):
        return read_voxels(image).astype(np.float32, copy=False)
    place = (stored.shape, stored.dtype, stored.offset, stored.slope, stored.inter)
    # Kept open, so that a compressed file is read through once and not from its start for every part.
    held = ArrayProxy(stored.file_like, place, mmap=False, keep_file_open=True)
    opened = type(image)(held, image.affine, image.header, file_map=image.file_map)
    data = np.empty(stored.shape, dtype=np.float32, order="F")
    for part in _parts(stored.shape):
        data[..., part] = read_voxels(opened, part)
    return data


def _parts(shape: tuple[int, ...]) -> list[slice]:
    """Slices of the last axis that hold about `VOXELS_AT_ONCE` voxels each."""
    step = max(1, VOXELS_AT_ONCE // max(1, math.prod(shape[:-1])))
    return [slice(start, start + step) for start in range(0, shape[-1], step)]


def read_voxels(image: nib.Nifti1Image, part: slice = slice(None)) -> NDArray[Any]:
    """Read the scaled data in the type that holds them, unchecked but for what the disk gives.

    Parameters
    ----------
    image : Nifti1Image
    part : slice
        Of the last axis.

    Raises
    ------
    ImageError
        Where the file is truncated or damaged.
    MachineError
        Where the system refuses to read it, or there is no memory for it.
    """
    path = image.get_filename() or "image"
    try:
        return np.asanyarray(image.dataobj if part == slice(None) else image.dataobj[..., part])
    except MemoryError as fault:
        no_memory: BaseException = fault
    except NIBABEL_ERRORS as fault:
        refuse_machine_fault(fault, path)
        raise ImageError(
            f"{path}: the data cannot be read ({_short(fault)}); the file is cut off or damaged"
        ) from fault
    # Not above: a shape that the file does not hold is no lack of memory, and the error should not come from one.
    if (lacking := _lacking_bytes(image)) > 0:
        raise ImageError(
            f"{path}: the data cannot be read (the header says shape {image.shape}, for which {lacking:,} bytes are "
            "lacking); the file is cut off or damaged"
        )
    refuse_machine_fault(no_memory, path)
    raise no_memory


def _lacking_bytes(image: nib.Nifti1Image) -> int:
    """Bytes that the file has less than its header says, read to the end without keeping it; 0 where it has all."""
    stored = image.dataobj
    needed = int(stored.offset) + math.prod(int(n) for n in image.shape) * stored.dtype.itemsize
    there = 0
    try:
        with image.file_map["image"].get_prepare_fileobj("rb") as stream:
            while there < needed and (part := stream.read(_READ)):
                there += len(part)
    except NIBABEL_ERRORS as fault:
        refuse_machine_fault(fault, image.get_filename() or "image")
    return needed - there


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


def _check_kind(kind: np.dtype[Any], image: nib.Nifti1Image, path: Path) -> None:
    """Refuse voxels that are no single real numbers."""
    if kind.kind in "iuf":
        return
    code = int(image.header["datatype"])
    if kind.names:
        what = f"colours ({'/'.join(kind.names)})"
        advice = "a map for looking at holds no measurement; use the image that it was made from"
    elif kind.kind == "c":
        what, advice = f"complex ({kind})", "save the magnitude as an image of its own"
    else:
        what, advice = f"of no type that is known (datatype {code})", "convert the image again"
    raise ImageError(f"{path}: the voxels are {what}, expected one real number each; {advice}")


def _without_empty_axes(image: nib.Nifti1Image, ndim: int, path: Path) -> nib.Nifti1Image:
    """The image without axes of length 1 beyond the third, as long as it has more than are expected; not read."""
    shape = tuple(int(n) for n in image.shape)
    if len(shape) <= ndim or len([n for n in shape[3:] if n > 1]) > ndim - 3:
        return image
    kept = [axis for axis, n in enumerate(shape) if axis < 3 or n > 1]
    kept += [axis for axis in range(3, len(shape)) if axis not in kept][: max(0, ndim - len(kept))]
    kept.sort()
    sizes = image.header["pixdim"][1:8]
    header = image.header.copy()
    header.set_data_shape([shape[axis] for axis in kept])
    header["pixdim"][1 : len(kept) + 1] = [sizes[axis] for axis in kept]
    try:
        data = image.dataobj.reshape(tuple(shape[axis] for axis in kept))
    except NIBABEL_ERRORS as fault:
        raise ImageError(f"{path}: not readable as an image ({_short(fault)}); expected NIfTI") from fault
    return type(image)(data, image.affine, header, file_map=image.file_map)


def _in_mm(image: nib.Nifti1Image, path: Path) -> nib.Nifti1Image:
    """The image with an affine in mm, whatever unit its header has; not read."""
    unit = str(image.header.get_xyzt_units()[0])
    factor = MILLIMETRES[unit]
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0) * factor
    low, high = SENSIBLE_MM
    if np.isfinite(sizes).all() and sizes.min() > 0 and not low <= sizes.min() <= sizes.max() <= high:
        words = "no unit" if unit == "unknown" else f"the unit {unit}"
        raise ImageError(
            f"{path}: voxels of {' x '.join(f'{size:.4g}' for size in sizes)} mm, as the header has {words}; expected "
            f"{low:g} to {high:g} mm: is the unit right?"
        )
    if factor == 1:
        return image
    affine = image.affine.copy()
    affine[:3] *= factor
    header = image.header.copy()
    header["pixdim"][1:4] *= factor
    header.set_xyzt_units("mm", image.header.get_xyzt_units()[1])
    return type(image)(image.dataobj, affine, header, file_map=image.file_map)


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
