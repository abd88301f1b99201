"""Tissue volumes: known head sizes, storage order, refusals, and a real head."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cohorts import SHARED_DATA

from brainpid.config.extraction import StructuralExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.nifti import make_image, open_image, read_data
from brainpid.imaging.t1w.volumes import extract_t1
from brainpid.imaging.templates import csf_map, mni152

COARSE = StructuralExtraction(resolution=5, n4=False)  # the phantom has no bias field


def phantom(scale=1.0):
    """A brain made of the template's tissue maps at 5 mm, its affine scaled."""
    maps = [np.asarray(image.dataobj) for image in (csf_map(5), mni152("gm", 5), mni152("wm", 5))]
    clean = 20 * maps[0] + 60 * maps[1] + 100 * maps[2]
    data = (clean + np.random.default_rng(0).normal(0, 2, clean.shape)).astype(np.float32)
    return make_image(data, np.diag([scale, scale, scale, 1]) @ mni152("gm", 5).affine)


def extract(image, settings=COARSE):
    return extract_t1(image, np.asarray(image.dataobj, dtype=np.float32), settings, gray_matter(settings.resolution), 1)


@pytest.fixture(scope="module")
def plain():
    return extract(phantom())


@pytest.mark.slow
def test_volumes_follow_head_size_and_a_seed_gives_the_same_numbers(plain):
    large = extract(phantom(1.06))
    for name in ("gm_total", "wm_total", "icv"):
        assert large.values[name] / plain.values[name] == pytest.approx(1.06**3, rel=0.05)
    # Finer voxels are brought to 5 mm, which mixes tissues; the head's size stays.
    assert extract(phantom(0.9)).values["icv"] / plain.values["icv"] == pytest.approx(0.9**3, rel=0.03)
    assert extract(phantom()).values == plain.values
    brain = np.asarray(mni152("brain", 5).dataobj).sum() * 125
    assert plain.values["icv"] == pytest.approx(brain, rel=0.05)
    assert set(plain.units.values()) == {"mm^3"}
    assert plain.picture.dtype == np.uint8


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "found"), [(1.1, "2,5"), (0.7, "6")])
def test_a_head_of_a_size_that_nobody_has_is_refused_with_its_volume(scale, found):
    with pytest.raises(ImageError, match=f"volume is {found}.. cm.3 by the mask of the brain, expected 700 to 2,300"):
        extract(phantom(scale))


@pytest.mark.slow
def test_every_volume_of_a_region_names_it(plain):
    """Totals and head size belong to none."""
    assert set(plain.values) - set(plain.regions) == {"gm_total", "wm_total", "csf_total", "icv"}
    assert all(name in (f"gm_{region}", f"wm_{region}") for name, (region,) in plain.regions.items())


def test_radiological_storage_gives_the_same_volumes(plain):
    image = phantom()
    flipped = image.as_reoriented([[0, -1], [1, 1], [2, 1]])
    assert np.linalg.det(flipped.affine) * np.linalg.det(image.affine) < 0
    assert extract(flipped).values == plain.values


def test_uneven_voxels_and_series_are_refused():
    data = np.random.default_rng(0).random((9, 9, 9)).astype(np.float32)
    with pytest.raises(ImageError, match=r"1.00 x 1.00 x 9.00 mm are too uneven"):
        extract(make_image(data, np.diag([1.0, 1, 9, 1])))
    with pytest.raises(ImageError, match="3 dimensions"):
        extract(nib.Nifti1Image(np.stack([data, data], -1), np.eye(4)))


CH2 = Path("/usr/share/mricron/templates/ch2.nii.gz")
"""Colin's head of Debian's package mricron-data."""


def real(path):
    whole = SHARED_DATA / "nifti" / path  # which leaves an absolute path as it is
    if not whole.exists():
        pytest.skip(f"{whole} is absent")
    image = open_image(whole, 3)
    return make_image(read_data(image), image.affine)


@pytest.mark.slow
def test_a_spinal_cord_is_refused():
    with pytest.raises(ImageError, match="registration to the template failed: similarity"):
        extract(real("sct/t1w.nii.gz"), StructuralExtraction())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "resolution"), [("chris_t1/chris_t1.nii.gz", 2), ("mrtrix/sub-01_T1w.nii.gz", 3), (CH2, 2)]
)
def test_a_real_head(path, resolution):
    """The second has a neck, which misleads a registration from centre to centre of mass; the third is in MNI space."""
    found = extract(real(path), StructuralExtraction(resolution=resolution))
    assert found.quality["dice_gray"] >= 0.75
    assert found.quality["dice_white"] >= 0.70
    assert 1.2e6 < found.values["icv"] < 2.0e6
    assert found.quality["regions_lacking"] == 0
