"""Paths of a configuration: filled in once, in one spelling."""

from __future__ import annotations

import pytest
from cohorts import make_config

from brainpid.config.paths import expanded
from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("STUDY", "/data/my study")
    monkeypatch.delenv("NOWHERE", raising=False)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("~/out", "/home/ann/out"), ("$HOME/out", "/home/ann/out"), ("${STUDY}/a", "/data/my study/a"),
        ("./out/", "out"), ("a//b/./c", "a/b/c"), ("a/../b", "a/../b"), ("o'brien & sons/x y", "o'brien & sons/x y"),
        ("a~b", "a~b"),
    ],
)  # fmt: skip
def test_filled_in_once(given, path):
    assert expanded(given) == path
    assert expanded(path) == path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("${NOWHERE}/out", "'${NOWHERE}' of the path is no variable"), ("$NOWHERE", "is no variable"),
        ("a{cohort}", "'{' has a meaning of its own"), ("a}b", "'}' has a meaning of its own"),
        ("~nobody_of_this_name/x", "'~' is followed by no user"), ("", "expected a path"), ("  ", "expected a path"),
        ("a\nb", "without line breaks"),
    ],
)  # fmt: skip
def test_what_no_path_may_be(given, message):
    with pytest.raises(ValueError, match="path") as error:
        expanded(given)
    assert message in str(error.value)


def test_every_path_of_a_configuration(tmp_path):
    content = make_config(tmp_path, ["a"], "~/out")
    content["cohorts"]["a"]["bids"] = "$STUDY"
    content["cohorts"]["a"]["participants"] = "$STUDY/people.tsv"
    content["cohorts"]["a"]["sources"]["t1"] = {"kind": "freesurfer", "path": "~/fs"}
    content["extraction"] = {"structural": {"atlas": {"image": "~/a.nii", "labels": "~/a.tsv"}}}
    config = parse_config(content, "test")
    cohort = config.cohorts["a"]
    assert config.output_dir == "/home/ann/out"
    assert (cohort.bids, cohort.participants_path) == ("/data/my study", "/data/my study/people.tsv")
    assert cohort.sources["t1"].path == "/home/ann/fs"
    assert config.extraction.structural.atlas.image == "/home/ann/a.nii"
    with pytest.raises(InputError, match=r"output_dir: '\{' has a meaning of its own in a workflow.*, found '\{x\}'"):
        parse_config(content | {"output_dir": "{x}"}, "test")
