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
    assert set(importance["scope"]) == {"modality", "feature"}  # nothing says to which region a column belongs
    assert len(pd.read_csv(out / "null/a.tsv", sep="\t")) == 20
    assert (out / "final/ridge/model.joblib").is_file()
