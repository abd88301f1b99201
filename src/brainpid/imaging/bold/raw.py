"""Features of a raw BOLD run, without fMRIPrep: a declared best effort.

Realignment is rigid, and the mean volume goes to MNI space by an affine. There is no correction of slice timing, of
distortion by the field, or of signal from white matter and CSF: regions near the sinuses are misplaced by some
millimetres, and motion within a volume stays. Preprocess with fMRIPrep where that is possible.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ants
import nibabel as nib
import numpy as np
import pandas as pd
from nilearn.image import resample_img, smooth_img
from nilearn.masking import compute_epi_mask
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainpid.config.extraction import FunctionalExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.ants_calls import ants_call
from brainpid.imaging.atlases import Atlas, region_coverage
from brainpid.imaging.bold.confounds import MOTION
from brainpid.imaging.bold.regional import analyse_series
from brainpid.imaging.bold.series import average_regions, iterate_volumes
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.registration import register, seed_ants, to_ants
from brainpid.imaging.templates import csf_map, mni152

COARSE_MM = 4.0
"""Voxel size at which motion is estimated."""
TEMPLATE_FWHM_MM = 6.0
"""Smoothness of the template, about that of a mean BOLD volume."""
MEAN_VOLUMES = 20
"""Volumes, spread over the run, whose mean goes to the template."""


def extract_raw_bold(
    image: nib.Nifti1Image, tr_s: float, *, settings: FunctionalExtraction, atlas: Atlas, seed: int = 1
) -> Extracted:
    """Features of a raw BOLD run.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
        In the scanner's space, whole brain.
    tr_s : float
        Repetition time in s.
    settings : FunctionalExtraction
        ``raw_strategy`` is used: motion alone is known.
    atlas : Atlas
        Its labels are brought to the person's grid.
    seed : int

    Returns
    -------
    Extracted
        As of `brainpid.imaging.bold.regional.extract_bold`, with the ``similarity`` to the template in the quality.

    Raises
    ------
    ImageError
        Where the image cannot be read, realigned or registered.
    """
    if len(image.shape) != 4 or image.shape[3] < 2:
        raise ImageError(f"expected a 4D BOLD image, found shape {tuple(image.shape)}")
    source = str(image.get_filename() or "image")
    with tempfile.TemporaryDirectory(prefix="brainpid-") as folder:
        motion, transforms = realign(image, Path(folder), seed=seed)
        chosen = range(0, image.shape[3], max(1, image.shape[3] // MEAN_VOLUMES))
        mean = np.zeros(image.shape[:3])
        for volume in _realigned(image, transforms, chosen):
            mean += volume.reshape(image.shape[:3], order="F") / len(chosen)
        average = nib.Nifti1Image(mean.astype(np.float32), image.affine)
        mask_image = compute_epi_mask(average)
        mask = np.asarray(mask_image.dataobj) > 0
        # A margin keeps the bright CSF at the brain's edge, by which the template is found.
        margin = ndimage.binary_dilation(mask)
        brain = nib.Nifti1Image(np.where(margin, mean, 0).astype(np.float32), image.affine)
        with register(
            brain,
            bold_template(4),
            mask=mni152("brain", 4),
            model="affine",
            least_similarity=settings.least_similarity,
            seed=seed,
        ) as registration:
            labels = registration.labels_from_template(atlas.image)
            byte = nib.Nifti1Image(mask.astype(np.float32), image.affine)
            seen = registration.to_template(byte, "nearest")
            similarity = registration.similarity
        regions = average_regions(
            _realigned(image, transforms, range(image.shape[3])),
            labels,
            mask,
            region_coverage(seen, atlas),
            atlas.names,
            least_coverage=settings.least_coverage,
            n_volumes=int(image.shape[3]),
            keep_voxels=settings.reho,
            source=source,
        )
    extracted = analyse_series(regions, tr_s, confounds=motion, strategy=settings.raw_strategy, settings=settings)
    return replace(extracted, quality=extracted.quality | {"similarity": similarity})


def realign(image: nib.Nifti1Image, folder: Path, *, seed: int = 1) -> tuple[pd.DataFrame, list[str]]:
    """Rigid transform of every volume to the first, estimated on volumes of `COARSE_MM`.

    Each estimate starts from the volume before, so that slow drifts are small steps.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
    folder : path
        Where the transforms are written.
    seed : int

    Returns
    -------
    motion : DataFrame, shape (T, 6)
        ``trans_x`` to ``rot_z``: where the centre of the head moved, in mm, and how the head turned about the axes
        through it, in rad, against the first volume.
    transforms : list of str, length T
        Files of ITK transforms.

    Raises
    ------
    ImageError
        Where a volume is not finite or has no contrast, the first has nothing above 0, or ANTs fails.
    """
    seed_ants(seed)
    rows, transforms = [], []
    reference, centre, start = None, np.zeros(3), "Identity"
    for frame, volume in enumerate(iterate_volumes(image)):
        if not np.isfinite(volume).all() or volume.min() == volume.max():
            raise ImageError(f"volume {frame + 1} of {image.shape[3]} is not finite or has no contrast")
        moving = _coarse(volume.reshape(image.shape[:3], order="F"), image.affine)
        if reference is None:
            reference = moving
            weights = np.maximum(reference.numpy(), 0)
            if not weights.any():
                raise ImageError("the first volume has no value above 0; expected a BOLD image")
            index = ndimage.center_of_mass(weights * (weights > weights.mean()))
            centre = np.array(ants.transform_index_to_physical_point(reference, [round(i) + 1 for i in index]))
        with ants_call(f"realignment of volume {frame + 1}"):
            found = ants.registration(
                reference,
                moving,
                type_of_transform="Rigid",
                initial_transform=start,
                outprefix=str(folder / f"{frame:05d}_"),
                aff_metric="GC",
                aff_random_sampling_rate=1.0,
                # Twice the coarse voxel is enough for steps well below it, at a ninth of the time.
                aff_iterations=(30, 10),
                aff_shrink_factors=(3, 2),
                aff_smoothing_sigmas=(1, 0),
                singleprecision=False,
            )
        start = found["fwdtransforms"][0]
        transforms.append(start)
        rows.append(_rigid_parameters(start, centre))
    return pd.DataFrame(rows, columns=list(MOTION)), transforms


def bold_template(resolution: int) -> nib.Nifti1Image:
    """Brain in MNI space as BOLD shows it: smooth, CSF brighter than grey, grey brighter than white matter.

    Parameters
    ----------
    resolution : int
        Voxel size in mm.
    """
    gm, wm, csf = mni152("gm", resolution), mni152("wm", resolution), csf_map(resolution)
    mixed = 0.8 * np.asarray(gm.dataobj) + 0.6 * np.asarray(wm.dataobj) + 1.0 * np.asarray(csf.dataobj)
    inside = np.asarray(mni152("brain", resolution).dataobj) > 0.5
    return smooth_img(nib.Nifti1Image((mixed * inside).astype(np.float32), gm.affine), TEMPLATE_FWHM_MM)


def _coarse(volume: NDArray[np.generic], affine: NDArray[np.float64]) -> ants.ANTsImage:
    """A smoothed volume with voxels of at least `COARSE_MM`, as ANTs reads it."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    steps = np.maximum(sizes, COARSE_MM)
    # A Gaussian of the coarse voxel's width, without what the fine voxel has already.
    smoothed = ndimage.gaussian_filter(volume.astype(np.float32), np.sqrt(steps**2 - sizes**2) / sizes / 2.355)
    target = affine.copy()
    target[:3, :3] = affine[:3, :3] / sizes * steps
    shape = tuple(int(np.ceil(n * size / step)) for n, size, step in zip(volume.shape, sizes, steps, strict=True))
    coarse = resample_img(
        nib.Nifti1Image(smoothed, affine),
        target_affine=target,
        target_shape=shape,
        interpolation="linear",
        copy_header=True,
        force_resample=True,
    )
    return to_ants(nib.Nifti1Image(coarse.get_fdata(dtype=np.float32), target))


def _rigid_parameters(path: str, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Translation of a centre in mm and rotations in rad, shape (6,), of ITK's transform ``R (x - c) + t + c``."""
    transform = ants.read_transform(path)
    turn, shift = np.asarray(transform.parameters[:9]).reshape(3, 3), np.asarray(transform.parameters[9:])
    fixed = np.asarray(transform.fixed_parameters)
    moved = turn @ (centre - fixed) + shift + fixed - centre
    return np.r_[moved, Rotation.from_matrix(turn).as_euler("xyz")]


def _realigned(image: nib.Nifti1Image, transforms: list[str], frames: range) -> Iterator[NDArray[np.float32]]:
    """Chosen volumes resampled onto the first one's grid, each of shape (X * Y * Z,), first axis fastest."""
    grid = None
    for frame, volume in enumerate(iterate_volumes(image)):
        if frame in frames or grid is None:
            values = volume.reshape(image.shape[:3], order="F").astype(np.float32)
            moving = to_ants(nib.Nifti1Image(values, image.affine))
            grid = moving if grid is None else grid
        if frame in frames:
            warped = ants.apply_transforms(grid, moving, [transforms[frame]], interpolator="linear")
            yield warped.numpy().ravel(order="F")
