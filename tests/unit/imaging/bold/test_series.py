"""Series of regions against nilearn on real BOLD, and what covers a region."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from bold_phantom import AFFINE, image_of, make_bold
from cohorts import SHARED_DATA
from nilearn.maskers import NiftiLabelsMasker

from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold.series import region_series

NIFTI = SHARED_DATA / "nifti"


@pytest.mark.parametrize(
    "name",
    [
        "nitime/fmri1.nii.gz",
        "nitime/fmri2.nii.gz",
        "pymvpa/bold.nii.gz",
        "pymvpa/haxby_sub001_run001_bold_1slice.nii.gz",
        "pymvpa/haxby_sub001_run001_bold_25mm.nii.gz",
    ],
)
@pytest.mark.parametrize("same_grid", [True, False])
def test_series_equal_those_of_nilearn_on_real_images(name, same_grid):
    if not (NIFTI / name).is_file():
        pytest.skip(f"{name} is not on this machine")
    image = nib.load(NIFTI / name)
    shape, affine = np.array(image.shape[:3]), image.affine.copy()
    if not same_grid:  # an atlas of half the voxel size along two axes
        affine[:3, :2] /= 2
        affine[:3, 3] -= affine[:3, :2].sum(axis=1) / 2
        shape[:2] *= 2
    blocks = np.indices(shape) * 4 // shape[:, None, None, None]
    labels = 1 + blocks[0] + 4 * blocks[1] + 16 * (blocks[2] > 1)
    labels[0] = 0
    names = {int(label): f"r{label:03d}" for label in np.unique(labels[labels > 0])}
    atlas = Atlas(nib.Nifti1Image(labels.astype(np.int32), affine), names, "blocks")
    first = np.asarray(image.dataobj[..., 0])
    mask = nib.Nifti1Image((first > np.median(first) / 2).astype(np.uint8), image.affine)
    found = region_series(image, mask, atlas, least_coverage=0.01)
    masker = NiftiLabelsMasker(
        atlas.image, mask_img=mask, standardize=None, resampling_target="data", keep_masked_labels=False, reports=False
    )
    expected = masker.fit_transform(image)
    kept = [found.names.index(names[int(label)]) for label in masker.region_ids_.values() if label != 0]
    assert expected.shape == (image.shape[3], len(kept))
    np.testing.assert_allclose(found.series[:, kept], expected, rtol=1e-4)


def test_scaled_integers_of_a_compressed_file_are_those_of_nibabel(tmp_path):
    data, _, atlas = make_bold(n=30)
    image = nib.Nifti1Image(data, AFFINE)
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "b.nii.gz")
    loaded = nib.load(tmp_path / "b.nii.gz")
    assert loaded.dataobj.slope != 1
    labels = np.asarray(atlas.image.dataobj)
    series = region_series(loaded, None, atlas, least_coverage=0.5)
    assert series.names == ("amygdala", "caudate", "thalamus")
    for name, label in (("amygdala", 2), ("caudate", 1), ("thalamus", 5)):
        expected = loaded.get_fdata()[labels == label].mean(axis=0)
        np.testing.assert_allclose(series.series[:, series.names.index(name)], expected, rtol=1e-6)


def test_a_field_of_view_that_cuts_a_region_off_lowers_its_coverage():
    data, _, atlas = make_bold()
    series = region_series(image_of(data[:6]), None, atlas, least_coverage=0.6)
    assert dict(zip(series.names, series.coverage, strict=True)) == {"amygdala": 1, "caudate": 1, "thalamus": 0.5}
    assert series.covered.tolist() == [True, True, False]
