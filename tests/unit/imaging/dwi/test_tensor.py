"""Tensors that are known are recovered; real crops have the diffusivity of tissue."""

import nibabel as nib
import numpy as np
import pytest
from cohorts import SHARED_DATA
from diffusion_phantom import eigenvalues, even_gradients, octants, signal
from scipy.spatial.transform import Rotation

from brainpid.config.extraction import DiffusionExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.dwi import tensor
from brainpid.imaging.dwi.gradients import Gradients, read_gradients
from brainpid.imaging.dwi.regional import extract_dwi
from brainpid.imaging.dwi.tensor import tensor_maps

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
    turned = Gradients(GRADIENTS.bvals, GRADIENTS.bvecs @ turn.T, 50.0)
    before, after = fit(evals, random_axes(20)), fit(evals, random_axes(20) @ turn.T, turned)
    for name in ("fa", "md", "ad", "rd"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-4)


def test_shells_above_the_largest_b_do_not_reach_the_tensor():
    two = Gradients(
        np.r_[GRADIENTS.bvals, np.full(30, 3000.0)], np.vstack([GRADIENTS.bvecs, GRADIENTS.bvecs[2:]]), 50.0
    )
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
    two = Gradients(
        np.r_[GRADIENTS.bvals, np.full(30, 2000.0)], np.vstack([GRADIENTS.bvecs, GRADIENTS.bvecs[2:]]), 50.0
    )
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
    gradients = read_gradients(folder / "b1k_b2k.bval", folder / "b1k_b2k.bvec", series.shape[3], 50.0)
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
    gradients = read_gradients(f"{stem}.bval", f"{stem}.bvec", series.shape[3], 50.0)
    settings = DiffusionExtraction(max_b=2000)
    maps = tensor_maps(series, gradients, series.min(axis=3) > 0, settings)
    assert 3e-4 < np.nanmedian(maps["md"]) < 2e-3
    assert np.nanmin(maps["fa"]) >= 0
    assert np.nanmax(maps["fa"]) <= 1


def test_voxels_are_fitted_some_at_a_time_with_the_same_bits(monkeypatch):
    assert tensor.VOXELS_AT_ONCE % 10_000 == 0  # dipy's own step
    rng = np.random.default_rng(3)
    n = 23_000
    evals = np.moveaxis(eigenvalues(rng.uniform(0.1, 0.8, n), rng.uniform(6e-4, 1e-3, n)), 0, -1)
    whole = fit(evals, random_axes(n))
    monkeypatch.setattr(tensor, "VOXELS_AT_ONCE", 10_000)
    for name, values in fit(evals, random_axes(n)).items():
        assert values.tobytes() == whole[name].tobytes(), name
