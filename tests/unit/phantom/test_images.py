"""The phantom's images carry their drivers, on the grid that is asked for, and are the same every time."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.imaging.templates import mni152
from brainpid.phantom.images import write_person
from brainpid.phantom.people import Person

COARSE = 8


def t1_image(folder, driver, mm=COARSE):
    """Data and affine of the T1 image of one person whose other modalities are lacking."""
    write_person(Person("sub-1", "site-01", "F", 50.0, {"t1": driver}, 1.0, "", 3), folder, mm)
    image = nib.load(folder / "sub-1/anat/sub-1_T1w.nii.gz")
    return np.asarray(image.dataobj, dtype=float), image.affine


@pytest.mark.parametrize("mm", [5, 8])
def test_voxels_have_the_size_that_is_asked_for(tmp_path, mm):
    data, affine = t1_image(tmp_path, 0.0, mm)
    assert data.shape == mni152("t1", mm).shape
    assert nib.affines.voxel_sizes(affine) == pytest.approx(mm, rel=0.04)  # heads differ by some per cent
    assert [path.name for path in tmp_path.rglob("*.nii.gz")] == ["sub-1_T1w.nii.gz"]


def test_atrophy_is_larger_than_the_bias_field(tmp_path):
    """What the driver takes from grey matter shows in single voxels."""
    young, plain, old = (t1_image(tmp_path / str(driver), driver)[0] for driver in (-1.0, 0.0, 1.0))
    grey = np.asarray(mni152("gm", COARSE).dataobj) > 0.8
    less = plain[grey] - old[grey]
    # 0.15 of a standard deviation of the driver, times grey less fluid of 0.62 - 0.25, times 800.
    assert less.mean() == pytest.approx(0.15 * 0.37 * 800, rel=0.2)
    assert less.min() > 0
    assert (young[grey] - plain[grey]).mean() == pytest.approx(less.mean(), rel=0.2)


def test_the_same_person_has_the_same_files(tmp_path):
    person = Person("sub-1", "site-02", "F", 50.0, {"t1": 0.5, "dwi": -0.5, "fmri": 0.1}, 1.0, "", 3)
    for name in ("a", "b"):
        write_person(person, tmp_path / name, COARSE)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 8
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
