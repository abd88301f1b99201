"""Every image that cannot be used ends in a sentence."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.core.errors import ImageError
from brainpid.imaging.nifti import open_image, read_data

AFFINE = np.diag([2.0, 2, 2, 1])
DATA = np.random.default_rng(0).normal(100, 9, (8, 8, 8)).astype(np.float32)


def save(folder, data=DATA, affine=AFFINE, **codes):
    image = nib.Nifti1Image(data, affine)
    for name, code in codes.items():
        image.header[name] = code
    path = folder / "image.nii.gz"
    image.to_filename(path)
    return path


def test_a_good_image_is_read(tmp_path):
    assert np.array_equal(read_data(open_image(save(tmp_path), 3)), DATA)


def test_other_dimensions(tmp_path):
    with pytest.raises(ImageError, match="expected 4 dimensions"):
        open_image(save(tmp_path), 4)
    with pytest.raises(ImageError, match="expected 3 dimensions"):
        open_image(save(tmp_path, np.stack([DATA, DATA], -1)), 3)


def test_values(tmp_path):
    spoilt = DATA.copy()
    spoilt[0, 0, 0] = np.nan
    for data, message in (
        (spoilt, "1 of 512 voxels are NaN"),
        (np.full_like(DATA, 7), "every voxel is 7; the image is blank"),
        (np.linspace(0, 60000, 512).reshape(8, 8, 8).astype(np.int64).astype(np.int16), "values overflowed int16"),
    ):
        with pytest.raises(ImageError, match=message):
            read_data(open_image(save(tmp_path, data), 3))


def test_a_scaled_image_has_not_overflowed(tmp_path):
    """nibabel spreads float values over the whole of int16, so that 0 is stored as the lowest integer."""
    image = nib.Nifti1Image(np.linspace(0, 900, 512).reshape(8, 8, 8), AFFINE)
    image.set_data_dtype(np.int16)
    nib.save(image, tmp_path / "scaled.nii.gz")
    scaled = nib.load(tmp_path / "scaled.nii.gz")
    assert scaled.dataobj.get_unscaled().min() == -32768
    assert read_data(scaled).max() == pytest.approx(900, rel=1e-4)


def test_affines(tmp_path):
    path = save(tmp_path)
    image = nib.load(path)
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    bare = nib.Nifti1Image(DATA, None, image.header)
    bare.to_filename(path)
    with pytest.raises(ImageError, match="no affine"):
        open_image(path, 3)
    sheared = AFFINE.copy()
    sheared[0, 1] = 1
    with pytest.raises(ImageError, match="sheared"):
        open_image(save(tmp_path, affine=sheared), 3)


def test_damaged_files(tmp_path):
    path = save(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ImageError, match=r"cut off or damaged|not readable"):
        read_data(open_image(path, 3))
    path.write_bytes(b"")
    with pytest.raises(ImageError, match="the file is empty"):
        open_image(path, 3)
    other = tmp_path / "image.nii"
    other.write_text("not an image " * 100)
    with pytest.raises(ImageError, match="expected NIfTI"):
        open_image(other, 3)
