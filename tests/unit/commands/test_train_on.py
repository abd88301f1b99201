"""A study that trains on controls: patients are predicted, and nothing that is learned, read or tested is from them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.core.files import read_json, read_own_tsv

CONTROLS, PATIENTS = 50, 24


def study(patients: bool = True) -> dict[str, pd.DataFrame]:
    """Controls, and between them patients of older brains, one without a diagnosis; dwi_0 differs in them alone."""
    tables = make_tables(CONTROLS, 0)
    tables["participants"]["diagnosis"] = "control"
    tables["dwi"]["dwi_0"] = 1.0
    if patients:
        more = make_tables(PATIENTS, 1, "sub-p")
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


def test_a_run_with_patients_learns_nothing_from_them(tmp_path):
    """Every file that follows from training people is, byte by byte, that of the run of the controls alone."""
    for name, patients in (("with", True), ("without", False)):
        write_cohort(tmp_path / name / "a", study(patients))
    with_them, without = (run_tables(config(tmp_path / name)) for name in ("with", "without"))

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
