"""Mean series of an atlas's regions, in one pass over a BOLD image that holds one volume in memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from brainpid.core.errors import ImageError, list_some
from brainpid.core.machine import refuse_machine_fault
from brainpid.imaging.atlases import Atlas, on_grid, region_coverage
from brainpid.imaging.nifti import check_overflow


@dataclass(frozen=True)
class RegionSeries:
    """What one pass over the volumes gives.

    Attributes
    ----------
    series : ndarray, shape (T, R)
        Mean of every region's voxels, in the image's units; 0 where a region is not covered.
    names : tuple of str, length R
        In alphabetical order, whatever the atlas's numbers.
    covered : ndarray of bool, shape (R,)
        Whether at least ``least_coverage`` of the region lies in the mask, and its series varies.
    coverage : ndarray, shape (R,)
        Share of the region's volume that lies in the mask, 0 to 1.
    regions : ndarray of int, shape (V,)
        Region of every voxel of the mask, an index to `names`; -1 where none.
    mask : ndarray of bool, shape (X, Y, Z)
    mean : ndarray, shape (X, Y, Z)
        Mean over time inside the mask, 0 outside.
    tsnr_median : float
        Median over the mask of the temporal mean divided by the temporal standard deviation.
    dvars_percent : ndarray, shape (T,)
        Root mean square over the mask of the difference to the volume before, in percent of the median of `mean`; 0 for
        the first.
    voxels : ndarray of float32, shape (T, V), or None
        Series of the mask's voxels, where they were asked for.
    """

    series: NDArray[np.float64]
    names: tuple[str, ...]
    covered: NDArray[np.bool_]
    coverage: NDArray[np.float64]
    regions: NDArray[np.intp]
    mask: NDArray[np.bool_]
    mean: NDArray[np.float64]
    tsnr_median: float
    dvars_percent: NDArray[np.float64]
    voxels: NDArray[np.float32] | None = None


def region_series(
    image: nib.Nifti1Image,
    mask: nib.Nifti1Image | None,
    atlas: Atlas,
    *,
    least_coverage: float,
    keep_voxels: bool = False,
) -> RegionSeries:
    """Mean series of every region; equal to ``nilearn.maskers.NiftiLabelsMasker``, read once and volume by volume.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
        In the space of the atlas. Its data are not loaded.
    mask : Nifti1Image or None
        Brain mask; brought to the image's grid where it has another. None takes the voxels that are finite and not 0 in
        the first volume.
    atlas : Atlas
        Brought to the image's grid by nearest neighbour.
    least_coverage : float
        Least share of a region's volume inside the mask, 0 to 1.
    keep_voxels : bool
        Whether the series of the mask's voxels are kept (4 T V bytes).

    Raises
    ------
    ImageError
        Where the image has no volumes, is cut off, has NaN inside the mask or blank volumes, or where the atlas or the
        mask lies outside it.
    """
    if len(image.shape) != 4 or image.shape[3] < 2:
        raise ImageError(f"{_name(image)}: expected a 4D BOLD image, found shape {tuple(image.shape)}")
    labels = on_grid(atlas.image, image.shape[:3], image.affine)
    if mask is None:
        first = next(iterate_volumes(image))
        inside = (np.isfinite(first) & (first != 0)).reshape(image.shape[:3], order="F")
    else:
        inside = on_grid(mask, image.shape[:3], image.affine) > 0
    return average_regions(
        iterate_volumes(image),
        labels,
        inside,
        region_coverage(nib.Nifti1Image(inside.astype(np.uint8), image.affine), atlas),
        atlas.names,
        least_coverage=least_coverage,
        n_volumes=int(image.shape[3]),
        keep_voxels=keep_voxels,
        source=_name(image),
    )


def average_regions(
    volumes: Iterable[NDArray[np.generic]],
    labels: NDArray[np.int32],
    mask: NDArray[np.bool_],
    coverage: dict[str, float],
    label_names: dict[int, str],
    *,
    least_coverage: float,
    n_volumes: int,
    keep_voxels: bool,
    source: str,
) -> RegionSeries:
    """Mean series and quality of volumes that come one after the other.

    Parameters
    ----------
    volumes : iterable of ndarray, each of shape (X * Y * Z,)
        First axis fastest, as on disk.
    labels : ndarray of int, shape (X, Y, Z)
    mask : ndarray of bool, shape (X, Y, Z)
    coverage : dict of str to float
        By name, from `brainpid.imaging.atlases.region_coverage`.
    label_names : dict of int to str
    least_coverage : float
    n_volumes : int
    keep_voxels : bool
    source : str
        How errors name the image.
    """
    where = np.flatnonzero(mask.ravel(order="F"))
    if where.size == 0:
        raise ImageError(f"{source}: the brain mask has no voxel inside the image")
    ordered = sorted(label_names, key=lambda label: label_names[label])
    names = tuple(label_names[label] for label in ordered)
    if len(set(names)) < len(names):
        raise ImageError("the atlas gives one name to several labels; expected each name once")
    regions = _indices(labels.ravel(order="F")[where], ordered)
    share = np.array([coverage[name] for name in names])
    counts = np.bincount(regions[regions >= 0], minlength=len(names))
    if not counts.any():
        raise ImageError(f"{source}: no region of the atlas lies inside it; is the image in MNI space?")
    inside = np.flatnonzero(regions >= 0)
    average = sparse.csr_array(
        (1.0 / counts[regions[inside]], (regions[inside], inside)), shape=(len(names), where.size)
    )
    series = np.zeros((n_volumes, len(names)))
    squared_steps = np.zeros(n_volumes)
    voxels = np.empty((n_volumes, where.size), dtype=np.float32) if keep_voxels else None
    blank = []
    for frame, volume in enumerate(volumes):
        values = np.take(volume, where).astype(np.float32)
        low, high = values.min(), values.max()  # either is NaN or infinite if any value is
        if not (np.isfinite(low) and np.isfinite(high)):
            bad = int(values.size - np.isfinite(values).sum())
            raise ImageError(
                f"{source}: {bad} of {values.size} voxels inside the mask are NaN or infinite in volume {frame + 1}; "
                "expected finite values"
            )
        if low == high:
            blank.append(frame + 1)
        series[frame] = average @ values
        if frame == 0:
            # Sums are taken about the first volume, so that squares do not cancel where the mean is large.
            origin, previous = values, values
            total, squares, work = np.zeros_like(values), np.zeros_like(values), np.empty_like(values)
        np.subtract(values, previous, out=work)
        squared_steps[frame] = work @ work / values.size
        previous = values
        np.subtract(values, origin, out=work)
        total += work
        work *= work
        squares += work
        if voxels is not None:
            voxels[frame] = values
    if blank:
        raise ImageError(f"{source}: volumes without any contrast: {list_some(blank)} of {n_volumes}; expected none")
    spread = np.sqrt(np.maximum(squares / n_volumes - (total / n_volumes) ** 2, 0.0))
    average_volume = origin.astype(np.float64) + total / n_volumes
    if not (spread > 0).any():
        raise ImageError(f"{source}: all {n_volumes} volumes are the same; expected a BOLD series")
    mean = np.zeros(mask.size)
    mean[where] = average_volume
    return RegionSeries(
        series=series,
        names=names,
        covered=(counts > 0) & (share >= least_coverage) & (np.ptp(series, axis=0) > 0),
        coverage=np.where(counts > 0, share, 0.0),
        regions=regions,
        mask=mask,
        mean=mean.reshape(mask.shape, order="F"),
        tsnr_median=float(np.median(average_volume[spread > 0] / spread[spread > 0])),
        dvars_percent=100 * np.sqrt(squared_steps) / max(abs(float(np.median(average_volume))), np.finfo(float).tiny),
        voxels=voxels,
    )


def iterate_volumes(image: nib.Nifti1Image) -> Iterator[NDArray[np.generic]]:
    """Volumes of an image in order, each of shape (X * Y * Z,), first axis fastest; a file is read through once.

    Slices of a compressed image's ``dataobj`` would be decompressed from the start each time.

    Raises
    ------
    ImageError
        Where the file is damaged or ends before its last volume, or its integers overflowed.
    """
    size, n_volumes = int(np.prod(image.shape[:3])), int(image.shape[3])
    if not nib.is_proxy(image.dataobj):
        for frame in range(n_volumes):
            yield np.asarray(image.dataobj[..., frame]).ravel(order="F")
        return
    stored = image.dataobj
    if stored.dtype.kind not in "iuf":
        raise ImageError(f"{_name(image)}: expected integer or float voxels, found {stored.dtype}")
    scaled = (stored.slope, stored.inter) != (1.0, 0.0)
    try:
        with image.file_map["image"].get_prepare_fileobj("rb") as stream:
            stream.seek(stored.offset)
            for frame in range(n_volumes):
                raw = stream.read(size * stored.dtype.itemsize)
                if len(raw) < size * stored.dtype.itemsize:
                    raise EOFError(f"it ends in volume {frame + 1} of {n_volumes}")
                volume = np.frombuffer(raw, dtype=stored.dtype)
                volume = volume * np.float32(stored.slope) + np.float32(stored.inter) if scaled else volume
                if frame == 0:  # what wraps around does so in every volume
                    check_overflow(image, volume)
                yield volume
    except (EOFError, OSError, zlib.error, gzip.BadGzipFile) as fault:
        refuse_machine_fault(fault, _name(image))
        short = " ".join(str(fault).split())[:160]
        raise ImageError(f"{_name(image)}: the data cannot be read ({short}); it is cut off or damaged") from fault


def _indices(labels: NDArray[np.int32], ordered: list[int]) -> NDArray[np.intp]:
    """Place of every label in a list; -1 for labels that are not in it."""
    table = np.full(int(max(labels.max(initial=0), *ordered)) + 1, -1, dtype=np.intp)
    table[ordered] = np.arange(len(ordered))
    return table[np.maximum(labels, 0)]


def _name(image: nib.Nifti1Image) -> str:
    return str(image.get_filename() or "image")
