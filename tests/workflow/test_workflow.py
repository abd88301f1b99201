"""Real Snakemake runs: what is made, and what is made again."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bids_validation import bids_errors
from cohorts import ROOT, make_config, make_tables, write_cohort, write_config
from snakemake_runs import SOURCES, done, planned, snakemake
from verbs import run_tables

from brainpid.cli import main

pytestmark = pytest.mark.slow


QUICK = {"members": 2, "epochs": 3, "recipe": "compact", "experts": ["normative"]}
"""A network whose training takes no longer than its imports."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder with two cohorts, their configuration and a finished run; the code that ran is a copy in the folder.

    In cohort a the first 12 people have no dwi and the next two have no t1; the last one has neither. Each family of
    three stays on one side of the splits. Paths are relative, so that a copy of the folder is a finished run too.
    """
    folder = tmp_path_factory.mktemp("run")
    shutil.copytree(SOURCES / "brainpid", folder / "src" / "brainpid", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "CITATION.cff", folder)
    for seed, cohort in enumerate(("a", "b")):
        tables = make_tables(60, seed)
        tables["participants"]["family"] = [f"{cohort}{person // 3}" for person in range(60)]
        if cohort == "a":
            tables["dwi"], tables["t1"] = tables["dwi"].iloc[12:-1], tables["t1"].drop([12, 13, 59])
        write_cohort(folder / cohort, tables)
    config = make_config(
        Path(), ["a", "b"], Path("out"), models=["pidreg", "ridge", "gradient_boosting"],
        splits={"folds": 2, "repeats": 1, "group": "family"}, hyperparameters={"pidreg": QUICK},
    )  # fmt: skip
    write_config(folder / "c.yaml", config)
    run = snakemake(folder / "c.yaml", source=folder / "src")
    assert run.returncode == 0, run.stderr
    return folder, config


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, whose files a test may change."""
    folder, config = finished
    shutil.copytree(folder, tmp_path / "run")  # keeps times of modification
    return tmp_path / "run", config


CONTRACT = {
    "participants.tsv": "participant_id cohort site age sex t1_status t1_reason dwi_status dwi_reason included reason",
    "splits.tsv": "participant_id cohort repeat fold role",
    "features.tsv": "modality feature units n included reason note",
    "aggregate/accuracy.tsv": (
        "cohort scheme model modalities n mae mae_ci_low mae_ci_high rmse r2 pearson_r mae_corrected"
    ),
    "aggregate/predictions.tsv": (
        "participant_id cohort site age model repeat fold predicted_age predicted_age_corrected brain_pad "
        "brain_pad_corrected pi_low pi_high modalities atypicality"
    ),
    "aggregate/base_learners.tsv": "model base_learner share share_min share_max folds_fitted n_folds",
    "aggregate/atypicality.tsv": "low high n mae bias coverage",
    "aggregate/importance.tsv": (
        "modality scope feature region group units change change_sd importance importance_sd effect effect_sd "
        "sign_agreement rank rank_sd n_folds exact_folds"
    ),
    "aggregate/selection.tsv": "modalities cost n mae mae_ci_low mae_ci_high information_bits recommended",
    "aggregate/comparison.tsv": "cohort model reference modalities n difference ci_low ci_high",
    "aggregate/pid.tsv": (
        "cohort model estimator given measure scope modalities atom bits se ci_low ci_high share p_value n n_folds "
        "se_factor age_sd age_low age_high"
    ),
    "aggregate/pooling.tsv": (
        "model estimator given measure scope modalities atom bits ci_low ci_high fixed_bits fixed_ci_low fixed_ci_high "
        "predicted_low predicted_high tau tau_low tau_high cohorts n middle_age_sd moderated_bits moderated_ci_low "
        "moderated_ci_high moderated_tau per_doubling per_doubling_ci_low per_doubling_ci_high"
    ),
    "aggregate/coverage.tsv": "model kind group n coverage ci_low ci_high mean_width interval_score",
    "aggregate/reliability.tsv": "cohort model quantity n repeats reliability reliability_of_mean split_half",
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
    assert not re.search(r"<script [^>]*src|<link|@import|(src|href)=\"https?:", page)  # opens without a network
    assert page.count("<script") == 1  # its own, to sort tables


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


def test_the_final_model_predicts_a_cohort_from_what_its_people_have(finished, tmp_path, monkeypatch):
    folder, _ = finished
    monkeypatch.chdir(folder)  # where the relative paths of the configuration start
    model = folder / "out/final/pidreg"
    options = ["--config", folder / "c.yaml", "--cohorts", "a", "--out", tmp_path / "new.tsv"]
    assert main(list(map(str, ["predict", "--model", model, *options]))) == 0
    found = pd.read_csv(tmp_path / "new.tsv", sep="\t", keep_default_na=False, na_values="n/a")
    assert found["modalities"].value_counts(dropna=False).to_dict() == {"t1+dwi": 45, "t1": 12, "dwi": 2, np.nan: 1}
    assert found["predicted_age"].isna().tolist() == [False] * 59 + [True]
    assert found["gain_dwi"].notna().sum() == 12
    assert found["reason"].notna().sum() == 1


def test_families_stay_on_one_side_of_every_split(finished):
    splits = pd.read_csv(finished[0] / "out/splits.tsv", sep="\t")
    number = splits["participant_id"].str.removeprefix("sub-").astype(int) // 3
    sides = splits.groupby(["cohort", number, "fold"])["role"].nunique()
    assert len(sides) == 2 * 40
    assert (sides == 1).all()
    assert (splits.groupby("fold")["role"].nunique() == 2).all()


def test_a_finished_run_has_nothing_to_do_also_after_an_edit_of_a_comment(run):
    folder, _ = run
    with (folder / "src/brainpid/model/pidreg/network/penalties.py").open("a") as text:
        text.write("\n# a remark\n")
    assert planned(folder / "c.yaml", folder / "src") == {}


def test_what_is_deleted_alone_is_made_again_and_with_the_same_bytes(run, finished):
    """A fold of a baseline, one of the first model, and what another fold of it rested on."""
    folder, _ = run
    for fold in ("ridge/repeat-0_fold-1", "pidreg/repeat-0_fold-1"):
        shutil.rmtree(folder / "out/folds" / fold)
    (folder / "out/folds/pidreg/repeat-0_fold-0/importance.tsv").unlink()
    again = {"train_baseline": 1, "train_pidreg": 1, "explain": 2, "aggregate": 1, "report": 1}
    assert done(folder / "c.yaml", source=folder / "src") == again
    assert (folder / "out/folds/ridge/repeat-0_fold-1/model.joblib").is_file()
    compare_tables(folder / "out", finished[0] / "out", 36)


def test_keys_rerun_only_what_depends_on_them(run):
    """All at once: of the keys that change here, those of shards and final model concern nothing that was made."""
    folder, config = run
    change = {
        "shards": 4,
        "final_model": False,
        "explain": {"permutations": 2},
        "null": {"permutations": 19},
        "hyperparameters": config["hyperparameters"] | {"ridge": {"alphas": 5}},
        "costs": {"dwi": 3},
    }
    write_config(folder / "c.yaml", config | change)
    jobs = {"explain": 2, "null": 2, "train_baseline": 2, "aggregate": 1, "report": 1}
    assert planned(folder / "c.yaml", folder / "src") == jobs


EACH_DELETED = {
    "report": ["report.html", "dataset_description.json", "README.md", ".bidsignore", *(
        f"figures/{name}.svg" for name in (
            "contributions", "predicted_age", "brain_pad", "modalities", "normality", "selection", "importance"))],
    "aggregate": [f"aggregate/{name}" for name in (
        "accuracy.tsv", "comparison.tsv", "predictions.tsv", "latents.tsv", "pid.tsv", "pid.json", "null.tsv",
        "normality.tsv", "selection.tsv", "selection.json", "importance.tsv", "importance.json", "base_learners.tsv",
        "base_learners.json", "atypicality.tsv", "atypicality.json", "provenance.json")],
    "train_final": [f"final/pidreg/{name}" for name in ("model.pt", "provenance.json", "history.tsv")],
    "null": ["null/a.tsv", "null/b.json"],
    "split": ["participants.tsv", "splits.tsv", "features.tsv"],
    "participants": ["participants/a.tsv", "participants/b.json"],
}  # fmt: skip
"""Files that a user reads, by the rule that makes them."""


@pytest.mark.parametrize("rule", EACH_DELETED)
def test_every_file_that_a_user_reads_is_made_again_where_it_is_deleted(run, rule):
    folder, _ = run
    for file in EACH_DELETED[rule]:
        kept = (folder / "out" / file).rename(folder / "kept")
        assert rule in planned(folder / "c.yaml", folder / "src"), file
        kept.rename(folder / "out" / file)
    assert planned(folder / "c.yaml", folder / "src") == {}


def test_no_file_is_left_that_no_target_names(run):
    """But for logs, times, and what Snakemake itself keeps."""
    folder, _ = run
    files = {str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*") if path.is_file()}
    summary = snakemake(folder / "c.yaml", "--summary", source=folder / "src").stdout
    named = {line.split("\t")[0].removeprefix("out/") for line in summary.splitlines()[1:]}
    assert {file for file in files - named if not file.startswith(("logs/", "benchmarks/", ".snakemake/"))} == set()


def test_the_output_folder_is_a_bids_derivative_that_tells_what_each_file_is(run, monkeypatch):
    """With the same label in two cohorts, and somebody above 89."""
    folder, _ = run
    out = folder / "out"
    people = pd.read_csv(out / "participants.tsv", sep="\t", keep_default_na=False)
    assert people["participant_id"].duplicated().any()
    people.assign(age=91.5).to_csv(out / "participants.tsv", sep="\t", index=False)
    assert bids_errors(out) == []
    (out / ".bidsignore").rename(folder / "kept")
    assert {"NOT_INCLUDED", "PARTICIPANT_ID_MISMATCH"} <= {code for code, _ in bids_errors(out)}
    text = (out / "README.md").read_text()
    told = []
    for path in re.findall(r"^\| `([^`]+)` \| [^|]+ \|$", text, flags=re.MULTILINE):
        end = "" if path.endswith("/") else "$"
        told.append(re.compile(re.sub(r"<\w+>|\\\*", "[^/]+", re.escape(path)) + end))
    for file in (str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()):
        beside = file.removesuffix(".json") + ".tsv"  # units and provenance stand in the line of their table
        assert any(pattern.match(file) or pattern.match(beside) for pattern in told), file
    # What the README says of reading the files, as it stands there.
    monkeypatch.chdir(out)
    found: dict = {}
    exec(text.partition("```python\n")[2].partition("```")[0], found)
    assert list(found["pid"]) == CONTRACT["aggregate/pid.tsv"].split()
    assert found["features"].shape == (60, 5)
    assert found["features"].loc["sub-000", "t1_0"] == pytest.approx(make_tables(60, 0)["t1"].loc[0, "t1_0"])


def test_the_report_of_snakemake_holds_the_figures_with_their_captions(run):
    folder, _ = run
    made = snakemake(folder / "c.yaml", "--report", "snakemake.zip", source=folder / "src")
    assert made.returncode == 0, made.stderr
    with zipfile.ZipFile(folder / "snakemake.zip") as archive:
        drawn = {Path(name).stem for name in archive.namelist() if name.endswith(".svg")}
        page = archive.read("snakemake/report.html").decode()
    assert drawn == {path.stem for path in (folder / "out/figures").glob("*.svg")}
    assert page.count('"caption": "<p>') == len(drawn)
    assert '"caption": "<p>Information about the target that all modalities have together' in page


def test_snakemake_s_linter_is_content(run):
    folder, _ = run
    done = snakemake(folder / "c.yaml", "--lint", source=folder / "src")
    assert done.returncode == 0, done.stdout
    assert "your workflow is in a good condition" in done.stderr + done.stdout


def test_what_changes_nothing_reruns_nothing(run):
    """Line ends, a byte order mark, an unused column, what a dictionary says of it, and other spellings of paths."""
    folder, config = run
    for file in ("participants", "t1"):
        path = folder / f"a/{file}.tsv"
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    path = folder / "b/dwi.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    people = pd.read_csv(folder / "b/participants.tsv", sep="\t")
    people.assign(note="x").to_csv(folder / "b/participants.tsv", sep="\t", index=False, na_rep="n/a")
    (folder / "b/participants.json").write_text(json.dumps({"note": {"Units": "m"}, "age": {"Description": "of b"}}))
    text = json.dumps(config).replace('"a/', '".//a/').replace('"b/', f'"{folder}/a/../b/').replace('"out"', '"./out/"')
    write_config(folder / "c.yaml", json.loads(text))
    assert planned(folder / "c.yaml", folder / "src") == {}


def test_labels_make_the_report_again_and_another_model_is_trained_alone(run):
    folder, config = run
    labels = {"report": {"title": "Another"}}
    write_config(folder / "c.yaml", config | labels)
    assert planned(folder / "c.yaml", folder / "src") == {"report": 1}
    write_config(folder / "c.yaml", config | labels | {"models": [*config["models"], "mean"]})
    assert planned(folder / "c.yaml", folder / "src") == {"train_baseline": 2, "aggregate": 1, "report": 1}


def test_a_corrected_age_runs_what_ages_are_in(run):
    folder, _ = run
    people = pd.read_csv(folder / "a/participants.tsv", sep="\t")
    people.loc[0, "age"] += 0.1
    people.to_csv(folder / "a/participants.tsv", sep="\t", index=False, na_rep="n/a")
    jobs = planned(folder / "c.yaml", folder / "src")
    assert (jobs["participants"], jobs["extract_table"], jobs["collect"]) == (1, 2, 1)  # of this cohort alone


def test_edits_of_modules_rerun_their_steps(run):
    folder, _ = run
    for module in ("model/pidreg/network/penalties.py", "crossfit/null.py"):
        with (folder / "src/brainpid" / module).open("a") as text:
            text.write("\n\nEDITED = True\n")
    jobs = {"train_pidreg": 2, "train_final": 1, "explain": 2, "null": 2, "aggregate": 1, "report": 1}
    assert planned(folder / "c.yaml", folder / "src") == jobs


def test_a_new_cohort_leaves_the_features_of_the_others(run):
    folder, config = run
    tables = make_tables(60, 7)
    tables["participants"]["family"] = [f"c{person // 3}" for person in range(60)]
    write_cohort(folder / "c", tables)
    more = make_config(Path(), ["a", "b", "c"], Path("out"), models=["ridge"], splits=config["splits"])
    write_config(folder / "c.yaml", more)
    jobs = planned(folder / "c.yaml", folder / "src")
    assert {rule: jobs[rule] for rule in ("participants", "extract_table", "collect", "split")} == {
        "participants": 1,
        "extract_table": 2,
        "collect": 1,
        "split": 1,
    }


def compare_tables(found, expected, least):
    """Expect the same bytes of every table but those that measure time."""
    tables = [path.relative_to(expected) for path in expected.rglob("*.tsv")]
    compared = [table for table in tables if table.parts[0] != "benchmarks"]
    assert len(compared) >= least
    for table in compared:
        assert (found / table).read_bytes() == (expected / table).read_bytes(), table


def test_the_same_run_in_one_process_gives_the_same_bytes(finished, tmp_path, monkeypatch):
    """Every table of the workflow's two dozen processes, whatever order they ran in."""
    folder, config = finished
    monkeypatch.chdir(folder)  # where the relative paths of the configuration start
    out = run_tables(write_config(tmp_path / "c.yaml", config | {"output_dir": str(tmp_path / "out")}))
    compare_tables(out, folder / "out", 36)


def test_bad_input_stops_a_run_and_leaves_nothing_half_written(tmp_path):
    tables = make_tables(60)
    tables["dwi"].loc[3, "participant_id"] = "sub-stranger"
    write_cohort(tmp_path / "a", tables)
    write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out"))
    done = snakemake(tmp_path / "c.yaml")
    assert done.returncode != 0
    assert "labels are not in the participants table of cohort 'a'" in " ".join(done.stderr.split())
    left = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix in (".h5", ".part")}
    assert left == {"t1.table.h5"}


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
