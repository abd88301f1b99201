"""`brainpid check` and `brainpid leakage` tell the same planted leaks, and stop for none of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import verbs
from cohorts import make_config, make_tables, write_cohort, write_config

from brainpid.cli import main
from brainpid.config import slices
from brainpid.config.leakage_slice import LeakageSettings
from brainpid.config.schema import load_config

PEOPLE = 40


@pytest.fixture
def study(tmp_path):
    """Two cohorts: a person of both, a label of both, families, a feature called after age, labels that encode it."""
    rng = np.random.default_rng(5)
    for seed, name in enumerate("ab"):
        tables = make_tables(PEOPLE, seed)
        age = tables["participants"]["age"]
        label = "sub-CC110033"
        tables["dwi"]["brain_age"] = age + rng.normal(0, 8, PEOPLE)
        tables["participants"]["family"] = [f"f{k // 2}" for k in range(PEOPLE)]
        for table in tables.values():
            table.loc[7, "participant_id"] = label
        if name == "a":
            shared = {m: tables[m].iloc[3, 1:].to_numpy(dtype=float) for m in ("t1", "dwi")}
        else:
            for modality, values in shared.items():
                tables[modality].iloc[9, 1:] = values * (1 + 1e-6 * (modality == "dwi"))
        write_cohort(tmp_path / name, tables)
    return write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a", "b"], tmp_path / "out"))


def test_planted_leaks_are_told_before_a_run_and_in_it(study, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["check", "--config", str(study)]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("LEAK:", "warning:"))]
    assert any(line.startswith("LEAK: a and b, t1: 1 pair(s) have equal") for line in told)
    assert any("(a/sub-003 = b/sub-009)" in line for line in told)
    assert any("a/sub-CC110033 = b/sub-CC110033" in line for line in told)
    assert any("dwi: a feature is called after age and goes with it (brain_age" in line for line in told)
    assert any("nothing keeps them on one side of splits" in line for line in told)

    config = load_config(study)
    out = study.parent / "out"
    sheets = [out / f"participants/{cohort}.tsv" for cohort in "ab"]
    features = [out / f"features/{cohort}.h5" for cohort in "ab"]
    for cohort, sheet, merged in zip("ab", sheets, features, strict=True):
        verbs._extract(config, cohort, sheet, merged)
    people, splits, chosen = out / "participants.tsv", out / "splits.tsv", out / "features.tsv"
    verbs.run_verb(
        "split", slices.SplitSettings.of(config), "--participants", *sheets, "--features", *features,
        "--out-participants", people, "--out-splits", splits, "--out-features", chosen,
    )  # fmt: skip
    verbs.run_verb(
        "leakage", LeakageSettings.of(config), "--participants", people, "--splits", splits, "--chosen", chosen,
        "--features", *features, "--persons", out / "features/persons", "--out", out / "aggregate/leakage.tsv",
    )  # fmt: skip
    found = pd.read_csv(out / "aggregate/leakage.tsv", sep="\t")
    assert found["finding"].tolist() == [
        "equal_people",
        "called_after_target",
        "relatives_not_grouped",
        "shared_labels",
    ]
    assert found["severity"].tolist() == ["error", *["warning"] * 3]
    assert found["n"].tolist() == [1, 1, PEOPLE, 1]
    for finding in found["words"]:
        assert any(finding in line for line in told)
