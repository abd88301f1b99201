"""What all finders share: sessions, the choice among runs, and metadata by inheritance."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cohorts import touch

from brainpid.cohort import bids
from brainpid.cohort.derivatives import find_fmriprep
from brainpid.cohort.person_files import images, inherited, sessions, unusable

SPACE = "MNI152NLin2009cAsym"


def test_sessions_are_folders_best_first(tmp_path):
    touch(tmp_path, "sub-1/anat/x", "sub-2/ses-b/anat/x", "sub-2/ses-a/anat/x", "sub-2/ses-c.txt")
    assert sessions(tmp_path / "sub-1", None) == [tmp_path / "sub-1"]
    assert sessions(tmp_path / "sub-2", None) == [tmp_path / "sub-2/ses-a", tmp_path / "sub-2/ses-b"]
    assert sessions(tmp_path / "sub-2", "b") == sessions(tmp_path / "sub-2", "ses-b") == [tmp_path / "sub-2/ses-b"]
    assert sessions(tmp_path / "sub-2", "x") == []


def test_metadata_are_listed_from_the_nearest_to_the_farthest(tmp_path):
    image = "sub-1/ses-a/func/sub-1_ses-a_task-rest_run-1_bold"
    touch(tmp_path, f"{image}.nii.gz", f"{image}.json", "sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.json")
    touch(tmp_path, "sub-1/sub-1_task-rest_bold.json", "task-rest_bold.json", "bold.json")
    # Of another task or run, of another kind, of nothing that BIDS knows, and hidden.
    touch(tmp_path, "task-nback_bold.json", "sub-1/ses-a/func/sub-1_ses-a_task-rest_run-2_bold.json")
    touch(tmp_path, "task-rest_sbref.json", "task-rest_notbold.json", "._task-rest_bold.json")
    found = inherited(tmp_path / f"{image}.nii.gz", tmp_path, "bold", ".json")
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        f"{image}.json",
        "sub-1/ses-a/func/sub-1_ses-a_task-rest_bold.json",
        "sub-1/sub-1_task-rest_bold.json",
        "task-rest_bold.json",
        "bold.json",
    ]
    assert inherited(tmp_path / f"{image}.nii.gz", tmp_path / "sub-1", "bold", ".json") == found[:3]


def test_the_json_files_of_a_run_are_roles_in_raw_data_and_derivatives(tmp_path):
    raw, derivative = tmp_path / "raw", tmp_path / "fmriprep"
    touch(raw, "sub-1/func/sub-1_task-rest_bold.nii.gz", "task-rest_bold.json")
    files = bids.find(raw, "sub-1", "bold").files
    assert files == {
        "bold": str(raw / "sub-1/func/sub-1_task-rest_bold.nii.gz"),
        "json": str(raw / "task-rest_bold.json"),
    }
    touch(raw, "sub-1/func/sub-1_task-rest_bold.json")
    files = bids.find(raw, "sub-1", "bold").files
    assert files["json"] == str(raw / "sub-1/func/sub-1_task-rest_bold.json")
    assert files["json_2"] == str(raw / "task-rest_bold.json")
    stem = f"sub-1/func/sub-1_task-rest_space-{SPACE}_desc-preproc_bold"
    touch(derivative, f"{stem}.nii.gz", f"{stem}.json", "sub-1/func/sub-1_task-rest_desc-confounds_timeseries.tsv")
    assert find_fmriprep(derivative, "sub-1", SPACE).files["json"] == str(derivative / f"{stem}.json")
    touch(raw, "sub-1/anat/sub-1_T1w.nii.gz", "sub-1/anat/sub-1_T1w.json")
    assert set(bids.find(raw, "sub-1", "t1w").files) == {"t1w"}  # nothing of it is used


def test_the_top_of_a_dataset_is_listed_once_and_never_from_before_a_change(tmp_path):
    image = tmp_path / "sub-1/func/sub-1_task-rest_bold.nii.gz"
    touch(tmp_path, "sub-1/func/sub-1_task-rest_bold.nii.gz")

    def found() -> list[str]:
        return [path.name for path in inherited(image, tmp_path, "bold", ".json")]

    os.utime(tmp_path, (1, 1))  # long unchanged, so that the listing is kept
    assert found() == found() == []
    touch(tmp_path, "bold.json")
    assert found() == ["bold.json"]
    touch(tmp_path, "task-rest_bold.json")
    assert found() == ["task-rest_bold.json", "bold.json"]
    (tmp_path / "bold.json").unlink()
    assert found() == ["task-rest_bold.json"]


def names(found: list[Path]) -> list[str]:
    return [path.name for path in found]


def test_hidden_files_and_those_of_others_are_no_images_of_a_person(tmp_path):
    touch(tmp_path, "sub-1_T1w.nii.gz", "T1w.nii", "._sub-1_T1w.nii.gz", ".T1w.nii", "sub-1_notT1w.nii.gz")
    touch(tmp_path, "sub-2_T1w.nii.gz", "sub-1_T1w.json", "sub-1_T1w_defaced.nii.gz", "sub-1_acq-T1w_T2w.nii.gz")
    (tmp_path / "sub-1_run-2_T1w.nii.gz").mkdir()
    assert names(images(tmp_path, "sub-1", "T1w")) == ["T1w.nii", "sub-1_T1w.nii.gz"]
    assert images(tmp_path / "nowhere", "sub-1", "T1w") == []


def test_visits_are_sorted_as_people_count(tmp_path):
    touch(tmp_path, *(f"ses-{visit}/x" for visit in (10, 2, 1)), ".ses-0/x")
    assert names(sessions(tmp_path, None)) == ["ses-1", "ses-2", "ses-10"]


def test_content_that_lies_elsewhere_is_told_from_small_and_empty_files(tmp_path):
    contents = {
        "annex": b"/annex/objects/MD5E-s1--0.nii.gz\n",
        "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "small": b"0 1000 1000\n",
        "empty": b"",
        "large": b"/annex/objects/" + b"x" * 2000,
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to("../.git/annex/objects/xx/nothing")
    (tmp_path / "fetched").symlink_to("small")
    (tmp_path / "loop").symlink_to("loop")
    files = {name: str(tmp_path / name) for name in (*contents, "link", "fetched", "loop")}
    reason = unusable(files)
    for name in ("annex", "lfs", "link"):
        assert str(tmp_path / name) in reason
    assert reason.startswith("content not fetched (datalad get): ")
    assert reason.endswith(" and 1 more")
    assert unusable({name: files[name] for name in ("small", "empty", "large", "fetched")}) == ""


def test_what_is_no_file_is_not_opened(tmp_path):
    """A pipe would be waited for until somebody writes into it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        assert unusable({"t1w": str(tmp_path / name)}) == f"{tmp_path / name} is a {name}, expected a file"
    assert unusable({"t1w": "/dev/null"}) == "/dev/null is a device, expected a file"
    with pytest.raises(FileNotFoundError):
        unusable({"t1w": str(tmp_path / "vanished")})
