"""Atlases: region arithmetic equals brute force, absent regions are NaN, and bad label files are named."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from cohorts import SHARED_DATA

from brainpid.core.errors import ImageError, InputError
from brainpid.imaging.atlas_files import read_atlas
from brainpid.imaging.atlases import Atlas, labels_on, region_means, region_sums
from brainpid.imaging.default_atlases import gray_matter, white_matter
from brainpid.imaging.nifti import make_image


@pytest.fixture
def small():
    """Values, labels with a gap, and a mask."""
    rng = np.random.default_rng(3)
    labels = rng.choice([0, 2, 7, 900], (6, 7, 8)).astype(np.int32)
    names = {900: "c", 2: "a", 7: "b", 11: "absent"}
    values, valid = rng.normal(size=labels.shape), rng.random(labels.shape) > 0.3
    return values, labels, Atlas(make_image(labels, np.eye(4)), names, "small"), valid


def test_sums_and_means_equal_brute_force(small):
    values, labels, atlas, valid = small
    sums, lacking = region_sums(values, labels, atlas, valid=valid, least_coverage=0.1)
    means, _ = region_means(values, labels, atlas, valid=valid, least_coverage=0.1)
    assert lacking == 1
    assert list(sums) == ["a", "b", "absent", "c"]
    for label, name in atlas.names.items():
        if name == "absent":
            assert np.isnan(sums[name])
            assert np.isnan(means[name])
            continue
        inside = values[(labels == label) & valid]
        assert sums[name] == pytest.approx(inside.sum(), abs=1e-12)
        assert means[name] == pytest.approx(inside.mean(), abs=1e-12)


def test_a_region_covered_too_little_is_nan_and_values_that_are_not_finite_are_not_covered(small):
    values, labels, atlas, _ = small
    values = np.where(labels == 7, np.nan, values)
    means, lacking = region_means(values, labels, atlas, valid=np.ones(labels.shape, bool), least_coverage=0.5)
    assert np.isnan(means["b"])
    assert lacking == 2
    assert np.isfinite([means["a"], means["c"]]).all()


def test_label_without_name_and_other_grid_are_refused(small):
    values, labels, atlas, valid = small
    with pytest.raises(ImageError, match="no name for the labels 900"):
        region_sums(values, labels, Atlas(atlas.image, {2: "a", 7: "b"}, "x"), valid=valid, least_coverage=0)
    with pytest.raises(ImageError, match="different grids"):
        region_sums(values[1:], labels, atlas, valid=valid, least_coverage=0)


def test_atlas_outside_the_image():
    affine = np.diag([5.0, 5, 5, 1])
    affine[:3, 3] = 1000
    with pytest.raises(ImageError, match="lies outside the image"):
        labels_on(gray_matter(5), make_image(np.zeros((9, 9, 9), np.float32), affine))


@pytest.mark.parametrize(("make", "count"), [(gray_matter, 36), (white_matter, 18)])
def test_default_atlases_have_every_region_on_its_side(make, count):
    atlas = make(5)
    labels = np.asarray(atlas.image.dataobj)
    assert len(atlas.names) == count
    for label, name in atlas.names.items():
        voxels = np.argwhere(labels == label)
        assert len(voxels) >= 40
        x = nib.affines.apply_affine(atlas.image.affine, voxels)[:, 0]
        assert (x < 0).all() if name.startswith("L_") else (x >= 0).all() or not name.startswith("R_")
    assert np.array_equal(labels_on(atlas, atlas.image), labels)


def write(folder, labels, table, ending="tsv"):
    image = nib.Nifti1Image(labels, np.diag([2.0, 2, 2, 1]))
    image.to_filename(folder / "atlas.nii.gz")
    (folder / f"names.{ending}").write_text(table)
    return folder / "atlas.nii.gz", folder / f"names.{ending}"


LABELS = np.arange(27).reshape(3, 3, 3) % 3


def test_tables_and_lookups_give_the_same(tmp_path):
    labels = LABELS.astype(np.int16)
    table = read_atlas(*write(tmp_path, labels, "index\tname\n2\tright\n1\tleft\n"))
    lookup = read_atlas(*write(tmp_path, labels, "# no name\n0 ? None 0 0 0 0\n1 L left 9 9 9 255\n2 right\n", "txt"))
    assert table.names == lookup.names == {1: "left", 2: "right"}
    assert np.array_equal(np.asarray(table.image.dataobj), labels)


@pytest.mark.parametrize(
    ("labels", "table", "message"),
    [
        (LABELS * np.float32(0.5), "index\tname\n1\ta\n", r"not integers \(0.5\)"),
        (-LABELS.astype(np.int16), "index\tname\n1\ta\n", r"negative labels \(-2, -1\)"),
        (LABELS * np.float64(2**25), "index\tname\n1\ta\n", "float32 loses integers"),
        (LABELS.astype(np.int16), "index\tname\n1\ta\n", "labels without a line in .*: 2"),
        (LABELS.astype(np.int16), "index\tname\n1\ta\n2\tb\n5\tc\n", r"without a voxel in .*: 5 \(c\)"),
        (LABELS.astype(np.int16), "index\tname\n1\ta\n1\tb\n", "label 1 is listed twice"),
        (LABELS.astype(np.int16), "index\tname\n1\ta\n2\ta\n", "the name 'a' is used for labels 1 and 2"),
        (LABELS.astype(np.int16), "index\tregion\n1\ta\n", "expected a column 'name'"),
    ],
)
def test_bad_label_files(tmp_path, labels, table, message):
    with pytest.raises(InputError, match=message):
        read_atlas(*write(tmp_path, labels, table))


def test_a_real_parcellation():
    folder = SHARED_DATA / "nifti" / "mrtrix"
    if not folder.exists():
        pytest.skip(f"{folder} is absent")
    atlas = read_atlas(folder / "sub-01_parc-desikan_indices.nii.gz", folder / "parc-desikan_lookup.txt")
    assert len(atlas.names) == 84
    assert atlas.names[1] == "ctx-lh-bankssts"
