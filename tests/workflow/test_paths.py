"""A whole run where every path of input and output has a space, an umlaut and an apostrophe."""

from __future__ import annotations

import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from snakemake_runs import snakemake

pytestmark = pytest.mark.slow


def test_a_run_in_a_folder_with_space_umlaut_and_apostrophe(tmp_path):
    """One feature is constant: training, null, explanation and final model do without it, and the report says so."""
    folder = tmp_path / "Übung d'été 1"
    tables = make_tables(40)
    tables["t1"]["t1_4"] = 7.0
    tables["participants"]["family"] = [f"{k // 2:02d}" for k in range(40)]
    write_cohort(folder / "Köhlers a", tables)
    config = make_config(
        folder,
        ["Köhlers a"],
        folder / "out put",
        splits={"folds": 2, "repeats": 1, "group": "family"},
        null={"permutations": 19, "folds": 2},
        explain={"permutations": 2},
    )
    config["cohorts"] = {"a": config["cohorts"]["Köhlers a"]}
    done = snakemake(write_config(folder / "c onfig.yaml", config))
    assert done.returncode == 0, done.stderr
    out = folder / "out put"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "t1: 1 of 5 features is left out" in page
    assert "the same value, 7, in all 40 people who have one" in page
    features = pd.read_csv(out / "features.tsv", sep="\t", keep_default_na=False)
    assert features.loc[~features["included"], "feature"].tolist() == ["t1_4"]
    importance = pd.read_csv(out / "aggregate/importance.tsv", sep="\t")
    assert sorted(importance["feature"].dropna()) == [f"dwi_{k}" for k in range(4)] + [f"t1_{k}" for k in range(4)]
    assert importance["region"].isna().all()  # nothing says to which region a column belongs
    assert len(pd.read_csv(out / "null/a.tsv", sep="\t")) == 20
    assert (out / "final/ridge/model.joblib").is_file()


def test_names_that_run_into_each_other_are_kept_apart(tmp_path):
    """``t1`` in shards and a table ``t1_0``."""
    names = ["t1", "t1_0"]
    tables = make_tables(40)
    tables |= {"t1_0": tables["dwi"]}
    for cohort in ("a", "b"):
        write_cohort(tmp_path / cohort, tables)
    config = make_config(tmp_path, ["a", "b"], tmp_path / "out", modalities=names)
    for cohort, block in config["cohorts"].items():
        folder = tmp_path / cohort
        block["sources"] = {name: {"kind": "table", "path": str(folder / f"{name}.tsv")} for name in names}
        (folder / "fs/sub-000/stats").mkdir(parents=True)
        block["sources"]["t1"] = {"kind": "freesurfer", "path": str(folder / "fs")}
    done = snakemake(write_config(tmp_path / "c.yaml", config), "--dry-run", "--printshellcmds")
    assert done.returncode == 0, done.stderr
    own = [line.split("log: ")[1] for line in (done.stdout + done.stderr).splitlines() if "log: " in line]
    assert len(own) > 20
    assert len(set(own)) == len(own)


def test_a_key_that_is_given_twice_is_refused_before_files_are_merged(tmp_path):
    write_cohort(tmp_path / "a", make_tables(40))
    path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out"))
    (tmp_path / "more.yaml").write_text("splits:\n  folds: 2\n  folds: 3\n")
    done = snakemake(path, "--dry-run", "--configfile", str(path), str(tmp_path / "more.yaml"))
    assert done.returncode != 0
    assert f"{tmp_path}/more.yaml: line 3: the key 'folds' is given again, after line 2" in done.stderr
