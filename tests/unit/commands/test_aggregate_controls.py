"""A study of two sites from tables to aggregate: what is beyond the site, what the site tells, and tests of both."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from cohorts import write_config
from verbs import run_tables

from brainpid.cli import main
from brainpid.core.files import read_own_tsv


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Configuration and folder: t1 tells the site alone, dwi the age within sites; motion is noise."""
    folder = tmp_path_factory.mktemp("controls")
    rng, n = np.random.default_rng(0), 120
    people = [f"sub-{k:03d}" for k in range(n)]
    site = np.arange(n) % 2
    z = rng.standard_normal(n)
    tables = {
        "participants": {"age": (40 + 20 * site + 5 * z).round(2), "site": np.array(["x", "y"])[site]},
        "t1": {f"a{k}": 4 * site + rng.standard_normal(n) for k in range(3)},
        "dwi": {f"b{k}": z + 0.5 * rng.standard_normal(n) for k in range(3)},
        "motion": {"fd": rng.standard_normal(n)},
    }
    for name, columns in tables.items():
        frame = pd.DataFrame({"participant_id": people} | columns)
        frame.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    sources = {m: {"kind": "table", "path": f"{folder}/{m}.tsv"} for m in ("t1", "dwi")}
    config = {
        "output_dir": f"{folder}/out", "modalities": ["t1", "dwi"], "models": ["ridge"], "final_model": False,
        "cohorts": {"a": {"participants": f"{folder}/participants.tsv", "sources": sources}},
        "splits": {"folds": 4, "repeats": 1}, "explain": {"permutations": 0}, "null": {"permutations": 19},
        "controls": [{"table": f"{folder}/motion.tsv", "columns": ["fd"]}],
    }  # fmt: skip
    return write_config(folder / "c.yaml", config), folder


@pytest.fixture(scope="module")
def tables(study):
    out = run_tables(study[0])
    return {name: read_own_tsv(out / f"aggregate/{name}.tsv") for name in ("pid", "controls", "null")}


def test_what_is_told_beyond_the_site_is_the_age_within_it(tables):
    pid = tables["pid"].assign(given=tables["pid"]["given"].fillna(""))
    own = pid[(pid["model"] == "ridge") & (pid["estimator"] == "log_score") & (pid["measure"] == "mmi")]
    bits = own[own["scope"] == "one_vs_rest"].set_index(["given", "modalities", "atom"])["bits"].sort_index()
    assert set(own["given"]) == {"", "site", "site+motion"}
    assert bits["", "t1", "alone"] > 0.5
    for given in ("site", "site+motion"):
        assert abs(bits[given, "t1", "alone"]) < 0.03
        assert bits[given, "dwi", "added"] > 0.3


def test_tests_are_beyond_all_controls_too(tables):
    null = tables["null"].assign(given=tables["null"]["given"].fillna("")).set_index(["given", "atom", "modalities"])
    assert set(null.index.get_level_values("given")) == {"", "site+motion"}
    assert null.loc[("site+motion", "total", "t1+dwi"), "p_value"] == pytest.approx(1 / 20)
    assert null.loc[("site+motion", "added", "t1"), "p_value"] > 0.05
    assert null.loc[("site+motion", "added", "dwi"), "p_value"] == pytest.approx(1 / 20)


def test_standard_errors_are_widened_by_what_was_estimated_beyond_the_same_controls(tables, study):
    told = json.loads((study[1] / "out/null/a.json").read_text())
    expected = {"": told["se_factor"], **told["se_factor_given"]}
    assert set(expected) == {"", "site", "site+motion"}
    assert len(set(expected.values())) > 1
    own = tables["pid"][tables["pid"]["model"] == "ridge"].assign(given=tables["pid"]["given"].fillna(""))
    assert own.groupby("given")["se_factor"].unique().map(list).to_dict() == {
        given: [pytest.approx(factor)] for given, factor in expected.items()
    }


def test_nuisance_by_itself_and_the_site_from_features(tables):
    own = tables["controls"].assign(given=tables["controls"]["given"].fillna("")).set_index(["kind", "name", "given"])
    assert own.loc[("control", "site", ""), "bits"] > 0.5
    assert abs(own.loc[("control", "motion", "site"), "bits"]) < 0.03
    assert own.loc[("modality", "t1", ""), "balanced_accuracy"] > 0.95
    assert own.loc[("modality", "dwi", ""), "balanced_accuracy"] == pytest.approx(0.5, abs=0.15)
    assert own.loc[("model", "ridge", ""), "r2_within_site"] < own.loc[("model", "ridge", ""), "r2"]


def test_check_says_what_is_given_and_names_a_column_that_is_not_there(study, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    path, folder = study
    assert main(["check", "--config", str(path)]) == 0
    assert "also given beyond site + motion (`controls`; site by itself, for a cohort has several)" in (
        capsys.readouterr().out
    )
    wrong = folder / "wrong.yaml"
    wrong.write_text(path.read_text().replace("fd", "fdd"))
    assert main(["check", "--config", str(wrong)]) == 2
    assert "motion.tsv: expected a column 'fdd'" in capsys.readouterr().err
