"""Every image that cannot be used ends in a sentence."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc

import nibabel as nib
import numpy as np
import pytest
from shims import shim

from brainpid.core.errors import ImageError, MachineError
from brainpid.core.machine import machine_error
from brainpid.imaging import nifti
from brainpid.imaging.bold.series import iterate_volumes
from brainpid.imaging.nifti import open_image, read_data, read_voxels

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
    with pytest.raises(ImageError, match=r"^[^(]*: the file is empty; copy it again$"):
        open_image(path, 3)
    other = tmp_path / "image.nii"
    other.write_text("not an image " * 100)
    with pytest.raises(ImageError, match="expected NIfTI"):
        open_image(other, 3)


def written(folder, data=DATA, affine=AFFINE, unit="mm", edit=None):
    """A file whose qform and sform both say the affine; `edit` changes the bytes of its header."""
    image = nib.Nifti1Image(data, affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    image.header.set_xyzt_units(unit, "sec")
    path = folder / "header.nii"
    image.to_filename(path)
    raw = bytearray(path.read_bytes())
    if edit is not None:
        edit(raw)
    path.write_bytes(bytes(raw))
    return path


def scaled_sform(factor):
    def edit(raw):
        for row in range(3):
            struct.pack_into("<4f", raw, 280 + 16 * row, *(AFFINE * factor)[row])

    return edit


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1e-3), ("micron", 1e3), ("unknown", 1.0)])
def test_every_unit_of_length_becomes_mm(tmp_path, unit, factor):
    affine = AFFINE.copy()
    affine[:3] *= factor
    affine[:3, 3] = np.array([1.0, 2, 3]) * factor
    image = open_image(written(tmp_path, affine=affine, unit=unit), 3)
    np.testing.assert_allclose(image.affine, [[2, 0, 0, 1], [0, 2, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1]], rtol=1e-6)
    np.testing.assert_allclose(image.header.get_zooms(), 2, rtol=1e-6)
    assert np.array_equal(read_data(image), DATA)


def test_a_unit_that_cannot_be_is_refused(tmp_path):
    for unit, affine, found in (("meter", AFFINE, "2000 x 2000"), ("unknown", np.diag([2e-3] * 3 + [1]), "0.002 x")):
        with pytest.raises(ImageError, match=rf"voxels of {found} .* mm, .* is the unit right"):
            open_image(written(tmp_path, affine=affine, unit=unit), 3)


@pytest.mark.parametrize("factor", [1.0667, 0.9375, 1.9692, 1.011])
def test_places_of_the_header_that_disagree_are_named_with_their_sizes(tmp_path, factor):
    size = f"{2 * factor:.4g}"
    with pytest.raises(ImageError, match=f"sform {size} x {size} x {size}, qform 2 x 2 x 2, pixdim 2 x 2 x 2 mm"):
        open_image(written(tmp_path, edit=scaled_sform(factor)), 3)


def test_rounding_of_the_header_and_another_orientation_are_no_disagreement(tmp_path):
    open_image(written(tmp_path, edit=scaled_sform(1.004)), 3)
    path = written(tmp_path)
    image = nib.load(path)
    image.set_sform(AFFINE @ np.array([[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), 4)
    image.to_filename(tmp_path / "turned.nii")
    open_image(tmp_path / "turned.nii", 3)
    image.set_sform(AFFINE @ np.diag([-1, 1, 1, 1]), 4)
    image.to_filename(tmp_path / "flipped.nii")
    with pytest.raises(ImageError, match="sform and qform exchange left and right"):
        open_image(tmp_path / "flipped.nii", 3)


@pytest.mark.parametrize(
    ("shape", "ndim", "expected"),
    [
        ((8, 8, 8, 1), 3, (8, 8, 8)),
        ((8, 8, 8, 1, 1), 3, (8, 8, 8)),
        ((4, 4, 4, 8, 1), 4, (4, 4, 4, 8)),
        ((4, 4, 4, 1, 8), 4, (4, 4, 4, 8)),
    ],
)
def test_axes_of_length_1_are_dropped_and_the_time_step_is_kept(tmp_path, shape, ndim, expected):
    image = nib.Nifti1Image(DATA.reshape(shape), AFFINE)
    image.header.set_zooms((2, 2, 2, *(1.5 if n > 1 else 0 for n in shape[3:])))
    image.to_filename(tmp_path / "axes.nii.gz")
    found = open_image(tmp_path / "axes.nii.gz", ndim)
    assert found.shape == expected
    assert np.array_equal(read_data(found), DATA.reshape(expected))
    if ndim == 4:
        assert found.header.get_zooms()[3] == 1.5
        assert np.array_equal(list(iterate_volumes(found))[1], DATA.reshape(expected)[..., 1].ravel(order="F"))


COLOURS = np.zeros(DATA.shape, dtype=[(name, "u1") for name in "RGB"])


@pytest.mark.parametrize(
    ("data", "edit", "message"),
    [
        (COLOURS, None, r"the voxels are colours \(R/G/B\), expected one real number each"),
        (DATA.astype(np.complex64), None, "the voxels are complex .*save the magnitude"),
        (DATA, lambda raw: struct.pack_into("<h", raw, 70, 0), "of no type that is known|not readable as an image"),
        (DATA, lambda raw: struct.pack_into("<h", raw, 70, 9999), "not readable as an image"),
        (DATA, lambda raw: struct.pack_into("<2f", raw, 112, 1, np.nan), "not readable as an image .*intercept"),
        (DATA, lambda raw: struct.pack_into("<f", raw, 108, np.nan), "readable|cannot be read"),
        (DATA, lambda raw: struct.pack_into("<8h", raw, 40, 3, 30000, 30000, 30000, 1, 1, 1, 1), "cannot be read"),
        (DATA, lambda raw: struct.pack_into("<h", raw, 40, 77), "not readable|expected NIfTI"),
        (DATA, lambda raw: struct.pack_into("<3f", raw, 256, 2, 2, 2), "the qform is no rotation"),
        (DATA, lambda raw: struct.pack_into("<f", raw, 280, np.nan), "the affine is singular|readable"),
    ],
)
def test_voxels_that_are_no_numbers_and_headers_that_are_none_end_in_a_sentence(tmp_path, data, edit, message):
    with pytest.raises(ImageError, match=message):
        read_data(open_image(written(tmp_path, data, edit=edit), 3))


REFUSED = {
    "open": {"SHIM_OPEN": "116"},
    "open, once": {"SHIM_OPEN": "116", "SHIM_TIMES": "1"},
    "read of the header": {"SHIM_READ": "5"},
    "read of the data": {"SHIM_READ": "5", "SHIM_AFTER": "9"},
}


def test_what_the_system_refuses_is_not_said_of_the_image(tmp_path):
    """A damaged file beside it is."""
    library = shim(tmp_path)
    rng = np.random.default_rng(0)
    image = nib.Nifti1Image(rng.normal(size=(60, 60, 60)).astype(np.float32), AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    whole, cut = tmp_path / "image.nii.gz", tmp_path / "cut.nii.gz"
    nib.save(image, whole)
    cut.write_bytes(whole.read_bytes()[:90_000])
    code = (
        "import os, sys\n"
        "from brainpid.core.errors import BrainpidError\n"
        "from brainpid.imaging.nifti import open_image, read_data\n"
        f"os.environ['SHIM_PATH'] = '{whole}'\n"
        f"for number, faults in enumerate({list(REFUSED.values())}):\n"
        "    for path in sys.argv[1:]:\n"
        "        for name in ('SHIM_OPEN', 'SHIM_READ', 'SHIM_AFTER', 'SHIM_TIMES'): os.environ.pop(name, None)\n"
        "        os.environ.update(faults)\n"
        "        try: read_data(open_image(path, 3)); print('read')\n"
        "        except BrainpidError as error: print(type(error).__name__, error)\n"
    )
    environment = {**os.environ, "LD_PRELOAD": str(library)}
    command = [sys.executable, "-c", code, whole, cut]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    damaged = f"ImageError {cut}: the data cannot be read (Compressed file ended"
    refused = [f"MachineError E{name} " for name in ("STALE (Stale file handle)", "IO (Input/output error)")]
    assert [line.startswith(damaged) for line in found] == [False, True] * 4
    assert found[2] == "read"  # nibabel loses the error, and another look finds nothing wrong
    for line, words in zip(found[::2], (refused[0], "read", refused[1], refused[1]), strict=True):
        assert line.startswith(words)
    assert all(line.endswith(f"at {whole}") for line in found[::2] if line != "read")


def test_a_lack_of_memory_is_not_said_of_an_image_that_has_its_data(tmp_path, monkeypatch):
    """And a shape that the file does not hold is no lack of memory."""

    def full(dataobj: object) -> None:
        raise MemoryError("Unable to allocate 2 TiB")

    path = save(tmp_path)
    whole = open_image(path, 3)
    cut = open_image(path, 3)
    monkeypatch.setattr(nifti.np, "asanyarray", full)
    with pytest.raises(MachineError, match=rf"no memory left \(Unable to allocate 2 TiB\); at {path}"):
        read_voxels(whole)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(ImageError, match=r"the header says shape .* bytes are lacking\)") as caught:
        read_voxels(cut)
    assert machine_error(caught.value) is None


@pytest.mark.parametrize("kind", ["int16", ">i2", "uint8", "float64"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_scaled_series_is_read_in_little_more_than_it_takes_as_float32(tmp_path, monkeypatch, kind, ending):
    """Read whole, it was there as float64 too: 14 instead of 5 bytes a voxel. The values are the same, bit by bit."""
    monkeypatch.setattr(nifti, "VOXELS_AT_ONCE", 20_000)
    stored = np.random.default_rng(1).integers(0, 200, (40, 30, 20, 12)).astype(kind)
    image = nib.Nifti1Image(stored, AFFINE)
    image.header.set_slope_inter(0.37, -2)
    nib.save(image, tmp_path / f"series{ending}")
    expected = np.asanyarray(nib.load(tmp_path / f"series{ending}").dataobj).astype(np.float32)
    tracemalloc.start()
    try:
        found = read_data(open_image(tmp_path / f"series{ending}", 4))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.tobytes("F") == expected.tobytes("F")
    assert peak < 6.5 * found.size


def test_a_series_that_ends_early_is_refused_wherever_it_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(nifti, "VOXELS_AT_ONCE", 1000)
    path = tmp_path / "series.nii"
    nib.save(nib.Nifti1Image(np.arange(8 * 8 * 8 * 9, dtype=np.int16).reshape(8, 8, 8, 9), AFFINE), path)
    whole = path.read_bytes()
    for length in (352 + 100, 352 + 5000, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match="cut off or damaged"):
            read_data(open_image(path, 4))
