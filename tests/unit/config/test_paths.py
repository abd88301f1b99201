"""Paths of a configuration: filled in once, in one spelling."""

from __future__ import annotations

import pytest
from cohorts import make_config

from brainpid.config.paths import expanded, plain_path
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


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "study/data").mkdir(parents=True)
    (tmp_path / "study/link").symlink_to("data")
    (tmp_path / "study/data/b.tsv").symlink_to("elsewhere")
    monkeypatch.chdir(tmp_path / "study")
    return tmp_path / "study"


def test_a_path_below_the_working_directory_is_relative_and_another_is_whole(here):
    for path in ("data/a.tsv", "./data/a.tsv", "data//a.tsv", "data/../data/a.tsv", "link/a.tsv", f"{here}/data/a.tsv"):
        assert plain_path(path) == "data/a.tsv"
    assert plain_path("data/") == plain_path("../study/data") == "data"
    assert plain_path("../a.tsv") == plain_path(f"{here.parent}//a.tsv") == "../a.tsv"
    far = here.parent.parent.resolve() / "a.tsv"
    assert plain_path("../../a.tsv") == plain_path(str(far)) == str(far)
    assert plain_path("data/b.tsv") == "data/b.tsv"  # a link of a file stays: its JSON lies beside it
    assert plain_path(".") == plain_path("data/..") == "."


def test_every_path_of_a_configuration_is_spelt_so(here):
    def config(spell):
        table = {"kind": "table", "path": spell("data/t.tsv"), "drop": ["data//x"]}
        source = {"kind": "freesurfer", "path": spell("data/fs")}
        atlas = {"image": spell("data/a.nii"), "labels": spell("data/a.tsv")}
        return parse_config(
            {
                "output_dir": "out",
                "modalities": ["t1", "tab"],
                "cohorts": {"a": {"bids": spell("data"), "participants": spell("data/p.tsv"),
                                  "sources": {"t1": source, "tab": table}}},
                "extraction": {"structural": {"atlas": atlas}},
            }, "test",
        )  # fmt: skip

    plain = config(str)
    assert config(lambda path: f".//{path}") == plain
    assert config(lambda path: f"{here}/./{path}") == plain
