"""Reading of b-values and directions: every layout that programs write, and a sentence for every bad file."""

import numpy as np
import pytest
from cohorts import SHARED_DATA
from diffusion_phantom import even_gradients

from brainpid.core.errors import ImageError
from brainpid.imaging.dwi.gradients import Gradients, count_directions, read_gradients, select_shells

NIFTI = SHARED_DATA / "nifti"
real = pytest.mark.skipif(not NIFTI.is_dir(), reason="the folder with real images is not there")
GOOD = even_gradients(12)


def write(folder, bvals=GOOD.bvals, bvecs=GOOD.bvecs, separator=" "):
    folder.mkdir(exist_ok=True)
    np.savetxt(folder / "dwi.bval", np.atleast_2d(bvals), delimiter=separator)
    np.savetxt(folder / "dwi.bvec", bvecs, delimiter=separator)
    return folder / "dwi.bval", folder / "dwi.bvec"


@pytest.mark.parametrize("separator", [" ", "\t", ",", ", "])
@pytest.mark.parametrize("rows", [True, False])
def test_every_layout_gives_the_same_gradients(tmp_path, separator, rows):
    paths = write(
        tmp_path, GOOD.bvals if rows else GOOD.bvals[:, None], GOOD.bvecs.T if rows else GOOD.bvecs, separator
    )
    found = read_gradients(*paths, 14, 50.0)
    np.testing.assert_allclose(found.bvals, GOOD.bvals)
    np.testing.assert_allclose(found.bvecs, GOOD.bvecs, atol=1e-12)


def test_lengths_are_rounded_and_directions_without_weighting_do_not_matter(tmp_path):
    bvecs = GOOD.bvecs * 1.04
    bvecs[0], bvecs[1] = np.nan, [0.3, 0.9, 0]
    found = read_gradients(*write(tmp_path, bvecs=bvecs), 14, 50.0)
    np.testing.assert_allclose(found.bvecs, GOOD.bvecs, atol=1e-12)


def changed(array, place, value):
    spoiled = np.array(array, dtype=float)
    spoiled[place] = value
    return spoiled


AXES = np.vstack([np.zeros((2, 3)), np.repeat(np.eye(3), 4, axis=0)])
ANGLES = np.linspace(0, np.pi, 12, endpoint=False)
PLANE = np.vstack([np.zeros((2, 3)), np.stack([np.cos(ANGLES), np.sin(ANGLES), 0 * ANGLES], axis=1)])
FEW = np.vstack([GOOD.bvecs[:7], -GOOD.bvecs[2:7], GOOD.bvecs[2:4]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bvals": GOOD.bvals[:13]}, "13 b-values .* 14 directions, but the image has 14 volumes"),
        ({"bvecs": GOOD.bvecs[:13]}, "14 b-values .* 13 directions, but the image has 14 volumes"),
        ({"bvecs": GOOD.bvecs[:, :2]}, "expected 3 rows of 14 numbers or 14 rows of 3, found 14 rows of 2"),
        ({"bvecs": changed(GOOD.bvecs, 5, np.nan)}, "expected unit vectors .* nan .volume 5"),
        ({"bvecs": changed(GOOD.bvecs, 5, 0)}, "expected unit vectors .* 0 .volume 5"),
        ({"bvecs": GOOD.bvecs * 1.06}, "expected unit vectors where b > 50, found lengths 1.06"),
        ({"bvecs": AXES}, "expected at least 6 distinct directions, found 3"),
        ({"bvecs": FEW}, "expected at least 6 distinct directions, found 5"),
        ({"bvecs": PLANE}, "too close to a plane or cone"),
        ({"bvals": changed(GOOD.bvals, 3, np.nan)}, "expected finite b-values .* found nan"),
        ({"bvals": changed(GOOD.bvals, 3, np.inf)}, "expected finite b-values .* found inf"),
        ({"bvals": changed(GOOD.bvals, 3, -1000)}, "expected finite b-values .* found -1000"),
        ({"bvals": np.maximum(GOOD.bvals, 310)}, "no volume with b <= 50 s/mm.2 .* found b of 310 to 1000"),
        ({"bvals": GOOD.bvals / 1000}, "no diffusion-weighted volume, found b of 0 to 1 s/mm.2"),
        ({"bvals": np.tile(GOOD.bvals, (2, 1))}, "expected one row or one column of b-values, found 2 rows of 14"),
    ],
)
def test_a_bad_file_is_refused_with_what_was_found(tmp_path, change, words):
    with pytest.raises(ImageError, match=words):
        read_gradients(*write(tmp_path, **change), 14, 50.0)


def test_the_image_must_have_as_many_volumes(tmp_path):
    with pytest.raises(ImageError, match=r"14 b-values .* 14 directions, but the image has 15 volumes"):
        read_gradients(*write(tmp_path), 15, 50.0)


@pytest.mark.parametrize(
    ("text", "words"), [(None, "does not exist"), ("", "empty"), ("0 1000 b2000", "numbers only .*b2000")]
)
def test_a_file_that_is_absent_empty_or_text(tmp_path, text, words):
    bval, bvec = write(tmp_path)
    bval.unlink()
    if text is not None:
        bval.write_text(text)
    with pytest.raises(ImageError, match=words):
        read_gradients(bval, bvec, 14, 50.0)


def test_a_ragged_file_is_refused(tmp_path):
    bval, bvec = write(tmp_path)
    bvec.write_text("0 0 1\n0 1\n1 0 0\n")
    with pytest.raises(ImageError, match="found 3 rows of 2 or 3"):
        read_gradients(bval, bvec, 14, 50.0)


def test_opposite_and_nearly_equal_directions_are_one_axis():
    doubled = Gradients(np.r_[GOOD.bvals, GOOD.bvals[2:]], np.vstack([GOOD.bvecs, -GOOD.bvecs[2:]]), 50.0)
    assert count_directions(GOOD) == count_directions(doubled) == 12


def test_shells_are_kept_whole_up_to_the_largest_b():
    bvals = np.r_[0, 0, np.full(12, 1520.0), np.full(12, 2000.0)]
    two = Gradients(bvals, np.vstack([GOOD.bvecs, GOOD.bvecs[2:]]), 50.0)
    np.testing.assert_array_equal(select_shells(two, 1500), bvals < 1600)
    assert select_shells(two, 3000).all()
    with pytest.raises(ImageError, match=r"volumes with b <= 700 of 0 to 2000 s/mm.2: no diffusion-weighted volume"):
        select_shells(two, 700)


@real
@pytest.mark.parametrize(
    ("bval", "bvec", "n", "directions"),
    [
        ("dipy/small_25.bval", "dipy/small_25.bvec", 26, 25),
        ("dipy/small_64D.bval", "dipy/small_64D.bvec", 65, 64),
        ("dipy/small_101D.bval", "dipy/small_101D.bvec", 102, None),
        ("mdt_b1k_b2k/b1k_b2k.bval", "mdt_b1k_b2k/b1k_b2k.bvec", 103, None),
    ],
)
def test_files_of_four_programs_are_read(bval, bvec, n, directions):
    found = read_gradients(NIFTI / bval, NIFTI / bvec, n, 50.0)
    np.testing.assert_allclose(np.linalg.norm(found.bvecs, axis=1), ~found.unweighted, atol=1e-12)
    assert directions is None or count_directions(found) == directions


@real
def test_a_spinal_cord_scheme_does_not_determine_a_tensor():
    with pytest.raises(ImageError, match="the 6 directions lie too close to a plane or cone"):
        read_gradients(NIFTI / "sct/dmri.bval.txt", NIFTI / "sct/dmri.bvec.txt", 7, 50.0)


def test_the_lowest_shell_counts_as_not_weighted_where_nothing_is_below_the_threshold(tmp_path):
    bvals = np.where(GOOD.bvals == 0, 100.0, GOOD.bvals)
    bvecs = changed(GOOD.bvecs, 0, [0, 0, 1])
    found = read_gradients(*write(tmp_path, bvals, bvecs), 14, 50.0)
    assert found.unweighted.tolist() == [True, True] + [False] * 12
    np.testing.assert_array_equal(found.bvals, bvals)  # its weighting stays in the fit
    np.testing.assert_allclose(found.bvecs[:2], [[0, 0, 1], [0, 0, 0]])
    higher = read_gradients(*write(tmp_path, bvals, bvecs), 14, 120.0)
    assert higher.unweighted.tolist() == found.unweighted.tolist()
    np.testing.assert_allclose(higher.bvecs[0], 0)
    with pytest.raises(ImageError, match=r"no volume with b <= 50 .*b0_threshold.* found b of 400 to 1000"):
        read_gradients(*write(tmp_path, np.where(GOOD.bvals == 0, 400.0, GOOD.bvals), bvecs), 14, 50.0)
