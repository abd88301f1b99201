"""Finding images: sessions, runs, inheritance, derivatives of other pipelines, and a reason where there is nothing."""

from __future__ import annotations

import pytest
from cohorts import touch

from brainpid.cohort.finding import find, people_in
from brainpid.config.sources import FreeSurferSource, NiftiSource, image_of
from brainpid.core.errors import InputError


def test_people_and_images_of_a_source(tmp_path):
    touch(tmp_path, "sub-1/x", "sub-2/x", "derivatives/x", "code/x")
    source = NiftiSource(kind="nifti")
    assert people_in(source, str(tmp_path)) == ["sub-1", "sub-2"]
    touch(tmp_path / "fs", "1_ses-a/x", "2/x", "fsaverage5/x", ".git/x", "3/base-tps")
    touch(tmp_path / "fs", "2_ses-1.long.2/x")
    assert people_in(FreeSurferSource(kind="freesurfer", path=str(tmp_path / "fs")), None) == ["sub-1", "sub-2"]
    assert image_of(source, "t1") == "t1w"
    with pytest.raises(InputError, match="give image: t1w, dwi or bold"):
        image_of(source, "asl")
    with pytest.raises(InputError, match="the folder does not exist"):
        find(source, "t1", str(tmp_path / "nowhere"), "sub-1")


def test_content_that_was_not_fetched_is_a_reason(tmp_path):
    touch(tmp_path, "sub-1/anat/sub-1_run-2_T1w.nii.gz")
    link = tmp_path / "sub-1/anat/sub-1_run-1_T1w.nii.gz"
    link.symlink_to("../../.git/annex/objects/nothing")
    found = find(NiftiSource(kind="nifti"), "t1", str(tmp_path), "sub-1")
    # Not the other run: who fetches more must not change what is chosen.
    assert found.files == {}
    assert found.reason == f"content not fetched (datalad get): {link}"


def test_a_folder_that_was_not_installed_is_a_reason(tmp_path):
    (tmp_path / "sub-1").mkdir()
    reason = find(NiftiSource(kind="nifti"), "t1", str(tmp_path), "sub-1").reason
    assert reason == f"content not fetched (datalad get): the folder {tmp_path / 'sub-1'} is empty"
