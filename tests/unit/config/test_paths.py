"""Spellings of one path are one path."""

from __future__ import annotations

import pytest

from brainpid.config.paths import plain_path, with_plain_paths
from brainpid.config.schema import parse_config


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
    assert plain_path("../a.tsv") == plain_path(f"{here.parent}//a.tsv") == f"{here.parent.resolve()}/a.tsv"
    assert plain_path("data/b.tsv") == "data/b.tsv"  # a link of a file stays: its JSON lies beside it
    assert plain_path(".") == plain_path("data/..") == "."


def test_every_path_of_a_configuration_is_spelt_so(here):
    def config(spell):
        table = {"kind": "table", "path": spell("data/t.tsv"), "drop": ["data//x"]}
        source = {"kind": "freesurfer", "path": spell("data/fs")}
        atlas = {"image": spell("data/a.nii"), "labels": spell("data/a.tsv")}
        return parse_config(
            {
                "output_dir": spell("out"),
                "modalities": ["t1", "tab"],
                "cohorts": {"a": {"bids": spell("data"), "participants": spell("data/p.tsv"),
                                  "sources": {"t1": source, "tab": table}}},
                "extraction": {"structural": {"atlas": atlas}},
            }, "test",
        )  # fmt: skip

    plain = config(str)
    assert with_plain_paths(plain) == plain
    assert with_plain_paths(config(lambda path: f".//{path}")) == plain
    assert with_plain_paths(config(lambda path: f"{here}/./{path}")) == plain
