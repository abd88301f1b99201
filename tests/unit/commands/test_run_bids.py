"""`brainpid run BIDS_DIR OUT participant|group`: who is extracted, and what is refused by name."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest
from cohorts import make_config, make_tables, touch, write_cohort, write_config

from brainpid.cli import main
from brainpid.commands import run, run_bids
from brainpid.config.slices import ExtractSettings


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A dataset of two cohorts with T1 images, its configuration in `out`, and the calls that are made of it."""
    monkeypatch.chdir(tmp_path)
    for name, first in (("a", 0), ("b", 10)):
        tables = {key: table.iloc[first : first + 20] for key, table in make_tables(40).items()}
        write_cohort(tmp_path / "data" / name, tables)
    config = make_config(tmp_path / "data", ["a", "b"], tmp_path / "out")
    for block in config["cohorts"].values():
        block["sources"]["t1"] = {"kind": "nifti"}
        block["bids"] = str(tmp_path / "data")
    touch(tmp_path, "data/sub-000/anat/sub-000_T1w.nii.gz", "out/x")
    write_config(tmp_path / "out" / "brainpid.yaml", config)
    calls = []
    found = SimpleNamespace(calls=calls, started=[], code=0)

    def called(command, **more):
        calls.append(command[3:])
        return SimpleNamespace(returncode=found.code)

    monkeypatch.setattr(run_bids.subprocess, "run", called)
    monkeypatch.setattr(run, "start", lambda *given: found.started.append(given) or 0)
    return found


def test_named_people_alone_are_extracted_of_every_cohort_that_has_them(study, tmp_path, capsys):
    words = ["data", "out", "participant", "--participant-label", "003", "sub-012", "--cores", "3"]
    assert main(["run", *words]) == 0
    assert [call[call.index("--cohort") + 1] for call in study.calls] == ["a", "b"]
    assert [call[call.index("--only") + 1 :] for call in study.calls] == [["sub-003", "sub-012"], ["sub-012"]]
    for call in study.calls:
        cohort = call[call.index("--cohort") + 1]
        assert call[call.index("--modality") + 1] == "t1"  # a table has nothing to extract from single people
        assert call[call.index("--workers") + 1] == "3"
        assert call[call.index("--keep") + 1] == f"{tmp_path}/out/features/persons/{cohort}/t1"
        ExtractSettings.model_validate_json(call[call.index("--settings") + 1])
    assert os.getcwd() == str(tmp_path / "out")
    assert capsys.readouterr().out == "Next: brainpid run data out group\n"
    assert study.started == []


def test_everybody_is_extracted_where_nobody_is_named_and_an_exit_code_is_given_on(study):
    study.code = 3
    assert main(["run", "data", "out", "participant"]) == 3
    (call,) = study.calls
    assert len(call[call.index("--only") + 1 :]) == 20


def test_the_group_is_the_workflow(study, tmp_path):
    assert main(["run", "data", "out", "group", "--n_cpus", "4", "--forceall"]) == 0
    again = ["run", "data", "out", "group", "--n_cpus", "4", "--forceall"]
    assert study.started == [(tmp_path / "out" / "brainpid.yaml", "4", ["--forceall"], again, True)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere", "out", "participant"], "nowhere: expected a folder with a BIDS dataset, found nothing"),
        (["data", "out", "participants"], "found a folder and the level 'participants'"),
        (["data"], "or as of a BIDS App `brainpid run BIDS_DIR OUT participant|group`, found a folder and no"),
        (["data", "out", "participant", "--participant-label", "03", "005"], "label: sub-03 stand(s) in no"),
        (["data", "out", "participant", "--forceall"], "--participant-label and --cores alone, found --forceall"),
        (["data", "out", "participant", "--cores", "all"], "--cores: expected a whole number from 1 on, found 'all'"),
        (["data", "out", "group", "--participant-label", "003"], "label: expected at the level participant"),
        (["data", "out/x", "group"], "out/x: expected a folder to write to, found a file"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named(study, capsys, words, message):
    assert main(["run", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert (study.calls, study.started) == ([], [])


def test_the_first_call_writes_what_the_dataset_holds_and_later_ones_read_it(study, tmp_path, monkeypatch):
    config = tmp_path / "out" / "brainpid.yaml"
    text = config.read_text()
    config.unlink()
    monkeypatch.setattr(run_bids, "survey", lambda folder: [folder])
    monkeypatch.setattr(
        run_bids, "draft", lambda cohorts, name, file, out: f"{text}# {cohorts[0]} {name} {file} {out}\n"
    )
    assert main(["run", "data", "out", "group"]) == 0
    assert config.read_text() == f"{text}# {tmp_path}/data data brainpid.yaml {tmp_path}/out\n"
    monkeypatch.chdir(tmp_path)
    config.write_text(text)
    assert main(["run", "data", "out", "group"]) == 0
    assert config.read_text() == text
