"""What `explain` writes of a small study."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.commands import explain
from brainpid.evaluation.importance import importances


def test_every_feature_of_every_fold_has_numbers_and_groups_are_the_same_in_all_folds(tmp_path):
    tables = make_tables(40)
    tables["t1"]["t1_copy"] = 3 - 2 * tables["t1"]["t1_1"]
    write_cohort(tmp_path / "a", tables)
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", models=["ridge"], splits={"folds": 2, "repeats": 1},
        null={"permutations": 19, "folds": 2}, explain={"permutations": 2}, final_model=False,
    )  # fmt: skip
    out = run_tables(write_config(tmp_path / "c.yaml", config))
    folds = [pd.read_csv(out / f"folds/ridge/repeat-0_fold-{k}/importance.tsv", sep="\t") for k in range(2)]
    names = ["modality", "scope", "feature", "region", "group", "units"]
    pd.testing.assert_frame_equal(folds[0][names], folds[1][names])
    features = folds[0][folds[0]["scope"] == "feature"].set_index("feature")
    assert features.loc["t1_copy", "group"] == features.loc["t1_1", "group"]
    assert features[["change", "importance", "effect"]].notna().all(axis=None)
    assert (features["exact"] == 1).all()  # ridge is linear
    summary = pd.read_csv(out / "aggregate/importance.tsv", sep="\t")
    assert (summary["exact_folds"] == summary["n_folds"]).all()
    told = json.loads((out / "aggregate/importance.json").read_text(encoding="utf-8"))
    assert (told["MostPeople"], told["MostPeopleRead"], told["MostReads"]) == (200, 50, 300)
    assert set(summary.columns) <= set(told)


def test_people_of_a_site_that_is_left_out_are_looked_at_as_such(tmp_path, monkeypatch):
    given = []

    def noted(*args):
        given.append(args[-1].tolist())
        return importances(*args)

    monkeypatch.setattr(explain, "importances", noted)
    tables = make_tables(60)
    tables["participants"]["site"] = np.repeat(["s0", "s1"], 30)
    write_cohort(tmp_path / "a", tables)
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", models=["ridge"], splits={"scheme": "leave_one_site_out"},
        null={"permutations": 0}, explain={"permutations": 2}, final_model=False,
    )  # fmt: skip
    run_tables(write_config(tmp_path / "c.yaml", config))
    assert given == [["s0"] * 30, ["s1"] * 30]
