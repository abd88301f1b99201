"""`brainpid pid` on any table: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from brainpid.cli import main

SOURCES = ["--source", "t1=t1_*", "--source", "dwi=dwi_*"]


@pytest.fixture
def table(tmp_path):
    """A table in which both sources tell something, and the rest of the columns nothing."""
    rng = np.random.default_rng(0)
    n = 200
    age = rng.uniform(20, 80, n)
    z = (age - 50) / 17
    content = {"participant_id": [f"sub-{k:03d}" for k in range(n)], "age": age, "site": "one"}
    for m, gain in (("t1", 1.0), ("dwi", 0.5)):
        content |= {f"{m}_{k}": gain * z + rng.normal(size=n) for k in range(3)}
    path = tmp_path / "people.tsv"
    pd.DataFrame(content).to_csv(path, sep="\t", index=False)
    return path


def pid(table, *options: str) -> int:
    return main(["pid", str(table), "--target", "age", *options])


def test_it_prints_what_is_known_and_what_cannot_be_said(table, capsys):
    assert pid(table, *SOURCES, "--permutations", "99") == 0
    text = " ".join(capsys.readouterr().out.split())
    for word in ("ridge latents, n = 200", "mmi: all sources", "idep: one source against the rest", "added"):
        assert word in text
    assert "At most one modality has unique information under it" in text
    assert "no shares are given" in text


def test_it_writes_tables_figures_and_provenance(table, tmp_path):
    out = tmp_path / "out"
    assert pid(table, *SOURCES, "--permutations", "99", "--out", str(out)) == 0
    files = {"pid.tsv", "pid.json", "pid.svg", "normality.tsv", "normality.svg", "provenance.json"}
    assert {path.name for path in out.iterdir()} == files
    rows = pd.read_csv(out / "pid.tsv", sep="\t")
    columns = (
        "measure scope modalities atom bits bits_raw se ci_low ci_high share p_value n model estimator given se_factor "
        "age_sd age_low age_high"
    )
    assert " ".join(rows) == columns
    assert set(rows["measure"]) == {"mmi", "idep"}
    total = rows[(rows["scope"] == "all") & (rows["atom"] == "total")]
    assert total["bits"].between(0.5, 1.5).all()
    tested = rows[rows["model"] == "ridge_within_cohort"]
    assert (tested["p_value"] == 0.01).all()
    assert set(tested["atom"]) == {"total", "added"}
    assert rows.loc[rows["model"] == "ridge", "p_value"].isna().all()
    assert rows.loc[rows["model"] == "ridge", "se_factor"].between(1, 1.2).all()
    described = json.loads((out / "pid.json").read_text())
    assert set(rows) - {"bits_raw"} <= set(described)
    assert json.loads((out / "provenance.json").read_text())["settings"]["encoder"] == "ridge"


def test_the_same_call_gives_the_same_bytes(table, tmp_path):
    written = []
    for folder in ("one", "two"):
        assert pid(table, *SOURCES, "--permutations", "19", "--out", str(tmp_path / folder)) == 0
        written.append([(tmp_path / folder / name).read_bytes() for name in ("pid.tsv", "pid.svg", "normality.tsv")])
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "options", [["--encoder", "pls"], ["--encoder", "pls", "--wide", "--folds", "4"], ["--encoder", "none"]]
)
def test_other_encoders_agree_on_an_easy_table(table, tmp_path, options):
    assert pid(table, *SOURCES, "--permutations", "0", "--out", str(tmp_path / "out"), *options) == 0
    rows = pd.read_csv(tmp_path / "out/pid.tsv", sep="\t")
    assert rows.loc[0, "bits"] == pytest.approx(1.05, abs=0.2)
    assert rows["p_value"].isna().all()


def test_components_fall_back_to_one_scalar_where_folds_are_small(table, caplog):
    assert pid(table, *SOURCES, "--permutations", "0", "--encoder", "pls", "--wide", "--folds", "50") == 0
    assert "folds of about 4 people are too few for 4 latent dimensions: one scalar a source" in caplog.text


def test_people_without_a_source_are_left_out_and_counted(table, capsys, caplog):
    rows = pd.read_csv(table, sep="\t")
    rows.loc[:4, ["dwi_0", "dwi_1", "dwi_2"]] = np.nan
    rows.loc[9, "t1_0"] = np.nan
    rows.to_csv(table, sep="\t", index=False, na_rep="n/a")
    assert pid(table, *SOURCES, "--permutations", "0") == 0
    assert "n = 195" in capsys.readouterr().out
    assert "5 people are left out for missing values of 'dwi'" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "t1=t1_*", "--source", "dwi=dwy_*"], "'dwy_*' of source 'dwi' matches no column; did you mean"),
        (["--source", "t1=t1_*", "--source", "dwi=dwi_*,t1_0"], "column 't1_0' is in both 't1' and 'dwi'"),
        (["--source", "t1=t1_*", "--source", "t1=dwi_*"], "'t1' is given twice"),
        (["--source", "t1_*"], "expected NAME=PATTERN"),
        (["--source", "t1=t1_*"], "1 modalities given; expected 2 to 10"),
        (["--source", "t1=t1_*", "--source", "dwi=site"], "line 2 (sub-000), column 'site': expected a number or n/a"),
        ([*SOURCES, "--folds", "150"], "n = 200 people are too few for 150 folds"),
        ([*SOURCES, "--wide"], "--wide needs --encoder pls"),
        ([*SOURCES, "--folds", "1"], "--folds: expected 2 or more, found 1"),
        ([*SOURCES, "--confidence", "2"], "confidence is 2.0"),
        ([*SOURCES, "--repeats", "-1"], "--repeats: expected 1 or more, found -1"),
        ([*SOURCES, "--repeats", "0"], "--repeats: expected 1 or more, found 0"),
        ([*SOURCES, "--seed", "-1"], "--seed: expected 0 or more, found -1"),
        ([*SOURCES, "--components", "0"], "--components: expected 1 or more, found 0"),
        ([*SOURCES, "--permutations", "-5"], "--permutations: expected 0 or more, found -5"),
        ([*SOURCES, "--threads", "0"], "--threads: expected 1 or more, found 0"),
        ([*SOURCES, "--confidence", "nan"], "confidence is nan"),
        ([*SOURCES, "--measure", "mmi", "mmi"], "--measure: given twice in mmi mmi"),
        (["--source", "t1+=t1_*", "--source", "dwi=dwi_*"], "modality name 't1+' is empty or contains '+'"),
        ([*SOURCES, "--target", "Age"], "expected a column 'Age' (the target)"),
    ],
)
def test_bad_input_is_refused_in_one_paragraph(table, tmp_path, capsys, options, message):
    assert pid(table, *options, "--out", str(tmp_path / "out")) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_codes_for_no_value_are_said(table, caplog):
    content = pd.read_csv(table, sep="\t")
    content.loc[[4, 8], "t1_1"] = -9999
    content.loc[[5, 6], "age"] = 999
    content.to_csv(table, sep="\t", index=False)
    assert pid(table, *SOURCES, "--permutations", "0", "--measure", "mmi") == 0
    assert "column 't1_1': -9999 stands in 2 of 200 people, first sub-004" in caplog.text
    assert "column 'age': 999 stands in 2 of 200 people, first sub-005" in caplog.text


def test_a_name_is_taken_before_a_pattern(table, tmp_path):
    """Brackets of a unit, and commas, are part of a name."""
    content = pd.read_csv(table, sep="\t").rename(columns={"t1_0": "Vol [mm3]", "t1_1": "Vol, left", "t1_2": "V"})
    content.to_csv(table, sep="\t", index=False)
    sources = ["--source", "t1=Vol [mm3],Vol, left", "--source", "dwi=dwi_*"]
    assert pid(table, *sources, "--permutations", "0", "--measure", "mmi") == 0


def test_nothing_is_read_or_computed_before_options_and_place_are_checked(tmp_path, capsys, monkeypatch):
    """The table does not exist, and would be missed first."""
    (tmp_path / "file").touch()
    for options, message in (
        (["--confidence", "95"], "confidence is 95.0"),
        (["--seed", "-1"], "--seed: expected 0 or more"),
        (["--out", str(tmp_path / "file")], f"found that {tmp_path}/file is a file"),
        (["--out", str(tmp_path / "file/deeper")], f"found that {tmp_path}/file is a file"),
    ):
        assert pid(tmp_path / "none.tsv", *SOURCES, *options) == 2
        assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("again", ["sub-003", "003", " sub-003"])
def test_a_person_with_several_rows_is_refused(table, capsys, again):
    rows = pd.read_csv(table, sep="\t")
    rows.loc[7, "participant_id"] = again
    rows.to_csv(table, sep="\t", index=False)
    assert pid(table, *SOURCES, "--permutations", "0") == 2
    message = " ".join(capsys.readouterr().err.split())
    assert (
        "participant_id must be unique, found more than once: sub-003 (lines 5, 9); expected one row a person"
        in message
    )


@pytest.fixture
def visits(tmp_path):
    """Three rows a person; dwi tells who it is and nothing of age."""
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(40), 3)
    age = rng.uniform(20, 80, 40)[person] + np.tile([0.0, 1, 2], 40)
    own = rng.normal(size=(40, 40))[person]
    content = {"participant_id": [f"sub-{k:03d}" for k in person], "age": age, "family": person // 2}
    content |= {f"t1_{k}": (age - 50) / 17 + 2 * rng.normal(size=120) for k in range(4)}
    content |= {f"dwi_{k}": own[:, k] + 0.2 * rng.normal(size=120) for k in range(40)}
    pd.DataFrame(content).to_csv(tmp_path / "visits.csv", index=False)
    return tmp_path / "visits.csv"


def test_rows_of_a_group_are_held_out_permuted_and_counted_together(visits, tmp_path):
    def added(*options: str) -> dict[str, float]:
        assert pid(visits, *SOURCES, "--permutations", "99", "--repeats", "1", "--out", f"{tmp_path}/o", *options) == 0
        rows = pd.read_csv(tmp_path / "o/pid.tsv", sep="\t")
        rows = rows[(rows["modalities"] == "dwi") & (rows["atom"] == "added") & (rows["measure"] == "idep")]
        model, tested = rows.set_index("model").loc[["ridge", "ridge_within_cohort"]].to_dict("records")
        return model | {"p_value": tested["p_value"]}

    for group in ("participant_id", "family"):
        found = added("--group", group)
        assert found["bits"] < 0.1
        assert found["p_value"] > 0.05
        assert found["n"] == 120
    rows = pd.read_csv(visits)
    rows.assign(participant_id=[f"s{k}" for k in range(120)]).to_csv(visits, index=False)
    assert added()["p_value"] == 0.01
    assert added()["bits"] > 0.2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "or --group participant_id, which keeps a person's rows together"),
        (["--group", "visit"], "rows of sub-000, sub-001, sub-002"),
        (["--group", "none"], "none"),
        (["--group", "age"], "--group: expected another column than the target, 'age'"),
        (["--group", "one"], "all 120 rows are of one group of 'one'; expected at least 2"),
    ],
)
def test_groups_that_do_not_hold_people_together_are_refused(visits, capsys, options, message):
    rows = pd.read_csv(visits)
    rows.assign(visit=np.tile([1, 2, 3], 40), one="x").to_csv(visits, index=False)
    assert pid(visits, *SOURCES, "--permutations", "0", *options) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_without_two_groups_of_one_size_there_are_no_p_values(visits, tmp_path, caplog):
    rows = pd.read_csv(visits).drop(columns="participant_id").iloc[:105]
    rows.assign(family=np.repeat(np.arange(14), np.arange(1, 15))).to_csv(visits, index=False)
    assert pid(visits, *SOURCES, "--group", "family", "--folds", "5", "--repeats", "1", "--out", f"{tmp_path}/o") == 0
    assert pd.read_csv(tmp_path / "o/pid.tsv", sep="\t")["p_value"].isna().all()
    assert "no p-values: no two groups of 'family' have the same size" in caplog.text
    assert "fewer than" not in caplog.text
    assert pid(visits, *SOURCES, "--group", "family", "--folds", "16", "--repeats", "1", "--permutations", "0") == 0
    assert "14 groups of 'family' are fewer than 16 folds" in caplog.text
