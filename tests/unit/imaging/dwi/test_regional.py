"""Diffusion features against tensors that are known, real images, and plain numpy."""

import nibabel as nib
import numpy as np
import pytest
from cohorts import SHARED_DATA
from diffusion_phantom import displacement, eigenvalues, even_gradients, octants, phantom, planted, signal
from scipy.spatial.transform import Rotation

from brainpid.config.extraction import DiffusionExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas, region_coverage
from brainpid.imaging.dwi.gradients import Gradients, read_gradients
from brainpid.imaging.dwi.regional import _denoise, brain_mask, extract_dwi, finite_means
from brainpid.imaging.dwi.scalar_maps import extract_scalar_maps
from brainpid.imaging.dwi.tensor import tensor_maps
from brainpid.imaging.templates import mni152

NIFTI = SHARED_DATA / "nifti"
real = pytest.mark.skipif(not NIFTI.is_dir(), reason="the folder with real images is not there")
GRADIENTS = even_gradients(30)
COARSE = DiffusionExtraction(resolution=5)


def random_axes(n, seed=0):
    axes = np.random.default_rng(seed).normal(size=(n, 3))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def fit(evals, axes, gradients=GRADIENTS, settings=COARSE):
    """Maps of tensors in a row."""
    series = signal(np.full(len(axes), 1000.0), evals, axes, gradients)[:, None, None]
    maps = tensor_maps(series.astype(np.float32), gradients, np.ones(series.shape[:3], dtype=bool), settings)
    return {name: volume.ravel() for name, volume in maps.items()}


@pytest.mark.parametrize("method", ["wls", "ols"])
@pytest.mark.parametrize(("fa", "md"), [(0.2, 8e-4), (0.5, 7e-4), (0.8, 9e-4)])
def test_a_tensor_without_noise_is_recovered(method, fa, md):
    evals = eigenvalues(fa, md)
    found = fit(np.tile(evals, (20, 1)), random_axes(20), settings=DiffusionExtraction(fit=method))
    for name, truth in {"fa": fa, "md": md, "ad": evals[0], "rd": evals[1]}.items():
        np.testing.assert_allclose(found[name], truth, rtol=1e-3, err_msg=name)
    assert found["residual"].max() < 1e-5
    assert (found["positive"] == 1).all()


def test_an_isotropic_tensor_has_fa_zero():
    found = fit(np.full((5, 3), 3e-3), random_axes(5))
    np.testing.assert_allclose(found["fa"], 0, atol=1e-4)
    for name in ("md", "ad", "rd"):
        np.testing.assert_allclose(found[name], 3e-3, rtol=1e-4)


def test_turning_gradients_and_tensors_together_changes_nothing():
    rng = np.random.default_rng(1)
    evals = np.moveaxis(eigenvalues(rng.uniform(0.1, 0.8, 20), rng.uniform(6e-4, 1e-3, 20)), 0, -1)
    turn = Rotation.from_euler("xyz", [20, -40, 75], degrees=True).as_matrix()
    turned = Gradients(GRADIENTS.bvals, GRADIENTS.bvecs @ turn.T)
    before, after = fit(evals, random_axes(20)), fit(evals, random_axes(20) @ turn.T, turned)
    for name in ("fa", "md", "ad", "rd"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4)


def test_shells_above_the_largest_b_do_not_reach_the_tensor():
    two = Gradients(np.r_[GRADIENTS.bvals, np.full(30, 3000.0)], np.vstack([GRADIENTS.bvecs, GRADIENTS.bvecs[2:]]))
    series = np.full((1, 1, 1, 62), 500.0, dtype=np.float32)
    series[..., :32] = signal(np.array(1000.0), eigenvalues(0.5, 7e-4), np.array([1.0, 0, 0]), GRADIENTS)
    mask = np.ones((1, 1, 1), dtype=bool)
    assert tensor_maps(series, two, mask, COARSE)["md"].item() == pytest.approx(7e-4, rel=1e-4)
    assert tensor_maps(series, two, mask, DiffusionExtraction(max_b=3000))["md"].item() < 5e-4


def test_voxels_without_signal_and_tensors_that_are_not_positive_are_told_apart():
    evals = np.array([[1.5e-3, 4e-4, 4e-4], [2e-3, -2e-4, -2e-4], [1e-3, 8e-4, 8e-4]])
    series = signal(np.full(3, 1000.0), evals, np.eye(3), GRADIENTS).reshape(3, 1, 1, -1).astype(np.float32)
    series[2, 0, 0, 7] = 0
    maps = tensor_maps(series, GRADIENTS, np.ones((3, 1, 1), dtype=bool), COARSE)
    np.testing.assert_array_equal(maps["positive"].ravel(), [1, 0, np.nan])
    np.testing.assert_array_equal(np.isnan(maps["fa"].ravel()), [False, False, True])
    with pytest.raises(ImageError, match="100% of the mask's voxels have a signal that is not positive"):
        tensor_maps(series * 0, GRADIENTS, np.ones((3, 1, 1), dtype=bool), COARSE)
    with pytest.raises(ImageError, match="the mask is empty"):
        tensor_maps(series, GRADIENTS, np.zeros((3, 1, 1), dtype=bool), COARSE)


def test_isotropic_kurtosis_is_recovered_and_refused_with_one_shell():
    settings = DiffusionExtraction(kurtosis=True)
    two = Gradients(np.r_[GRADIENTS.bvals, np.full(30, 2000.0)], np.vstack([GRADIENTS.bvecs, GRADIENTS.bvecs[2:]]))
    b, d, k = two.bvals, 8e-4, 0.9
    series = np.tile(1000 * np.exp(-b * d + (b * d) ** 2 * k / 6), (2, 2, 1, 1)).astype(np.float32)
    mask = np.ones((2, 2, 1), dtype=bool)
    np.testing.assert_allclose(tensor_maps(series, two, mask, settings)["mk"], k, rtol=1e-2)
    with pytest.raises(ImageError, match=r"at least 2 shells .* found 1 \(1000\)"):
        tensor_maps(series[..., :32], GRADIENTS, mask, settings)


@real
def test_two_slices_of_a_real_brain():
    folder = NIFTI / "mdt_b1k_b2k"
    series = nib.load(folder / "b1k_b2k_example_slices_24_38.nii.gz").get_fdata(dtype=np.float32)
    mask = nib.load(folder / "b1k_b2k_example_slices_24_38_mask.nii.gz").get_fdata() > 0
    gradients = read_gradients(folder / "b1k_b2k.bval", folder / "b1k_b2k.bvec", series.shape[3])
    maps = tensor_maps(series, gradients, mask, DiffusionExtraction())
    assert np.nanmedian(maps["fa"]) == pytest.approx(0.19, abs=0.015)
    assert np.nanpercentile(maps["fa"], 95) == pytest.approx(0.65, abs=0.03)
    assert np.nanmedian(maps["md"]) == pytest.approx(7.9e-4, rel=0.03)
    assert np.isnan(maps["fa"][~mask]).all()
    image = nib.Nifti1Image(series, np.diag([2.0, 2, 2, 1]))
    with pytest.raises(ImageError, match="is the whole brain in the image"):
        extract_dwi(image, series, gradients, COARSE, octants(5))


@real
@pytest.mark.parametrize("name", ["small_25.nii.gz", "small_64D.nii", "small_101D.nii.gz"])
def test_real_crops_have_the_diffusivity_of_tissue(name):
    path = NIFTI / "dipy" / name
    series = nib.load(path).get_fdata(dtype=np.float32)
    stem = path.parent / name.partition(".")[0]
    gradients = read_gradients(f"{stem}.bval", f"{stem}.bvec", series.shape[3])
    settings = DiffusionExtraction(max_b=2000)
    maps = tensor_maps(series, gradients, series.min(axis=3) > 0, settings)
    assert 3e-4 < np.nanmedian(maps["md"]) < 2e-3
    assert np.nanmin(maps["fa"]) >= 0
    assert np.nanmax(maps["fa"]) <= 1


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
    return Gradients(GRADIENTS.bvals * factor, GRADIENTS.bvecs)


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


@pytest.fixture(scope="module")
def maps():
    """FA and MD in MNI space: the planted value in every region, else that of fluid."""
    atlas = octants(4)
    label = np.asarray(atlas.image.dataobj)
    brain = np.asarray(mni152("brain", 4).dataobj) > 0.5
    fa, md = np.where(brain, 0.1, 0), np.where(brain, 9e-4, 0)
    for held, name in atlas.names.items():
        fa[label == held], md[label == held] = planted(atlas)[name]
    images = {name: nib.Nifti1Image(v.astype(np.float32), atlas.image.affine) for name, v in (("fa", fa), ("md", md))}
    return atlas, images


def test_maps_in_template_space_give_the_planted_values(maps):
    atlas, images = maps
    found = extract_scalar_maps(images, DiffusionExtraction(resolution=4), atlas)
    for name, (fa, md) in planted(atlas).items():
        assert found.values[f"fa_{name}"] == pytest.approx(fa, rel=1e-5)
        assert found.values[f"md_{name}"] == pytest.approx(md, rel=1e-5)
    assert found.units["fa_octant1"] == "1"
    assert found.units["md_whole_white_matter"] == "mm^2/s"
    assert found.quality["similarity"] > 0.8
    finer = extract_scalar_maps(images, DiffusionExtraction(resolution=4), octants(2))
    assert finer.values["fa_octant3"] == pytest.approx(planted(atlas)["octant3"][0], rel=0.15)


def test_a_map_without_a_region_has_no_value_for_it(maps):
    atlas, images = maps
    holed = np.asarray(images["md"].dataobj).copy()
    where = np.argwhere(np.asarray(atlas.image.dataobj) == 2)
    holed[tuple(where[: int(0.6 * len(where))].T)] = 0
    changed = {"fa": images["fa"], "md": nib.Nifti1Image(holed, images["md"].affine)}
    found = extract_scalar_maps(changed, DiffusionExtraction(resolution=4), atlas)
    assert np.isnan(found.values["md_octant2"])
    assert np.isfinite(found.values["fa_octant2"])
    assert found.quality["regions_uncovered"] == 1
    lenient = extract_scalar_maps(changed, DiffusionExtraction(resolution=4, least_coverage=0.3), atlas)
    assert lenient.values["md_octant2"] == pytest.approx(planted(atlas)["octant2"][1], rel=1e-5)


def test_bad_maps_are_refused_with_a_reason(maps):
    atlas, images = maps
    fa, md = images["fa"], images["md"]
    values = np.asarray(md.dataobj)
    away = md.affine.copy()
    away[:3, 3] += 150
    slightly = fa.affine.copy()
    slightly[:3, 3] += 25
    for changed, words in (
        ({"faa": fa}, "unknown diffusion metric 'faa'"),
        ({"md": nib.Nifti1Image(1000 * values, md.affine)}, r"the md map has the median 0.9.* um\^2/ms"),
        ({"md": nib.Nifti1Image(0 * values, md.affine)}, "only voxels that are 0 or NaN"),
        ({"md": nib.Nifti1Image(values, away)}, "% of the md map's voxels are in the MNI brain"),
        ({"fa": nib.Nifti1Image(np.asarray(fa.dataobj), slightly)}, "correlation with the template's white matter"),
        ({"fa": nib.Nifti1Image(np.asarray(fa.dataobj)[..., None], fa.affine)}, "three dimensions"),
        ({}, "no map"),
    ):
        with pytest.raises(ImageError, match=words):
            extract_scalar_maps(changed, DiffusionExtraction(resolution=4), atlas)
