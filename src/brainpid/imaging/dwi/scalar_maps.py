"""Features from diffusion maps that another program made and took to MNI space, as QSIRecon does."""

from __future__ import annotations

from collections.abc import Mapping

import nibabel as nib
import numpy as np
from nilearn.image import resample_to_img
from numpy.typing import NDArray

from brainpid.config.extraction import DIFFUSION_METRICS, DiffusionExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas, labels_on, on_grid, region_coverage
from brainpid.imaging.dwi.regional import PLAUSIBLE_MD, WHITE_MATTER, finite_means, regions_of, white_matter
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.mosaic import mosaic
from brainpid.imaging.templates import mni152

DIFFUSIVITIES = ("md", "ad", "rd")
FRACTIONS = ("fa", "icvf", "isovf", "od")
MM2_PER_S = {"mm^2/s": 1.0, "um^2/ms": 1e-3}
"""Units of diffusivity in files, in mm^2/s."""
LEAST_INSIDE = 0.5
"""Least fraction of a map's voxels that lie in the template's brain."""


def extract_scalar_maps(
    maps: Mapping[str, nib.Nifti1Image], settings: DiffusionExtraction, atlas: Atlas, diffusivity_unit: str = "mm^2/s"
) -> Extracted:
    """Extract regional means of maps that are in MNI space already.

    Parameters
    ----------
    maps : mapping of str to Nifti1Image
        3D map by metric (see `DIFFUSION_METRICS`), each on any grid in MNI space; 0 or NaN where it has no value.
    settings : DiffusionExtraction
        ``resolution``, ``least_coverage`` and ``least_similarity`` are used.
    atlas : Atlas
        Regions in MNI space; taken to a map's grid by nearest neighbour.
    diffusivity_unit : {"mm^2/s", "um^2/ms"}
        Of MD, AD and RD in the maps.

    Returns
    -------
    Extracted
        Features ``<metric>_<region>`` and ``<metric>_whole_white_matter``: mm^2/s for diffusivities, else 1. Quality:
        ``regions_uncovered`` (in any map), ``mask_volume_mm3`` of the first map, and with FA ``fa_white_matter`` and
        ``similarity``, its correlation with the template's white matter. The picture shows FA.

    Raises
    ------
    ImageError
        Where a metric is unknown, a map is empty, has another unit or lies outside of MNI space.
    """
    if not maps:
        raise ImageError("no map was given; expected at least one")
    values: dict[str, float] = {}
    uncovered: set[str] = set()
    atlases = (atlas, white_matter(settings.resolution))
    for metric, image in maps.items():
        volume = _read_map(metric, image, diffusivity_unit)
        held = nib.Nifti1Image(np.isfinite(volume).astype(np.float32), image.affine)
        _check_space(metric, held)
        for cut in atlases:
            coverage = region_coverage(held, cut)
            missing = {name for name, share in coverage.items() if share < settings.least_coverage}
            means = finite_means(volume, labels_on(cut, image), cut)
            values |= {f"{metric}_{name}": np.nan if name in missing else mean for name, mean in means.items()}
            uncovered |= missing
    units = {name: "mm^2/s" if name.partition("_")[0] in DIFFUSIVITIES else "1" for name in values}
    first = next(iter(maps))
    quality = {
        "regions_uncovered": float(len(uncovered)),
        "mask_volume_mm3": float(
            np.isfinite(_read_map(first, maps[first], diffusivity_unit)).sum() * _voxel_volume(maps[first])
        ),
    }
    picture = None
    if "fa" in maps:
        volume = _read_map("fa", maps["fa"], diffusivity_unit)
        fa = nib.Nifti1Image(np.nan_to_num(volume), maps["fa"].affine)
        quality |= {
            "fa_white_matter": values[f"fa_{WHITE_MATTER}"],
            "similarity": _similarity(fa, settings),
        }
        picture = mosaic(np.asarray(fa.dataobj), labels_on(atlas, fa), np.isfinite(volume), fa.affine)
    return Extracted(values, units, quality, picture, regions=regions_of(maps, atlases))


def _read_map(metric: str, image: nib.Nifti1Image, diffusivity_unit: str) -> NDArray[np.float32]:
    """Values of a map in its unit, NaN where it has none."""
    if metric not in DIFFUSION_METRICS:
        raise ImageError(f"unknown diffusion metric '{metric}'; expected one of {', '.join(DIFFUSION_METRICS)}")
    if len(image.shape) != 3:
        raise ImageError(f"the {metric} map has shape {image.shape}; expected a volume of three dimensions")
    volume = np.array(image.dataobj, dtype=np.float32)
    volume[~np.isfinite(volume) | (volume == 0)] = np.nan
    if np.isnan(volume).all():
        raise ImageError(f"the {metric} map has only voxels that are 0 or NaN; expected values")
    if metric in DIFFUSIVITIES:
        volume *= np.float32(MM2_PER_S[diffusivity_unit])
    median = float(np.nanmedian(volume))
    if metric in DIFFUSIVITIES:
        low, high = PLAUSIBLE_MD
        if not low <= median <= high:
            raise ImageError(
                f"the {metric} map has the median {median:.3g}, expected {low:g} to {high:g} mm^2/s: "
                "is it in another unit, such as um^2/ms (the key diffusivity_unit of the source)?"
            )
    elif metric in FRACTIONS and not 0 < median < 1:
        raise ImageError(f"the {metric} map has the median {median:.3g}, expected 0 to 1")
    return volume


def _check_space(metric: str, held: nib.Nifti1Image) -> None:
    """Refuse a map most of which is outside of the template's brain."""
    brain = on_grid(mni152("brain", 2), held.shape, held.affine) > 0
    present = np.asarray(held.dataobj) > 0.5
    inside = float((present & brain).sum() / present.sum())
    if inside < LEAST_INSIDE:
        raise ImageError(
            f"{100 * inside:.0f}% of the {metric} map's voxels are in the MNI brain, expected at least "
            f"{100 * LEAST_INSIDE:.0f}%: is the map in MNI space?"
        )


def _similarity(fa: nib.Nifti1Image, settings: DiffusionExtraction) -> float:
    """Correlation of FA with the template's white matter in the template's brain, -1 to 1."""
    template = mni152("wm", settings.resolution)
    moved = resample_to_img(fa, template, interpolation="linear", force_resample=True, copy_header=True)
    inside = np.asarray(mni152("brain", settings.resolution).dataobj) > 0.5
    here, there = np.asarray(moved.dataobj)[inside], np.asarray(template.dataobj)[inside]
    similarity = float(np.corrcoef(here, there)[0, 1]) if here.std() > 0 else 0.0
    if similarity < settings.least_similarity:
        raise ImageError(
            f"the fa map's correlation with the template's white matter is {similarity:.2f}, expected at least "
            f"{settings.least_similarity:g}: is the map in MNI space?"
        )
    return similarity


def _voxel_volume(image: nib.Nifti1Image) -> float:
    """Volume of a voxel in mm^3."""
    return float(abs(np.linalg.det(image.affine[:3, :3])))
