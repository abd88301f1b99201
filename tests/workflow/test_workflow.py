"""Real Snakemake runs: what is made, and what is made again."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from snakemake_runs import SOURCES, planned, snakemake

from brainpid.cli import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder with two cohorts, their configuration and a finished run; the code that ran is a copy in the folder.

    In cohort a the first 12 people have no dwi and the next two have no t1; the last one has neither.
    """
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(SOURCES / "brainpid", folder / "src" / "brainpid", ignore=shutil.ignore_patterns("__pycache__"))
    for seed, cohort in enumerate(("a", "b")):
        tables = make_tables(60, seed)
        if cohort == "a":
            tables["dwi"], tables["t1"] = tables["dwi"].iloc[12:-1], tables["t1"].drop([12, 13, 59])
        write_cohort(folder / cohort, tables)
    models = ["pidreg", "ridge", "gradient_boosting"]
    config = make_config(folder, ["a", "b"], folder / "out", models=models, splits={"folds": 2, "repeats": 1})
    write_config(folder / "c.yaml", config)
    done = snakemake(folder / "c.yaml", source=folder / "src")
    assert done.returncode == 0, done.stderr
    return folder, config


@pytest.fixture
def run(finished, tmp_path):
    """The finished run; what a test changes in its output is put back afterwards."""
    folder, config = finished
    backup = tmp_path / "backup"
    shutil.copytree(folder, backup)  # copytree keeps times of modification
    yield folder, config
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)


CONTRACT = {
    "participants.tsv": "participant_id cohort site age sex t1_status t1_reason dwi_status dwi_reason included reason",
    "splits.tsv": "participant_id cohort repeat fold role",
    "features.tsv": "modality feature units n included reason",
    "aggregate/accuracy.tsv": (
        "cohort scheme model modalities n mae mae_ci_low mae_ci_high rmse r2 pearson_r mae_corrected"
    ),
    "aggregate/predictions.tsv": (
        "participant_id cohort site age model repeat fold predicted_age predicted_age_corrected brain_pad "
        "brain_pad_corrected pi_low pi_high modalities"
    ),
    "aggregate/importance.tsv": (
        "modality scope feature region units change change_sd importance importance_sd effect effect_sd sign_agreement "
        "rank rank_sd n_folds"
    ),
    "aggregate/selection.tsv": "modalities cost n mae mae_ci_low mae_ci_high information_bits recommended",
    "aggregate/comparison.tsv": "cohort model reference modalities n difference ci_low ci_high",
    "aggregate/pid.tsv": ("cohort model measure scope modalities atom bits se ci_low ci_high share p_value n n_folds"),
}


@pytest.mark.parametrize("table", CONTRACT)
def test_tables_have_the_columns_of_the_contract(finished, table):
    found = pd.read_csv(finished[0] / "out" / table, sep="\t", na_values="n/a")
    assert list(found) == CONTRACT[table].split()
    assert len(found) > 0


def test_everything_is_made(finished):
    out = finished[0] / "out"
    for name in (
        "report.html",
        "dataset_description.json",
        "figures/selection.svg",
        "features/a.h5",
        "final/pidreg/model.pt",
        "figures/importance.svg",
    ):
        assert (out / name).is_file()
    for model, file in (("pidreg", "model.pt"), ("ridge", "model.joblib")):
        fold = out / "folds" / model / "repeat-0_fold-1"
        for name in (file, "predictions.tsv", "pid.tsv", "history.tsv", "provenance.json"):
            assert (fold / name).is_file()
    accuracy = pd.read_csv(out / "aggregate/accuracy.tsv", sep="\t")
    assert set(accuracy["cohort"]) == {"a", "b", "pooled"}
    page = (out / "report.html").read_text()
    assert not re.search(r"<script|<link|(src|href)=\"https?:", page)  # opens without a network


def test_people_who_lack_a_modality_are_predicted_and_told_apart(finished):
    out = finished[0] / "out"
    people = pd.read_csv(out / "participants.tsv", sep="\t", keep_default_na=False)
    left_out = people[~people["included"]]
    assert left_out["participant_id"].tolist() == ["sub-059"]
    assert "t1 UNAVAILABLE: no row in" in left_out["reason"].iloc[0]
    predictions = pd.read_csv(out / "aggregate/predictions.tsv", sep="\t")
    of_a = predictions[(predictions["cohort"] == "a") & (predictions["model"] == "ridge")]
    assert of_a["modalities"].value_counts().to_dict() == {"t1+dwi": 45, "t1": 12, "dwi": 2}
    assert predictions[["predicted_age", "pi_low", "pi_high"]].notna().all(axis=None)
    accuracy = pd.read_csv(out / "aggregate/accuracy.tsv", sep="\t")
    rows = accuracy[(accuracy["cohort"] == "a") & (accuracy["model"] == "pidreg")]
    assert rows[["modalities", "n"]].to_numpy().tolist() == [["t1+dwi", 45], ["t1", 12]]
    pid = pd.read_csv(out / "aggregate/pid.tsv", sep="\t")
    assert set(pid.loc[pid["cohort"] == "a", "n"]) == {45}
    assert pd.read_csv(out / "null/a.tsv", sep="\t")["n"].eq(45).all()


def test_one_subset_is_recommended_and_the_full_one_is_the_model(finished):
    out = finished[0] / "out"
    table = pd.read_csv(out / "aggregate/selection.tsv", sep="\t")
    assert table["modalities"].tolist() == ["t1", "dwi", "t1+dwi"]
    assert table["recommended"].sum() == 1
    predictions = pd.read_csv(out / "aggregate/predictions.tsv", sep="\t")
    rows = predictions[(predictions["model"] == "pidreg") & (predictions["modalities"] == "t1+dwi")]
    assert table["n"].tolist() == [len(rows)] * 3
    error = (rows["predicted_age"] - rows["age"]).abs().mean()
    assert table.set_index("modalities")["mae"]["t1+dwi"] == pytest.approx(error)
    nested = json.loads((out / "aggregate/selection.json").read_text())["Nested"]
    assert sum(nested["chosen"].values()) == 2  # folds


def test_the_final_model_predicts_a_cohort_from_what_its_people_have(finished, tmp_path):
    folder, _ = finished
    model = folder / "out/final/pidreg"
    options = ["--config", folder / "c.yaml", "--cohorts", "a", "--out", tmp_path / "new.tsv"]
    assert main(list(map(str, ["predict", "--model", model, *options]))) == 0
    found = pd.read_csv(tmp_path / "new.tsv", sep="\t", keep_default_na=False, na_values="n/a")
    assert found["modalities"].value_counts(dropna=False).to_dict() == {"t1+dwi": 45, "t1": 12, "dwi": 2, np.nan: 1}
    assert found["predicted_age"].isna().tolist() == [False] * 59 + [True]
    assert found["gain_dwi"].notna().sum() == 12
    assert found["reason"].notna().sum() == 1


def test_a_finished_run_has_nothing_to_do(finished):
    folder, _ = finished
    assert planned(folder / "c.yaml", folder / "src") == {}


def test_a_deleted_fold_alone_is_made_again(run):
    folder, _ = run
    shutil.rmtree(folder / "out/folds/ridge/repeat-0_fold-1")
    assert planned(folder / "c.yaml", folder / "src") == {"train_baseline": 1, "aggregate": 1, "report": 1}
    done = snakemake(folder / "c.yaml", source=folder / "src")
    assert done.returncode == 0, done.stderr
    assert (folder / "out/folds/ridge/repeat-0_fold-1/model.joblib").is_file()


def test_what_a_deleted_fold_of_the_first_model_rested_on_is_asked_again(run):
    folder, _ = run
    fold = folder / "out/folds/pidreg/repeat-0_fold-1"
    (fold / "importance.tsv").unlink()
    assert planned(folder / "c.yaml", folder / "src") == {"explain": 1, "aggregate": 1, "report": 1}
    shutil.rmtree(fold)
    again = {"train_pidreg": 1, "explain": 1, "aggregate": 1, "report": 1}
    assert planned(folder / "c.yaml", folder / "src") == again


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ({"shards": 4}, {}),
        ({"final_model": False}, {}),
        ({"explain": {"permutations": 0}}, {"aggregate": 1, "report": 1}),
        ({"explain": {"permutations": 2}}, {"explain": 2, "aggregate": 1, "report": 1}),
        ({"report": {"title": "Another"}}, {"report": 1}),
        ({"costs": {"dwi": 3}}, {"aggregate": 1, "report": 1}),
        ({"null": {"permutations": 19}}, {"null": 2, "aggregate": 1, "report": 1}),
        ({"hyperparameters": {"ridge": {"alphas": 5}}}, {"train_baseline": 2, "aggregate": 1, "report": 1}),
    ],
)
def test_a_key_reruns_only_what_depends_on_it(run, change, jobs):
    folder, config = run
    write_config(folder / "c.yaml", config | change)
    assert planned(folder / "c.yaml", folder / "src") == jobs


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("penalties.py", {"train_pidreg": 2, "train_final": 1, "explain": 2, "aggregate": 1, "report": 1}),
        ("baselines/base.py", {"train_baseline": 4, "aggregate": 1, "report": 1}),
        ("figures.py", {"report": 1}),
        ("null.py", {"null": 2, "aggregate": 1, "report": 1}),
    ],
)
def test_an_edit_of_a_module_reruns_its_steps(run, module, jobs):
    folder, _ = run
    with (folder / "src/brainpid" / module).open("a") as text:
        text.write("\n\nEDITED = True\n")
    assert planned(folder / "c.yaml", folder / "src") == jobs


def test_an_edit_of_a_comment_reruns_nothing(run):
    folder, _ = run
    with (folder / "src/brainpid/penalties.py").open("a") as text:
        text.write("\n# a remark\n")
    assert planned(folder / "c.yaml", folder / "src") == {}


def test_a_new_cohort_leaves_the_features_of_the_others(run):
    folder, config = run
    write_cohort(folder / "c", make_tables(60, 7))
    more = make_config(folder, ["a", "b", "c"], folder / "out", models=["ridge"], splits=config["splits"])
    write_config(folder / "c.yaml", more)
    jobs = planned(folder / "c.yaml", folder / "src")
    assert {rule: jobs[rule] for rule in ("participants", "extract_table", "collect", "split")} == {
        "participants": 1,
        "extract_table": 2,
        "collect": 1,
        "split": 1,
    }


def test_the_same_run_twice_gives_the_same_bytes(finished, tmp_path):
    folder, config = finished
    write_config(tmp_path / "c.yaml", config | {"output_dir": str(tmp_path / "out")})
    done = snakemake(tmp_path / "c.yaml", source=folder / "src")
    assert done.returncode == 0, done.stderr
    tables = [path.relative_to(folder / "out") for path in (folder / "out").rglob("*.tsv")]
    compared = [table for table in tables if table.parts[0] != "benchmarks"]
    assert len(compared) > 20
    for table in compared:
        assert (tmp_path / "out" / table).read_bytes() == (folder / "out" / table).read_bytes(), table


def test_bad_input_stops_a_run_and_leaves_nothing_half_written(tmp_path):
    tables = make_tables(60)
    tables["dwi"].loc[3, "participant_id"] = "sub-stranger"
    write_cohort(tmp_path / "a", tables)
    write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out"))
    done = snakemake(tmp_path / "c.yaml")
    assert done.returncode != 0
    assert "labels are not in the participants table of cohort 'a'" in " ".join(done.stderr.split())
    left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix in (".h5", ".part")}
    assert left == {"t1.h5"}


def test_a_bad_configuration_stops_before_any_job(tmp_path):
    config = make_config(tmp_path, ["a"], tmp_path / "out", splitz={"folds": 3})
    done = snakemake(write_config(tmp_path / "c.yaml", config))
    assert done.returncode == 2
    assert "unknown key 'splitz'; did you mean 'splits'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_file_stops_before_any_job(tmp_path):
    done = snakemake(write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out")))
    assert done.returncode == 2
    assert "cohorts.a.participants: the file" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_label_given_twice_stops_a_cohort_of_images_before_any_job(tmp_path):
    tables = make_tables(60)
    tables["participants"].loc[3, "participant_id"] = "sub-004"
    write_cohort(tmp_path / "a", tables)
    config = make_config(tmp_path, ["a"], tmp_path / "out")
    config["cohorts"]["a"] = {"bids": str(tmp_path / "a"), "sources": {m: {"kind": "nifti"} for m in ("t1", "dwi")}}
    done = snakemake(write_config(tmp_path / "c.yaml", config))
    assert done.returncode == 2
    assert "participant_id must be unique, found more than once: sub-004 (lines 5, 6)" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
