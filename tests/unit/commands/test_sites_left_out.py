"""Sites left out from the participants tables to the tables of results, by the verbs one after the other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from report_pages import glued_sentences
from verbs import run_tables, run_verb

from brainpid.cohort.participants import read_participants, read_sites
from brainpid.cohort.schemes import sites_of
from brainpid.config.schema import load_config
from brainpid.config.slices import ParticipantsSettings, ReportSettings
from brainpid.core.errors import InputError
from brainpid.core.files import read_json, read_own_tsv
from brainpid.report.calibration_columns import CALIBRATION_COLUMNS


def test_sites_read_beforehand_are_those_of_the_sheet(tmp_path):
    table = make_tables(8)["participants"]
    table["site"] = ["01", " b ", "01", None, " ", "b", "c", "1"]
    write_cohort(tmp_path / "a", make_tables(8) | {"participants": table})
    config = load_config(write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out")))
    sheet = read_participants("a", ParticipantsSettings.of(config, "a"))
    path = config.cohorts["a"].participants_path
    assert read_sites(path, "site", "a") == sites_of(sheet)["a"] == ["01", "b", "a", "c", "1"]
    table.drop(columns="site").to_csv(path, sep="\t", index=False)
    assert read_sites(path, "site", "a") == ["a"]
    with pytest.raises(InputError, match="scanner"):
        read_sites(path, "scanner", "a")


def test_a_run_with_sites_left_out_one_of_which_has_nobody(tmp_path):
    tables = make_tables(45)
    tables["participants"]["site"] = np.repeat(["s0", "s1", "s2"], [20, 20, 5])
    for name in ("t1", "dwi"):
        tables[name] = tables[name].iloc[:40]
    write_cohort(tmp_path / "a", tables)
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", splits={"scheme": "leave_one_site_out"}, models=["ridge"],
        null={"permutations": 0}, final_model=False,
    )  # fmt: skip
    out = run_tables(write_config(tmp_path / "c.yaml", config))
    splits = read_own_tsv(out / "splits.tsv")
    assert splits[splits["fold"] == 2]["role"].unique().tolist() == ["train"]
    assert read_own_tsv(out / "folds/ridge/repeat-0_fold-2/predictions.tsv").empty
    accuracy = read_own_tsv(out / "aggregate/accuracy.tsv")
    assert accuracy[["scheme", "n"]].to_numpy().tolist() == [["leave_one_site_out", 40]]
    predictions = read_own_tsv(out / "aggregate/predictions.tsv")
    assert pd.crosstab(predictions["site"], predictions["fold"]).to_numpy().tolist() == [[20, 0], [0, 20]]
    assert "scheme" not in predictions
    assert not (out / "aggregate/transfer.tsv").exists()
    local = read_own_tsv(out / "aggregate/calibration.tsv")
    assert (len(local), list(local)) == (0, list(CALIBRATION_COLUMNS))  # two sites say nothing of a third
    about = read_json(out / "aggregate/calibration.json")
    assert about["Learned"] == {}
    assert about["mae"] == {"Description": CALIBRATION_COLUMNS["mae"]}
    assert not read_own_tsv(out / "aggregate/pid.tsv").empty


def test_people_of_a_site_that_is_left_out_are_read_as_such_to_the_end(tmp_path):
    """Reference ages bring the verb that scores the folds' predictions again."""
    tables = make_tables(80)
    tables["participants"]["site"] = np.repeat(["s0", "s1", "s2", "s3"], 20)
    write_cohort(tmp_path / "a", tables)
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", splits={"scheme": ["kfold", "leave_one_site_out"], "folds": 2, "repeats": 1},
        models=["ridge"], null={"permutations": 0}, explain={"permutations": 0}, final_model=False,
        reference_ages={"range": [20, 80]},
    )  # fmt: skip
    path = write_config(tmp_path / "c.yaml", config)
    out = run_tables(path)
    run_verb("report", ReportSettings.of(load_config(path)), "--results", out)
    predictions = read_own_tsv(out / "aggregate/predictions.tsv")
    left = predictions["scheme"] == "leave_one_site_out"
    assert predictions.loc[left, "site_seen"].eq("no").all()
    assert predictions.loc[~left, "site_seen"].eq("yes").all()
    assert predictions["pi_width_known_site"].notna().eq(left).all()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert glued_sentences(page) == []
    assert "Intervals of 80 people whose site training had not seen are calibrated on training sites" in page
    assert "calibrated on inner folds that left whole sites out" in page
