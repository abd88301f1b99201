"""Tissue volumes of one person from a T1-weighted image: brain, bias field, registration, tissue, regions."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from brainpid.config.extraction import StructuralExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas, labels_on, region_means, region_sums, require_overlap
from brainpid.imaging.default_atlases import white_matter
from brainpid.imaging.extracted import Extracted, check_icv
from brainpid.imaging.mosaic import mosaic
from brainpid.imaging.nifti import make_image
from brainpid.imaging.registration import Registration, register
from brainpid.imaging.t1w.brain import correct_bias, find_brain, widen, working_image
from brainpid.imaging.t1w.tissue import Tissue, dice, segment
from brainpid.imaging.templates import csf_map, mni152


def extract_t1(
    image: nib.Nifti1Image, data: NDArray[np.float32], settings: StructuralExtraction, atlas: Atlas, seed: int
) -> Extracted:
    """Measure tissue volumes in the space of the person, so that head size shows.

    The volume of a tissue in a region is the sum of its probability over the region's voxels times the volume of a
    voxel. White-matter regions are those of `white_matter`. A left-right flip that the affine records is undone; one
    that it does not record cannot be seen in an image.

    Parameters
    ----------
    image : Nifti1Image
        T1-weighted head or brain; its affine is used.
    data : ndarray of float32, shape (X, Y, Z)
        Its values.
    settings : StructuralExtraction
    atlas : Atlas
        Grey-matter regions in MNI space.
    seed : int

    Returns
    -------
    Extracted
        ``gm_<region>``, ``wm_<region>``, ``gm_total``, ``wm_total``, ``csf_total`` and ``icv`` (the mask), all mm^3.

    Raises
    ------
    ImageError
        Where the image is not a volume, its voxels are too uneven, registration or segmentation fails, the atlas
        lies outside the image, or the intracranial volume is no head's.
    """
    ratio = _voxel_ratio(image, data, settings.most_voxel_ratio)
    head = working_image(image, data, settings.resolution)
    resolution, white = settings.resolution, white_matter(settings.resolution)
    brain = find_brain(head, resolution, least_similarity=settings.least_similarity / 2, seed=seed)
    around = widen(brain.mask, float(np.min(head.header.get_zooms()[:3])))
    even = correct_bias(head, around) if settings.n4 else head
    stripped = make_image(np.where(around, np.asarray(even.dataobj), 0).astype(np.float32), head.affine)
    template, template_mask = mni152("t1", resolution), mni152("brain", resolution)
    with register(
        stripped,
        template,
        mask=template_mask,
        model=settings.registration,
        least_similarity=settings.least_similarity,
        seed=seed,
    ) as found:
        maps = (csf_map(resolution), mni152("gm", resolution), mni152("wm", resolution))
        priors = np.stack([_bring(found, tissue) for tissue in maps])
        mask = _bring(found, template_mask) > 0.5
        regions = [_bring_labels(found, cut) for cut in (atlas, white)]
        view = found.to_template(make_image(np.ones(head.shape, dtype=np.float32), head.affine))
    voxel = abs(float(np.linalg.det(head.affine[:3, :3])))
    check_icv(voxel * float(mask.sum()), "the mask of the brain")
    tissue = segment(even, mask, priors)
    gray, lacking_gray = _volumes(tissue.probabilities[1], regions[0], atlas, view, voxel, settings.least_coverage)
    pale, lacking_white = _volumes(tissue.probabilities[2], regions[1], white, view, voxel, settings.least_coverage)
    csf_total, gm_total, wm_total = (voxel * float(share.sum(dtype=np.float64)) for share in tissue.probabilities)
    values = {f"gm_{name}": volume for name, volume in gray.items()}
    values |= {f"wm_{name}": volume for name, volume in pale.items()}
    places: dict[str, tuple[str, ...]] = {f"gm_{name}": (name,) for name in gray}
    places |= {f"wm_{name}": (name,) for name in pale}
    values |= {"gm_total": gm_total, "wm_total": wm_total, "csf_total": csf_total, "icv": voxel * float(mask.sum())}
    in_view = float(np.asarray(view.dataobj)[np.asarray(template_mask.dataobj) > 0.5].mean())
    quality = {
        "similarity": found.similarity,
        "similarity_affine": brain.similarity,
        "brain_in_view": in_view,
        "mask_mm3": values["icv"],
        "voxel_ratio": ratio,
        "regions_lacking": float(lacking_gray + lacking_white),
        **_quality(np.asarray(even.dataobj), tissue, priors, mask),
    }
    picture = mosaic(np.asarray(even.dataobj), tissue.labels, mask, head.affine)
    return Extracted(values, dict.fromkeys(values, "mm^3"), quality, picture, regions=places)


def _voxel_ratio(image: nib.Nifti1Image, data: NDArray[np.float32], most: float) -> float:
    """Ratio of the longest to the shortest side of a voxel, after a check of it and of the dimensions."""
    if data.ndim != 3:
        raise ImageError(f"expected a T1-weighted volume with 3 dimensions, found shape {data.shape}")
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
    ratio = float(sizes.max() / sizes.min())
    if ratio > most:
        raise ImageError(
            f"voxels of {' x '.join(f'{size:.2f}' for size in sizes)} mm are too uneven to measure volumes: ratio "
            f"{ratio:.1f}, expected at most {most:g}"
        )
    return ratio


def _bring(found: Registration, volume: nib.Nifti1Image) -> NDArray[np.float32]:
    """Values of a template's volume on the person's grid."""
    return np.asarray(found.from_template(volume).dataobj, dtype=np.float32)


def _bring_labels(found: Registration, atlas: Atlas) -> NDArray[np.int32]:
    """Labels of an atlas on the person's grid."""
    labels = found.labels_from_template(atlas.image)
    require_overlap(labels, atlas)
    return labels


def _volumes(
    share: NDArray[np.float32],
    labels: NDArray[np.int32],
    atlas: Atlas,
    view: nib.Nifti1Image,
    voxel: float,
    least_coverage: float,
) -> tuple[dict[str, float], int]:
    """Volume of a tissue in every region, mm^3, NaN where too little of the region lies inside the image.

    How much of a region lies inside can only be seen in the template's space: on the person's grid the rest is absent.
    """
    sums, _ = region_sums(share, labels, atlas, valid=np.ones(labels.shape, dtype=bool), least_coverage=0)
    whole = labels_on(atlas, view)
    inside = np.asarray(view.dataobj)
    seen, _ = region_means(inside, whole, atlas, valid=np.ones(whole.shape, dtype=bool), least_coverage=0)
    volumes = {name: voxel * sums[name] if seen[name] >= least_coverage else np.nan for name in sums}
    return volumes, sum(bool(np.isnan(volume)) for volume in volumes.values())


def _quality(
    values: NDArray[np.floating], tissue: Tissue, priors: NDArray[np.float32], mask: NDArray[np.bool_]
) -> dict[str, float]:
    """Signal and contrast to noise, shares of the tissues, and overlap with the warped maps.

    ``snr_white = mean / sd`` inside white matter; ``cnr = |mean_white - mean_gray| / sqrt(var_white + var_gray)``.
    """
    gray, white = (values[tissue.labels == k].astype(np.float64) for k in (2, 3))
    spread = float(np.sqrt(white.var() + gray.var()))
    expected = np.where(mask, priors.argmax(axis=0) + 1, 0)
    shares = tissue.probabilities.sum(axis=(1, 2, 3), dtype=np.float64)
    shares /= shares.sum()
    return {
        "snr_white": float(white.mean() / white.std()) if white.std() > 0 else float("nan"),
        "cnr": float(abs(white.mean() - gray.mean()) / spread) if spread > 0 else float("nan"),
        "csf_fraction": float(shares[0]),
        "gray_fraction": float(shares[1]),
        "white_fraction": float(shares[2]),
        "dice_gray": dice(tissue.labels == 2, expected == 2),
        "dice_white": dice(tissue.labels == 3, expected == 3),
    }
