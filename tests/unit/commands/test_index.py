"""`index` names folders that are nobody's, and refuses labels that fit no folder."""

from __future__ import annotations

import json
from pathlib import Path

from cohorts import touch

from brainpid.cli import main


def index(root: Path, *people: str) -> int:
    (root / "sheet.tsv").write_text("\n".join(["participant_id", *people]) + "\n")
    settings = json.dumps({"bids": str(root), "sources": {"t1": {"kind": "nifti"}}})
    options = ["--participants", str(root / "sheet.tsv"), "--settings", settings, "--out", str(root / "index.tsv")]
    return main(["index", "--cohort", "a", *options])


def test_unmatched_folders_are_named_and_not_listed(tmp_path, caplog):
    touch(tmp_path, *(f"sub-{k}/anat/sub-{k}_T1w.nii.gz" for k in (1, 3)))
    assert index(tmp_path, "sub-1", "sub-2") == 0
    assert "1 people with t1 files are not in the participants table and are not used: sub-3" in caplog.text
    lines = (tmp_path / "index.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == ["sub-1", "sub-2"]
    assert f"no folder {tmp_path / 'sub-2'}" in lines[1]


def test_labels_that_fit_no_folder_are_refused(tmp_path, capsys):
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz")
    assert index(tmp_path, "sub-A1", "sub-A2") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "none of 2 participants has t1 images, and 1 others have folders: sub-1" in said
    assert not (tmp_path / "index.tsv").exists()


def test_a_cohort_of_which_nobody_has_images_is_said(tmp_path, caplog):
    touch(tmp_path, "sub-1/anat/sub-1_T2w.nii.gz")
    assert index(tmp_path, "sub-1") == 0
    assert "a: none of 1 participants has t1 images; the first reason" in caplog.text
