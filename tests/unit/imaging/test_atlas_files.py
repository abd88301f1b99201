"""Label files of parcellations: tables and lookups, and what is refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from cohorts import SHARED_DATA

from brainpid.core.errors import InputError
from brainpid.imaging.atlas_files import read_atlas


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
