"""What `plan` writes and says of a small finished run, and what it refuses."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.cli import main

OPTIONS = ("--to", "2,1.5", "--repeats", "1", "--units", "weeks")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Output folder of a run of 100 people with families, whose first model is not the reader."""
    folder = tmp_path_factory.mktemp("plan")
    tables = make_tables(100)
    tables["participants"]["family"] = [f"f{k // 2}" for k in range(100)]
    write_cohort(folder / "a", tables)
    config = make_config(
        folder, ["a"], folder / "out", models=["elastic_net", "ridge"],
        splits={"folds": 2, "repeats": 1, "group": "family"},
        hyperparameters={"ridge": {"alphas": 7}, "elastic_net": {"alphas": 5, "l1_ratios": [0.5]}},
        null={"permutations": 0, "folds": 2}, explain={"permutations": 0}, final_model=False,
    )  # fmt: skip
    return run_tables(write_config(folder / "c.yaml", config))


def refused(capsys, *options):
    """Message of a call that is refused as bad input."""
    assert main(["plan", *map(str, options)]) == 2
    return " ".join(capsys.readouterr().err.split())


def test_a_finished_run_is_continued(finished, capsys):
    assert main(["plan", str(finished), *OPTIONS]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3
    assert said[0].startswith("With 200 people instead of 100, Elastic net is expected to be off by ")
    assert " weeks instead of " in said[0]
    table = pd.read_csv(finished / "plan/plan.tsv", sep="\t")
    assert set(table["model"]) == {"elastic_net"}
    expected = table[table["kind"] == "expected"]
    names = {("mae", m) for m in ("t1", "dwi", "t1+dwi")} | {("total", "t1+dwi")}
    names |= {(atom, m) for atom in ("alone", "added") for m in ("t1", "dwi")}
    assert set(zip(expected["quantity"], expected["modalities"], strict=True)) == names
    assert (expected.groupby(["quantity", "modalities"])["n"].agg(list).map(tuple) == (150, 200)).all()
    assert (expected["ci_low"] < expected["value"]).all()
    assert (expected["value"] < expected["ci_high"]).all()
    assert set(table["units"]) == {"weeks", "bits"}
    # Now is what the run itself says.
    now = table[table["kind"] == "observed"].set_index(["quantity", "modalities"])["value"]
    accuracy = pd.read_csv(finished / "aggregate/accuracy.tsv", sep="\t").set_index("model")
    assert now["mae", "t1+dwi"] == pytest.approx(accuracy.loc["elastic_net", "mae"])
    pid = pd.read_csv(finished / "aggregate/pid.tsv", sep="\t")
    pid = pid[(pid["model"] == "elastic_net") & (pid["estimator"] == "log_score") & (pid["measure"] == "mmi")]
    bits = pid[pid["scope"] == "one_vs_rest"].set_index(["atom", "modalities"])["bits"]
    for quantity in (("alone", "t1"), ("added", "t1"), ("alone", "dwi"), ("added", "dwi")):
        assert now[quantity] == pytest.approx(bits[quantity], abs=1e-6)
    told = json.loads((finished / "plan/plan.json").read_text(encoding="utf-8"))
    assert set(table.columns) <= set(told)
    assert set(table["quantity"]) <= set(told["quantity"]["Levels"])
    assert set(table["kind"]) == set(told["kind"]["Levels"])
    settings = json.loads((finished / "plan/provenance.json").read_text(encoding="utf-8"))["settings"]
    assert settings["hyperparameters"]["alphas"] == 7
    assert settings["n"] == 100
    assert "mean absolute error (weeks)" in (finished / "plan/plan.svg").read_text(encoding="utf-8")


def test_the_same_again_gives_the_same_bytes(finished, tmp_path):
    assert main(["plan", str(finished), *OPTIONS, "--out", str(tmp_path)]) == 0
    for file in ("plan.tsv", "plan.svg", "plan.json", "provenance.json"):
        assert (tmp_path / file).read_bytes() == (finished / "plan" / file).read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "3"], "--to: expected multiples of the present number of people above 0 and up to 2, found 3"),
        (["--to", "1.5,2.1"], "a whole population cannot be told"),
        (["--to", "1"], "--to: expected multiples above 1, found 1"),
        (["--to", "double"], "--to: expected numbers joined with commas, such as 1.5,2, found 'double'"),
        (["--repeats", "0"], "--repeats: expected 1 or more, found 0"),
        (["--threads", "0"], "--threads: expected 1 or more, found 0"),
    ],
)
def test_what_cannot_be_told_is_refused(finished, tmp_path, capsys, options, words):
    assert words in refused(capsys, finished, *options, "--out", tmp_path / "no")
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("null/a.json", "null/a.json: expected the key 'se_factor', found"),
        ("folds/elastic_net/repeat-0_fold-0/provenance.json", "provenance.json: expected the key 'settings', found"),
        ("aggregate/provenance.json", "provenance.json: expected the key 'settings', found"),
        ("splits.tsv", "splits.tsv: the file does not exist"),
        ("features/a.h5", "features/a.h5: the feature file does not exist"),
    ],
)
def test_a_run_that_lacks_something_is_refused(finished, tmp_path, capsys, file, words):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / file).unlink()
    if file.endswith(".json"):
        (tmp_path / "run" / file).write_text('{"other": 1}')
    assert words in refused(capsys, tmp_path / "run", *OPTIONS)


def test_what_is_no_finished_run_is_refused(tmp_path, capsys):
    assert "expected the output folder of a finished run; aggregate/provenance.json does not exist" in refused(
        capsys, tmp_path
    )
