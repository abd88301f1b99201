"""Finding images: sessions, runs, inheritance, derivatives of other pipelines, and a reason where there is nothing."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from cohorts import touch

from brainpid.cohort import finding, person_files
from brainpid.cohort.finding import find, people_in, refuse_strangers_alone, unmatched_labels
from brainpid.cohort.person_files import Found
from brainpid.cohort.shards import digests
from brainpid.config.sources import FreeSurferSource, NiftiSource, image_of
from brainpid.core.errors import InputError, MachineError


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


def test_folders_of_strangers_alone_are_refused():
    nobody = {"sub-1": Found(reason="no x"), "sub-2": Found(reason="no y")}
    with pytest.raises(InputError, match="none of 2 participants has t1 images, and 1 others have folders: sub-A; the"):
        refuse_strangers_alone("a", "t1", nobody, ["sub-A"])
    refuse_strangers_alone("a", "t1", nobody, [])
    refuse_strangers_alone("a", "t1", nobody | {"sub-2": Found({"t1w": "y"})}, ["sub-A"])


LATIN = os.fsdecode(b"\xfc")
RAW = NiftiSource(kind="nifti")


@pytest.mark.parametrize(
    ("file", "named"),
    [
        (f"sub-1/anat/sub-1_acq-{LATIN}_T1w.nii.gz", "sub-1_acq-\\xfc_T1w.nii.gz"),
        (f"sub-1/ses-{LATIN}/anat/sub-1_T1w.nii.gz", "ses-\\xfc"),
    ],
)
def test_a_name_that_is_not_utf8_is_that_persons_matter(tmp_path, file, named):
    touch(tmp_path, file, "sub-2/anat/sub-2_T1w.nii.gz")
    people = {person: find(RAW, "t1", str(tmp_path), person) for person in ("sub-1", "sub-2")}
    assert people["sub-1"].reason == f"the name of '{named}' is not UTF-8; rename it"
    assert people["sub-2"].files
    assert len(digests(people, 2, tmp_path)) == 2


def test_names_that_are_not_used_may_be_of_any_kind(tmp_path):
    touch(
        tmp_path, "sub-1/anat/sub-1_T1w.nii.gz", f"sub-1/anat/M{LATIN}ller.nii.gz", f"sub-{LATIN}/x", f"{LATIN}/x",
        f"sub-1/anat/sub-1_acq-{LATIN}_T1w.nii.gz", f"sub-3/anat/sub-3_acq-{LATIN}_T2w.nii.gz",
    )  # fmt: skip
    found = find(RAW, "t1", str(tmp_path), "sub-1")
    assert Path(found.files["t1w"]).name == "sub-1_T1w.nii.gz"
    assert people_in(RAW, str(tmp_path)) == ["sub-1", "sub-3", "sub-\\xfc"]
    json.dumps(unmatched_labels(RAW, str(tmp_path), ["sub-1"])).encode()
    touch(tmp_path, f"sub-4/func/sub-4_task-{LATIN}_bold.nii.gz")
    reason = find(NiftiSource(kind="nifti", image="bold"), "fmri", str(tmp_path), "sub-4").reason
    assert "there is sub-4_task-\\xfc_bold.nii.gz" in reason
    touch(tmp_path / LATIN, "sub-1/anat/sub-1_T1w.nii.gz")
    with pytest.raises(InputError, match=r"xfc: the name is not UTF-8; rename the folder"):
        find(RAW, "t1", str(tmp_path / LATIN), "sub-1")


def test_what_lies_in_the_place_of_an_image_is_that_persons_matter(tmp_path):
    touch(tmp_path, *(f"sub-{k}/anat/x" for k in range(3)))
    os.mkfifo(tmp_path / "sub-0/anat/sub-0_T1w.nii.gz")
    (tmp_path / "sub-1/anat/sub-1_T1w.nii.gz").mkdir()
    (tmp_path / "sub-2/anat/sub-2_T1w.nii.gz").symlink_to("nowhere.nii.gz")
    (tmp_path / "sub-3").symlink_to("nowhere")
    (tmp_path / "sub-4").write_text("a file")
    reasons = [find(RAW, "t1", str(tmp_path), f"sub-{k}").reason for k in range(5)]
    assert reasons[0] == f"{tmp_path}/sub-0/anat/sub-0_T1w.nii.gz is a pipe, expected a file"
    assert reasons[1].startswith("no …_T1w.nii* in ")
    assert reasons[2] == f"content not fetched (datalad get): {tmp_path}/sub-2/anat/sub-2_T1w.nii.gz"
    assert reasons[3] == f"no folder {tmp_path}/sub-3"
    assert reasons[4] == f"no folder {tmp_path}/sub-4"


@pytest.fixture
def refuse(monkeypatch):
    """Let the system refuse to list a folder, as it refuses root nothing."""

    def set_errno(folder: Path, number: int) -> None:
        real = os.listdir

        def listdir(path):
            if Path(path) == folder:
                raise OSError(number, os.strerror(number), str(path))
            return real(path)

        monkeypatch.setattr(person_files.os, "listdir", listdir)

    return set_errno


def test_a_folder_that_is_closed_is_its_persons_matter(tmp_path, refuse):
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz", "sub-2/anat/sub-2_T1w.nii.gz")
    refuse(tmp_path / "sub-1/anat", errno.EACCES)
    assert find(RAW, "t1", str(tmp_path), "sub-1").reason == f"{tmp_path}/sub-1/anat: Permission denied"
    assert find(RAW, "t1", str(tmp_path), "sub-2").files


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EMFILE])
def test_a_folder_that_the_machine_does_not_list_is_nobodys_matter(tmp_path, refuse, number):
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz")
    refuse(tmp_path / "sub-1/anat", number)
    with pytest.raises(MachineError, match=rf"{errno.errorcode[number]}.*{tmp_path}/sub-1/anat"):
        find(RAW, "t1", str(tmp_path), "sub-1")


def test_a_source_that_is_closed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(finding.os, "access", lambda *_: False)
    with pytest.raises(InputError, match=rf"{tmp_path}: the folder may not be read \(Permission denied\)"):
        people_in(RAW, str(tmp_path))
