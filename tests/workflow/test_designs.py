"""Runs that train on controls and apply the models to patients: what is made, and what a change makes again."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from cohorts import make_config, make_tables, write_cohort
from snakemake_runs import done, planned

from brainpid.core.files import read_own_tsv

pytestmark = pytest.mark.slow


def configure(top: Path, **changes: object) -> Path:
    content = make_config(
        top, ["a", "b"], top / "out", splits={"folds": 2, "repeats": 1}, models=["ridge"], null={"permutations": 1},
        final_model=False, explain={"permutations": 0}, **changes,
    )  # fmt: skip
    path = top / "c.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def test_train_on_controls_and_apply_to_patients(tmp_path):
    for seed, name in enumerate("ab"):
        tables = make_tables(60, seed, f"sub-{name}")
        patients = tables["participants"].index % 4 == 3
        tables["participants"]["diagnosis"] = ["patient" if one else "control" for one in patients]
        tables["participants"]["hand"] = ["left" if k % 3 else "right" for k in range(60)]
        for modality in ("t1", "dwi"):
            tables[modality].loc[patients, tables[modality].columns[1:]] += 0.6
        write_cohort(tmp_path / name, tables)
    path, out = configure(tmp_path, train_on={"diagnosis": "control"}), tmp_path / "out"
    jobs = done(path)
    assert jobs["groups"] == 1
    assert jobs["train_baseline"] == 2
    predictions = read_own_tsv(out / "aggregate/predictions.tsv")
    assert predictions["trained_on"].value_counts().to_dict() == {True: 90, False: 30}
    assert read_own_tsv(out / "aggregate/accuracy.tsv")["n"].tolist() == [45, 45, 90]
    found = read_own_tsv(out / "aggregate/groups.tsv")
    pooled = found[(found["cohort"] == "pooled") & (found["pad"] == "corrected")].iloc[0]
    assert pooled["group"] == "patient"
    assert pooled["difference"] > 3
    assert pooled["p_value"] < 0.01
    assert (out / "figures/groups.svg").is_file()
    assert "Groups of people" in (out / "report.html").read_text()
    assert read_own_tsv(out / "aggregate/others.tsv")["trained_on"].tolist() == [True, False, True, False]

    assert planned(path) == {}
    # Further groups train nothing, and are compared again where their cells change.
    further = configure(tmp_path, train_on={"diagnosis": "control"}, groups=["hand"])
    assert done(further) == {"groups": 1, "report": 1}
    assert set(read_own_tsv(out / "aggregate/groups.tsv")["column"]) == {"diagnosis", "hand"}
    people = pd.read_csv(tmp_path / "a/participants.tsv", sep="\t")
    people.assign(hand="left").to_csv(tmp_path / "a/participants.tsv", sep="\t", index=False)
    assert planned(further) == {"groups": 1, "report": 1}
    people.to_csv(tmp_path / "a/participants.tsv", sep="\t", index=False)
    path = configure(tmp_path, train_on={"diagnosis": "control"})
    done(path)
    (out / "folds/ridge/repeat-0_fold-1/others.tsv").unlink()
    again = {"train_baseline": 1, "aggregate": 1, "groups": 1, "report": 1}
    assert planned(path) == again
    (tmp_path / "exclude.tsv").write_text("participant_id\treason\nsub-b000\tstroke\n")
    content = yaml.safe_load(path.read_text())
    content["cohorts"]["b"]["exclude"] = str(tmp_path / "exclude.tsv")
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    jobs = done(path)
    assert {rule: jobs.get(rule, 0) for rule in ("participants", "extract_table", "collect")} == {
        "participants": 0, "extract_table": 0, "collect": 1,
    }  # fmt: skip
    told = read_own_tsv(out / "participants.tsv").set_index("participant_id")
    assert told.loc["sub-b000", ["t1_status", "reason"]].tolist() == ["EXCLUDED", "EXCLUDED: stroke"]
    people = pd.read_csv(tmp_path / "a/participants.tsv", sep="\t")
    people.loc[0, "diagnosis"] = "patient"
    people.to_csv(tmp_path / "a/participants.tsv", sep="\t", index=False)
    assert planned(path)["participants"] == 1
    assert planned(path)["train_baseline"] == 2
