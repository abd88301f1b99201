"""Diffusion features against tensors that are known, real images, and plain numpy."""

import nibabel as nib
import numpy as np
import pytest
from cohorts import SHARED_DATA
from diffusion_phantom import displacement, even_gradients, octants, phantom, planted

from brainpid.config.extraction import DiffusionExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas, region_coverage
from brainpid.imaging.dwi.gradients import Gradients
from brainpid.imaging.dwi.regional import _denoise, brain_mask, extract_dwi, finite_means

NIFTI = SHARED_DATA / "nifti"

real = pytest.mark.skipif(not NIFTI.is_dir(), reason="the folder with real images is not there")

GRADIENTS = even_gradients(30)

COARSE = DiffusionExtraction(resolution=5)


def test_means_and_coverage_equal_plain_numpy():
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 5, (6, 7, 8))
    values = rng.normal(size=labels.shape).astype(np.float32)
    values[rng.random(labels.shape) < 0.3] = np.nan
    values[labels == 3] = np.nan
    names = {label: f"r{label}" for label in range(1, 7)}  # 5 and 6 have no voxel, 3 no value
    held = nib.Nifti1Image(np.isfinite(values).astype(np.float32), np.eye(4))
    atlas = Atlas(nib.Nifti1Image(labels.astype(np.int16), np.eye(4)), names, "random")
    means, covered = finite_means(values, labels, atlas), region_coverage(held, atlas)
    assert list(means) == list(covered) == list(names.values())
    for label, name in names.items():
        inside = values[labels == label]
        known = inside[~np.isnan(inside)]
        np.testing.assert_allclose(means[name], known.astype(float).mean() if len(known) else np.nan)
        assert covered[name] == pytest.approx(len(known) / len(inside) if len(inside) else 0)


@pytest.fixture(scope="module")
def moved():
    """A brain turned and shifted, what was planted, and what was extracted."""
    atlas = octants(5)
    image, series = phantom(atlas, GRADIENTS, displacement(6, (4, -6, 5)), noise=0.03)
    return atlas, image, series, extract_dwi(image, series, GRADIENTS, COARSE, atlas)


def test_planted_regions_are_found_in_a_moved_brain(moved):
    atlas, _, _, found = moved
    for name, (fa, md) in planted(atlas).items():
        # Voxels of 5 mm at a region's border belong to neighbours after two nearest-neighbour steps; one in twenty of
        # fluid (2.6e-3) raises MD by 13%.
        assert found.values[f"fa_{name}"] == pytest.approx(fa, rel=0.1)
        assert found.values[f"md_{name}"] == pytest.approx(md, rel=0.15)
    order = [found.values[f"fa_{name}"] for name in atlas.names.values()]
    assert order == sorted(order)


def test_every_feature_has_a_unit_and_quality_is_what_was_planted(moved):
    atlas, _, series, found = moved
    regions = [*atlas.names.values(), "whole_white_matter"]
    assert list(found.values) == [f"{metric}_{region}" for metric in ("fa", "md", "ad", "rd") for region in regions]
    assert found.units == {name: "1" if name.startswith("fa") else "mm^2/s" for name in found.values}
    quality = found.quality
    assert (quality["directions"], quality["volumes"], quality["b0_volumes"]) == (30, 32, 2)
    assert quality["regions_uncovered"] == quality["unfitted_fraction"] == 0
    b0 = series[..., :2].mean(axis=3)
    assert quality["snr_b0"] == pytest.approx(np.median(b0[b0 > 400]) / (0.03 * 800), rel=0.1)
    assert quality["mask_volume_mm3"] == pytest.approx((b0 > 400).sum() * 125, rel=0.1)
    assert quality["tensor_residual"] == pytest.approx(0.03 * 800 / 1000, rel=0.25)
    assert quality["similarity"] > 0.75
    assert found.picture.dtype == np.uint8
    assert found.picture.max() > 100


def test_the_same_seed_gives_the_same_bytes(moved):
    atlas, image, series, found = moved
    assert extract_dwi(image, series, GRADIENTS, COARSE, atlas).values == found.values


def test_regions_outside_of_the_field_of_view_are_missing_and_not_zero(moved):
    atlas, image, series, whole = moved
    cut = series[:, :, 10:]  # the lowest 5 cm were not scanned
    affine = image.affine.copy()
    affine[2, 3] += 10 * affine[2, 2]
    found = extract_dwi(nib.Nifti1Image(cut, affine), cut, GRADIENTS, COARSE, below := with_stem(atlas))
    assert list(found.values)[:9] == [f"fa_{name}" for name in below.names.values()]
    assert np.isnan([found.values[f"{metric}_stem"] for metric in ("fa", "md", "ad", "rd")]).all()
    assert found.quality["regions_uncovered"] == 1
    assert found.values["fa_octant8"] == pytest.approx(whole.values["fa_octant8"], rel=0.1)


def with_stem(atlas):
    """The octants, and a ninth region in what is below z = -45 mm."""
    labels = np.asarray(atlas.image.dataobj).copy()
    depth = nib.affines.apply_affine(atlas.image.affine, np.stack(np.indices(labels.shape), axis=-1))[..., 2]
    labels[(labels > 0) & (depth < -45)] = 9
    return Atlas(nib.Nifti1Image(labels, atlas.image.affine), {**atlas.names, 9: "stem"}, "octants and stem")


def test_bad_series_are_refused_with_a_reason(moved):
    atlas, image, series, _ = moved

    def refuse(words, data=series, gradients=GRADIENTS, settings=COARSE):
        with pytest.raises(ImageError, match=words):
            extract_dwi(image, data, gradients, settings, atlas)

    refuse("expected a series of 32 volumes, found shape .* 30", series[..., :30])
    refuse("NaN or infinite", np.where(series == series.max(), np.nan, series))
    refuse(r"median mean diffusivity in the mask is 0.00\d+ mm\^2/s, expected 0.0001 to 0.003", gradients=scaled(0.1))
    refuse(r"no diffusion-weighted volume, found b of 0 to 0 s/mm\^2", gradients=scaled(10))
    refuse("are b-values and volumes in the same order", np.roll(series, 2, axis=3)[..., ::-1])
    refuse("volumes without any contrast: 1, 2, .* of 32; expected none", np.zeros_like(series))
    blank = series.copy()
    blank[..., 9] = 0
    refuse("volumes without any contrast: 10 of 32", blank)
    with pytest.raises(ImageError, match="the mean b=0 image is 0 everywhere"):
        brain_mask(np.zeros((9, 9, 9), dtype=np.float32), np.full(3, 2.0))
    refuse("set kurtosis to false", settings=DiffusionExtraction(resolution=5, kurtosis=True))
    refuse("similarity", settings=DiffusionExtraction(resolution=5, least_similarity=0.99))


def scaled(factor):
    """The gradients with b-values in a wrong unit."""
    return Gradients(GRADIENTS.bvals * factor, GRADIENTS.bvecs, 50.0)


@pytest.mark.slow
def test_mppca_takes_noise_away_and_refuses_slabs(moved):
    atlas, image, series, plain = moved
    cleaner = extract_dwi(image, series, GRADIENTS, DiffusionExtraction(resolution=5, mppca=True), atlas)
    assert cleaner.quality["tensor_residual"] < 0.8 * plain.quality["tensor_residual"]
    assert cleaner.quality["snr_b0"] == plain.quality["snr_b0"]
    with pytest.raises(ImageError, match="MPPCA needs at least 5 voxels along every axis for 32 volumes"):
        _denoise(series[:, :, :4], np.ones((*series.shape[:2], 4), dtype=bool))


def test_one_unweighted_volume_has_a_spatial_signal_to_noise(moved):
    atlas, image, series, found = moved
    single = extract_dwi(image, series[..., 1:], GRADIENTS.take(np.arange(32) > 0), COARSE, atlas)
    assert single.quality["b0_volumes"] == 1
    assert found.quality["snr_b0"] / 8 < single.quality["snr_b0"] < 8 * found.quality["snr_b0"]


@real
def test_a_spinal_cord_has_no_brain():
    image = nib.load(NIFTI / "sct/dmri.nii.gz")
    b0 = image.get_fdata(dtype=np.float32)[..., 0]
    with pytest.raises(ImageError, match=r"cm.3, expected 300 to 3000 cm.3"):
        brain_mask(b0, np.array(image.header.get_zooms()[:3]))
