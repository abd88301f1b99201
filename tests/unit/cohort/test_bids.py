"""Finding images in a BIDS dataset: sessions, runs, inheritance, and a reason where there is nothing."""

from __future__ import annotations

from pathlib import Path

from cohorts import touch

from brainpid.cohort import bids


def test_the_first_session_and_run_are_taken_and_said(tmp_path):
    touch(tmp_path, "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz")
    touch(tmp_path, *(f"sub-1/ses-a/anat/sub-1_ses-a_run-{run}_T1w.nii.gz" for run in (10, 2)))
    found = bids.find(tmp_path, "sub-1", "t1w")
    assert Path(found.files["t1w"]).name == "sub-1_ses-a_run-2_T1w.nii.gz"
    assert found.note.startswith("first of 3")
    other = bids.find(tmp_path, "sub-1", "t1w", session="b")
    assert Path(other.files["t1w"]).name == "sub-1_ses-b_T1w.nii.gz"
    assert other.note == ""


def test_absence_is_a_reason(tmp_path):
    touch(tmp_path, "sub-1/dwi/sub-1_dwi.nii.gz", "sub-2/anat/sub-2_T2w.nii.gz")
    assert bids.find(tmp_path, "sub-9", "t1w").reason == f"no folder {tmp_path / 'sub-9'}"
    assert "_T1w.nii" in bids.find(tmp_path, "sub-2", "t1w").reason
    assert "has no .bval beside it or above" in bids.find(tmp_path, "sub-1", "dwi").reason
    assert bids.find(tmp_path, "sub-1", "dwi", session="x").files == {}


def test_other_images_are_not_taken_for_the_one(tmp_path):
    touch(tmp_path, "sub-1/anat/sub-1_T1w.json", "sub-1/anat/sub-1_mod-T1w_defacemask.nii.gz")
    touch(tmp_path, "sub-1/func/sub-1_task-nback_bold.nii.gz", "sub-1/func/sub-1_task-rest_sbref.nii.gz")
    assert not bids.find(tmp_path, "sub-1", "t1w").files
    assert not bids.find(tmp_path, "sub-1", "bold").files
    assert bids.find(tmp_path, "sub-1", "bold", task="nback").files


def test_gradients_are_inherited_from_above(tmp_path):
    touch(tmp_path, "dwi.bval", "sub-1/dwi/sub-1_dwi.bvec", "sub-1/dwi/sub-1_dwi.nii.gz")
    touch(tmp_path, "sub-2/dwi/sub-2_acq-x_dwi.nii.gz", "sub-2/sub-2_dwi.bvec", "sub-2/dwi/sub-2_acq-y_dwi.bvec")
    one, two = (bids.find(tmp_path, person, "dwi").files for person in ("sub-1", "sub-2"))
    assert [Path(one[role]).name for role in ("bval", "bvec")] == ["dwi.bval", "sub-1_dwi.bvec"]
    assert [Path(two[role]).name for role in ("bval", "bvec")] == ["dwi.bval", "sub-2_dwi.bvec"]
