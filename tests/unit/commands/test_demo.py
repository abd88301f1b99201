"""The demonstration makes its images once, runs the shipped configuration, and says what it found."""

from __future__ import annotations

import json

import pytest
from cohorts import ROOT

from brainpid.cli import main
from brainpid.commands import demo


@pytest.fixture
def called(monkeypatch, tmp_path):
    """What the other verbs are asked, in the order of the calls; the phantom leaves its truth, as if it were whole."""
    monkeypatch.chdir(tmp_path)
    calls = []

    def make(args):
        calls.append(("phantom", args))
        args.out.mkdir(parents=True)
        made = {"subjects": args.subjects, "sites": args.sites, "seed": args.seed, "voxel_size_mm": args.voxel_size}
        (args.out / "truth.json").write_text(json.dumps(made | {"generated_by": demo.phantom.generated_by()}))

    def run(args):
        calls.append(("run", args))
        return 0

    monkeypatch.setattr(demo.phantom, "run", make)
    monkeypatch.setattr(demo.workflow, "run", run)
    return calls


def verbs(called):
    return [verb for verb, _ in called]


def test_images_are_made_once_and_the_shipped_configuration_is_run(called, tmp_path):
    assert main(["demo"]) == 0
    assert verbs(called) == ["phantom", "run"]
    assert called[1][1].config == ROOT / "config/demo.yaml"
    assert (tmp_path / "results/demo_data/truth.json").is_file()
    assert main(["demo"]) == 0
    assert verbs(called)[2:] == ["run"]


def test_images_of_other_code_or_of_an_interrupted_run_are_made_again(called, tmp_path):
    data = tmp_path / "results/demo_data"
    (data / "site-01").mkdir(parents=True)
    assert main(["demo", "--images-only"]) == 0
    assert not (data / "site-01").exists()
    truth = json.loads((data / "truth.json").read_text())
    truth["generated_by"]["code"] = "another"
    (data / "truth.json").write_text(json.dumps(truth))
    assert main(["demo", "--images-only"]) == 0
    assert verbs(called) == ["phantom", "phantom"]


def test_what_is_not_of_the_demonstration_is_not_deleted(called, tmp_path, capsys):
    (tmp_path / "results/demo_data/own").mkdir(parents=True)
    assert main(["demo"]) == 2
    assert "expected the images of the demonstration alone, found own" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "results/demo_data/own").is_dir()
    assert not called


def test_a_failed_workflow_is_no_result(called, monkeypatch):
    monkeypatch.setattr(demo.workflow, "run", lambda args: 1)
    assert main(["demo"]) == 1
    assert verbs(called) == ["phantom"]
