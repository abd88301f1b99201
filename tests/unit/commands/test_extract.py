"""Who is extracted again when an atlas, a sidecar, an image or a setting changes, and who is not."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from fmriprep_runs import AFFINE, SPACE, fmriprep_runs

from brainpid.cli import main
from brainpid.cohort.file_states import read_record, record_path
from brainpid.commands import extract as verb
from brainpid.config.schema import parse_config
from brainpid.config.slices import ExtractSettings
from brainpid.features import extraction
from brainpid.features.store import read_features


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    """Three people with a small preprocessed BOLD run each and an atlas of two regions; extracted in this process."""
    here = lambda function, tasks, workers, fresh=False: ((task, function(task)) for task in tasks)  # noqa: E731
    monkeypatch.setattr(extraction, "outcomes", here)
    fmriprep_runs(tmp_path / "fmriprep", [f"sub-{k}" for k in range(3)], tmp_path)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-0\t30\nsub-1\t31\nsub-2\t32\n")
    return tmp_path


def extract(study: Path, caplog: pytest.LogCaptureFixture, **functional: Any) -> tuple[int, pd.DataFrame]:
    """How many people were extracted, and everybody's status, reason and features."""
    atlas = {"image": str(study / "atlas.nii.gz"), "labels": str(study / "atlas.tsv")}
    config = {
        "output_dir": str(study / "out"),
        "modalities": ["t1", "fmri"],
        "cohorts": {
            "a": {
                "participants": str(study / "participants.tsv"),
                "sources": {
                    "t1": {"kind": "table", "path": "t1.tsv"},
                    "fmri": {"kind": "fmriprep", "path": str(study / "fmriprep")},
                },
            }
        },
        "shards": 1,
        "extraction": {"functional": {"strategy": "6P", "atlas": atlas, **functional}},
    }
    settings = ExtractSettings.of(parse_config(config, "test"), "a", "fmri").model_dump_json()
    (study / "settings.json").write_text(settings)
    caplog.clear()
    options = ["--participants", f"{study}/participants.tsv", "--settings", settings, "--out", f"{study}/fmri.h5"]
    options += ["--shard", "0", "--keep", f"{study}/kept", "--quality", f"{study}/quality.tsv"]
    assert main(["extract", "--cohort", "a", "--modality", "fmri", *options]) == 0
    block = read_features(study / "fmri.h5", "fmri")
    table = pd.DataFrame(block.values, columns=list(block.names), index=list(block.participant_id))
    done = re.search(r"(\d+) to extract", caplog.text)
    assert done is not None
    return int(done[1]), table.assign(status=block.status, reason=block.reason)


@pytest.fixture
def first(study, caplog) -> pd.DataFrame:
    caplog.set_level("INFO")
    n, table = extract(study, caplog)
    assert n == 3
    assert table["status"].tolist() == ["SUCCESS"] * 3
    return table


def test_nothing_changed_and_nobody_is_extracted(study, first, caplog):
    n, again = extract(study, caplog)
    assert n == 0
    pd.testing.assert_frame_equal(again, first)


@pytest.mark.parametrize("part", ["image", "labels"])
def test_another_atlas_at_the_same_path_is_everybody_s(study, first, caplog, part):
    path = study / ("atlas.nii.gz" if part == "image" else "atlas.tsv")
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    if part == "image":
        labels = np.asarray(nib.load(path).dataobj).copy()
        labels[1, 1:5] = 2
        nib.save(nib.Nifti1Image(labels, AFFINE), path)
    else:
        path.write_text(path.read_text().replace("one", "uno"))
    os.utime(path, ns=times)
    n, again = extract(study, caplog)
    assert n == 3
    if part == "image":
        assert (again["z_one__two"] != first["z_one__two"]).all()
    else:
        assert "z_two__uno" in again


def test_an_atlas_that_is_only_touched_is_the_same(study, first, caplog):
    os.utime(study / "atlas.nii.gz")
    assert extract(study, caplog)[0] == 0


def test_another_repetition_time_is_that_of_one_person(study, first, caplog):
    path = study / f"fmriprep/sub-1/func/sub-1_task-rest_space-{SPACE}_desc-preproc_bold.json"
    path.write_text(json.dumps({"RepetitionTime": 2.5}))
    n, again = extract(study, caplog)
    assert n == 1
    moved = again["z_one__two"] != first["z_one__two"]
    assert moved.tolist() == [False, True, False]


def test_a_repetition_time_from_the_header_alone_is_noted_with_its_person(study, first, caplog):
    path = study / f"fmriprep/sub-1/func/sub-1_task-rest_space-{SPACE}_desc-preproc_bold.json"
    path.unlink()
    extract(study, caplog)
    words = "repetition time 2 s from the header alone, without a JSON that tells it"
    notes = pd.read_csv(study / "quality.tsv", sep="\t", keep_default_na=False)["note"].tolist()
    assert notes == ["", words, ""]
    assert f"sub-1: {words}" in caplog.text


def test_a_json_that_cannot_be_read_is_one_person_s_failure(study, first, caplog):
    path = study / f"fmriprep/sub-2/func/sub-2_task-rest_space-{SPACE}_desc-preproc_bold.json"
    path.write_text("{")
    _, again = extract(study, caplog)
    assert again["status"].tolist() == ["SUCCESS", "SUCCESS", "FAIL"]
    assert again["reason"].iloc[2].startswith(f"{path}: not readable as JSON")


def test_a_setting_is_everybody_s(study, first, caplog):
    assert extract(study, caplog, least_coverage=0.6)[0] == 3


def test_the_section_of_another_source_is_refused(study, caplog, capsys):
    settings = {
        "source": {"kind": "fmriprep", "path": str(study / "fmriprep")}, "bids": None, "shards": 1,
        "participant_id": "participant_id", "visits": None, "structural": {}, "diffusion": None, "functional": None,
    }  # fmt: skip
    options = ["--participants", f"{study}/participants.tsv", "--settings", json.dumps(settings), "--out", "x.h5"]
    options += ["--shard", "0", "--keep", f"{study}/kept", "--quality", f"{study}/quality.tsv"]
    assert main(["extract", "--cohort", "a", "--modality", "fmri", *options]) == 2
    assert "a source of kind fmriprep needs functional" in " ".join(capsys.readouterr().err.split())


def test_a_dataset_that_is_touched_or_moved_extracts_nobody(study, first, caplog):
    for path in (study / "fmriprep").rglob("*"):
        if path.is_file():
            os.utime(path, ns=(86400 * 10**9, 86400 * 10**9))
    assert extract(study, caplog)[0] == 0
    (study / "moved").mkdir()
    for name in ("fmriprep", "atlas.nii.gz", "atlas.tsv", "participants.tsv", "kept"):
        (study / name).rename(study / "moved" / name)
    n, again = extract(study / "moved", caplog)
    assert n == 0
    pd.testing.assert_frame_equal(again, first)


def test_what_the_files_are_is_recorded_beside_the_results(study, first, caplog):
    record = read_record(record_path(study / "kept", 0))
    assert record.keys() == {"sub-0", "sub-1", "sub-2"}
    known = record["sub-1"]["bold"]
    path = study / f"fmriprep/sub-1/func/sub-1_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz"
    size, time = path.stat().st_size, path.stat().st_mtime_ns
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    assert known == ((f"sub-1/func/{path.name}", size, time, content), f"{size} {time}")
    os.utime(path, ns=(5, 5))
    extract(study, caplog)
    known = read_record(record_path(study / "kept", 0))["sub-1"]["bold"]
    assert (known.state.mtime_ns, known.identity) == (5, f"{size} {time}")


def test_other_versions_of_libraries_are_everybody_s(study, first, caplog, monkeypatch):
    monkeypatch.setattr(verb, "versions", lambda packages: dict.fromkeys(packages, "0.0"))
    assert extract(study, caplog)[0] == 3


def test_who_is_named_is_extracted_alone_and_kept_for_the_shard(study, first, caplog, capsys):
    kept = {path: path.stat().st_mtime_ns for path in (study / "kept").glob("sub-*.json")}
    settings = json.loads((study / "settings.json").read_text())
    for path in kept:
        path.unlink()
    options = ["--participants", f"{study}/participants.tsv", "--settings", json.dumps(settings)]
    command = ["extract", "--cohort", "a", "--modality", "fmri", *options, "--keep", f"{study}/kept", "--only"]
    assert main([*command, "sub-1"]) == 0
    assert capsys.readouterr().out == "a sub-1 fmri SUCCESS\n"
    assert [path.name for path in (study / "kept").glob("sub-*.json")] == ["sub-1.json"]
    assert extract(study, caplog)[0] == 2
    assert main([*command, "sub-1", "sub-7"]) == 2
    assert "--only: sub-7 not in" in capsys.readouterr().err
    assert main([*command, "sub-1", "--out", "x.h5"]) == 2
    assert "expected without --out" in capsys.readouterr().err
    assert main(["extract", "--cohort", "a", "--modality", "fmri", *options]) == 2
    assert "--out: expected, unless --only" in capsys.readouterr().err
