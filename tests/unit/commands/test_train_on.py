"""A study that trains on controls: patients are predicted, and nothing that is learned, read or tested is from them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from report_pages import glued_sentences
from verbs import run_tables, run_verb

from brainpid.config.schema import load_config
from brainpid.config.slices import GroupsSettings, ReportSettings
from brainpid.core.files import read_json, read_own_tsv

CONTROLS, PATIENTS = 50, 24


def study(patients: bool = True) -> dict[str, pd.DataFrame]:
    """Controls, and between them patients of older brains, one without a diagnosis; dwi_0 differs in them alone."""
    tables = make_tables(CONTROLS, 0)
    tables["participants"]["diagnosis"] = "control"
    tables["participants"]["site"] = np.where(np.arange(CONTROLS) % 2, "s1", "s0")
    tables["dwi"]["dwi_0"] = 1.0
    if patients:
        more = make_tables(PATIENTS, 1, "sub-p")
        more["participants"]["site"] = np.where(np.arange(PATIENTS) % 3, "s1", "s2")
        more["participants"]["diagnosis"] = ["patient"] * (PATIENTS - 1) + [None]
        for modality in ("t1", "dwi"):
            more[modality].iloc[:, 1:] += 0.5
        for name, table in tables.items():
            mixed = pd.concat([table, more[name]]).reset_index(drop=True)
            tables[name] = mixed.iloc[np.argsort(np.arange(len(mixed)) % CONTROLS, kind="stable")]
    return tables


def config(folder: Path, **changes: object) -> Path:
    content = make_config(
        folder, ["a"], folder / "out", models=["ridge"], null={"permutations": 5}, explain={"permutations": 1},
        train_on={"diagnosis": "control"}, **changes,
    )  # fmt: skip
    return write_config(folder / "c.yaml", content)


@pytest.mark.parametrize("method", ["none", "location"])
def test_a_run_with_patients_learns_nothing_from_them(tmp_path, method):
    """Every file that follows from training people is, byte by byte, that of the run of the controls alone."""
    for name, patients in (("with", True), ("without", False)):
        write_cohort(tmp_path / name / "a", study(patients))
    further = {"harmonise": {"method": method}} if method != "none" else {}
    with_them, without = (run_tables(config(tmp_path / name, **further)) for name in ("with", "without"))

    people = read_own_tsv(with_them / "participants.tsv").set_index("participant_id")
    assert people["included"].all()
    assert people["trained_on"].sum() == CONTROLS
    assert not people.loc["sub-p000", "trained_on"]
    splits = read_own_tsv(with_them / "splits.tsv")
    others = splits[splits["role"] == "other"]
    assert others.groupby(["repeat", "participant_id"]).size().eq(1).all()
    assert others["participant_id"].nunique() == PATIENTS
    assert not splits.loc[splits["role"] != "other", "participant_id"].str.startswith("sub-p").any()

    chosen = read_own_tsv(with_them / "features.tsv").set_index("feature")["included"]
    assert chosen["dwi_1"]
    assert not chosen["dwi_0"]

    same = sorted(path.relative_to(without) for path in without.rglob("*.tsv") if "parts" not in path.parts)
    differ = {str(path) for path in same if (without / path).read_bytes() != (with_them / path).read_bytes()}
    assert differ == {"participants.tsv", "participants/a.tsv", "splits.tsv", "aggregate/predictions.tsv",
                      "aggregate/person.tsv"} | {
        str(path) for path in same if path.name == "others.tsv"
    }  # fmt: skip
    for table in ("predictions", "person"):
        both = read_own_tsv(with_them / f"aggregate/{table}.tsv")
        trained = both[both["trained_on"]].drop(columns="trained_on").reset_index(drop=True)
        pd.testing.assert_frame_equal(trained, read_own_tsv(without / f"aggregate/{table}.tsv"))
        patients = both[~both["trained_on"]]
        assert patients["participant_id"].nunique() == PATIENTS
        assert patients[["predicted_age", "pi_low", "brain_pad_corrected"]].notna().all(axis=None)
    person = read_own_tsv(with_them / "aggregate/person.tsv").groupby("trained_on")["brain_pad_corrected"].mean()
    assert person[False] - person[True] > 4
    assert read_json(with_them / "final/ridge/provenance.json")["n_train"] == CONTROLS
    assert (with_them / "final/ridge/model.joblib").read_bytes() == (without / "final/ridge/model.joblib").read_bytes()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"diagnosis": ["control", "healthy"]}, "nobody has diagnosis healthy; .* which has control, patient"),
        ({"group": "control"}, "'group'"),
    ],
)
def test_a_value_that_nobody_has_and_a_column_that_is_not_there(tmp_path, capsys, given, words):
    write_cohort(tmp_path / "a", study())
    path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out", train_on=given))
    with pytest.raises(AssertionError):
        run_tables(path)
    assert re.search(words, capsys.readouterr().err)


def test_a_cohort_of_patients_alone_is_predicted_under_every_scheme(tmp_path, caplog):
    """Cohorts a and c have controls, b has none: it is tested nowhere and predicted by models of the others."""
    for seed, name in enumerate("abc"):
        tables = make_tables(40, seed, f"sub-{name}")
        patients = np.arange(40) % 4 == 0
        tables["participants"]["diagnosis"] = np.where(patients | (name == "b"), "patient", "control")
        write_cohort(tmp_path / name, tables)
    content = make_config(
        tmp_path, list("abc"), tmp_path / "out", models=["ridge"], null={"permutations": 2},
        train_on={"diagnosis": "control"}, explain={"permutations": 0}, final_model=False,
        splits={"scheme": ["kfold", "leave_one_cohort_out"], "folds": 2, "repeats": 2},
    )  # fmt: skip
    path = write_config(tmp_path / "c.yaml", content)
    out = run_tables(path)
    assert "nobody of it is of the training group (train_on); it is not decomposed, and its people are" in caplog.text
    predictions = read_own_tsv(out / "aggregate/predictions.tsv")
    counts = predictions.groupby(["scheme", "cohort", "trained_on"], sort=False).size().to_dict()
    assert counts == {
        (scheme, cohort, trained): repeats * n
        for scheme, repeats in (("kfold", 2), ("leave_one_cohort_out", 1))
        for cohort, trained, n in (
            ("a", True, 30),
            ("c", True, 30),
            ("a", False, 10),
            ("b", False, 40),
            ("c", False, 10),
        )
    }
    left_out = predictions[(predictions["scheme"] == "leave_one_cohort_out") & (predictions["cohort"] == "b")]
    assert set(left_out["fold"]) == {1}
    assert set(read_own_tsv(out / "aggregate/transfer.tsv")["cohort"]) == {"a", "c", "pooled"}
    pid = read_own_tsv(out / "aggregate/pid.tsv")
    assert set(pid["cohort"]) == {"a", "c", "pooled"}
    run_verb(
        "groups", GroupsSettings.of(load_config(path)), "--aggregate", out / "aggregate",
        "--sheets", *(out / f"participants/{cohort}.tsv" for cohort in "abc"),
    )  # fmt: skip
    found = read_own_tsv(out / "aggregate/groups.tsv").set_index(["cohort", "pad"])
    assert "0 of the group and 0 of the reference" in found.loc[("b", "corrected"), "reason"]
    assert found.loc[("pooled", "corrected"), "n"] <= 20
    others = read_own_tsv(out / "aggregate/others.tsv")
    assert others[["cohort", "group", "n"]].to_numpy().tolist() == [
        ["a", "control", 30], ["a", "patient", 10], ["b", "patient", 40], ["c", "control", 30], ["c", "patient", 10],
    ]  # fmt: skip
    report = ReportSettings.of(load_config(path))
    run_verb("report", report, "--results", out)
    page = (out / "report.html").read_text()
    assert "Groups of people" in page
    assert glued_sentences(page) == []
