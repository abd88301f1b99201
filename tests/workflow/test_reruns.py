"""What is made again does not hang on the folder that one works in, nor on where output and data lie."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from cohorts import ROOT, make_config, make_tables, write_cohort, write_config
from freesurfer_files import ASEG, freesurfer
from snakemake_runs import SOURCES, done, planned, snakemake

pytestmark = pytest.mark.slow

PEOPLE = 40
SHARDS = 2
AFTER_IMAGES = {"quality": 1, "collect": 1, "split": 1, "leakage": 1, "null": 1, "train_baseline": 2} | {
    "aggregate": 1, "report": 1
}  # fmt: skip


class Study(NamedTuple):
    """Where everything of a study lies: the folder that one works in, data, output, and the code that runs."""

    here: Path
    data: Path
    out: Path
    code: Path

    def config(self, **changes) -> Path:
        """Write the configuration into the working folder."""
        self.here.mkdir(exist_ok=True)
        config = {
            "output_dir": str(self.out),
            "modalities": ["t1", "dwi"],
            "cohorts": {
                "a": {
                    "participants": f"{self.data}/participants.tsv",
                    "sources": {
                        "t1": {"kind": "freesurfer", "path": f"{self.data}/fs"},
                        "dwi": {"kind": "table", "path": f"{self.data}/dwi.tsv"},
                    },
                }
            },
            "shards": SHARDS,
            "splits": {"folds": 2, "repeats": 1},
            "models": ["ridge"],
            "null": {"permutations": 9},
            "explain": {"permutations": 0},
            "final_model": False,
        }
        return write_config(self.here / "c.yaml", config | changes)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study that has run."""
    top = tmp_path_factory.mktemp("study")
    study = Study(top / "here", top / "data", top / "out", top / "src")
    shutil.copytree(SOURCES / "brainpid", study.code / "brainpid", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "CITATION.cff", top)
    tables = make_tables(PEOPLE)
    write_cohort(study.data, {name: tables[name] for name in ("participants", "dwi")})
    for label, age in tables["participants"][["participant_id", "age"]].itertuples(index=False):
        freesurfer(study.data / "fs", ASEG.replace("4100.0", f"{5000 - 15 * age:.1f}"), label)
    run = snakemake(study.config(), source=study.code)
    assert run.returncode == 0, run.stderr
    return top, study


@pytest.fixture
def study(finished, tmp_path):
    """The study at another place, with the times of its files: in itself a copy of data and output."""
    top, study = finished
    shutil.copytree(top, tmp_path / "study")
    return Study(*(tmp_path / "study" / path.relative_to(top) for path in study))


def same_folder(study: Study) -> Study:
    """The folder where everything was moved to at once."""
    return study


def other_folder(study: Study) -> Study:
    """The same output, from elsewhere."""
    return study._replace(here=study.here.parent / "elsewhere")


def copied_output(study: Study) -> Study:
    """A copy of the output; the old one is still there."""
    shutil.copytree(study.out, study.here.parent / "copy")
    return study._replace(out=study.here.parent / "copy")


def moved_output(study: Study) -> Study:
    """The output under another name, in another folder."""
    (study.here.parent / "deep").mkdir()
    return study._replace(out=study.out.rename(study.here.parent / "deep/moved"))


def moved_data(study: Study) -> Study:
    """The data under another name."""
    return study._replace(data=study.data.rename(study.here.parent / "archive"))


def touched_data(study: Study) -> Study:
    """Data with other times, as after a restore."""
    for path in study.data.rglob("*"):
        os.utime(path, (86400, 86400))
    return study


def nothing(study: Study) -> tuple[Path, dict[str, int]]:
    return study.config(), {}


def one_setting(study: Study) -> tuple[Path, dict[str, int]]:
    return study.config(null={"permutations": 19}), {"null": 1, "aggregate": 1, "report": 1}


def one_image(study: Study) -> tuple[Path, dict[str, int]]:
    """Other content, of another size."""
    path = study.data / "fs/sub-007/stats/aseg.stats"
    path.write_text(path.read_text().replace("6100.5", "6100.25"))
    return study.config(), {"index": 1, "extract_images": 1} | AFTER_IMAGES


def code(study: Study) -> tuple[Path, dict[str, int]]:
    with (study.code / "brainpid/imaging/freesurfer.py").open("a") as text:
        text.write("\nEDITED = True\n")
    return study.config(), {"extract_images": SHARDS} | AFTER_IMAGES


@pytest.mark.parametrize("change", [nothing, one_setting, one_image, code])
@pytest.mark.parametrize("place", [same_folder, other_folder, copied_output, moved_output, moved_data, touched_data])
def test_the_same_is_made_again_wherever_it_lies(study, place, change):
    study = place(study)
    config, expected = change(study)
    assert planned(config, study.code) == expected


def test_other_folds_from_another_folder_are_all_trained_anew(study):
    study = other_folder(study)
    made = done(study.config(splits={"folds": 3, "repeats": 1}), source=study.code)
    assert made == {"split": 1, "leakage": 1, "null": 1, "train_baseline": 3, "aggregate": 1, "report": 1}
    splits = pd.read_csv(study.out / "splits.tsv", sep="\t")
    assert set(splits["fold"]) == {0, 1, 2}
    assert len(pd.read_csv(study.out / "aggregate/predictions.tsv", sep="\t")) == PEOPLE


def test_results_of_which_nothing_tells_how_they_were_made_are_not_taken_for_finished(study):
    shutil.rmtree(study.out / ".snakemake")
    run = snakemake(study.config(), source=study.code)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert f"not the folder {study.out}/.snakemake" in run.stderr
    assert "--forceall" in run.stderr


def test_two_runs_on_one_output_refuse_each_other_from_whatever_folder(study):
    locks = study.out / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text("null/a.tsv\n")
    study = other_folder(study)
    run = snakemake(study.config(null={"permutations": 19}), source=study.code)
    assert run.returncode != 0
    assert "--unlock" in run.stderr + run.stdout
    assert snakemake(study.config(), "--unlock", source=study.code).returncode == 0
    assert done(study.config(null={"permutations": 19}), source=study.code)["null"] == 1


def test_a_folder_that_cannot_be_written_into_is_named(study):
    (study.here.parent / "file").touch()
    run = snakemake(study._replace(out=study.here.parent / "file/out").config(), "--dry-run", source=study.code)
    assert run.returncode == 2
    assert f"output_dir: {study.here.parent}/file/out cannot be written into" in run.stderr


def test_a_working_folder_that_cannot_be_written_into_is_no_reason_to_stop(study):
    """As a project that somebody else installed; root may write everywhere, hence a file in the way."""
    study = other_folder(study)
    config = study.config(null={"permutations": 19})
    (study.here / ".snakemake").touch()
    assert done(config, source=study.code) == {"null": 1, "aggregate": 1, "report": 1}


def test_tables_dated_in_the_future_are_read_by_their_content(study):
    table = pd.read_csv(study.data / "dwi.tsv", sep="\t")
    table.iloc[0, 1] += 0.5
    table.to_csv(study.data / "dwi.tsv", sep="\t", index=False)
    for path in study.data.glob("*.tsv"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    made = done(study.config(), source=study.code)
    assert (made["extract_table"], made["split"], made["report"]) == (1, 1, 1)
    assert "participants" not in made
    assert planned(study.config(), study.code) == {}


def test_an_edit_of_a_base_learner_of_ones_own_trains_again(tmp_path):
    """Of a module in the folder that one works in the source counts, and nothing before the training runs again."""
    write_cohort(tmp_path / "a", make_tables(PEOPLE))
    module = tmp_path / "learners_of_mine.py"
    module.write_text("from sklearn.linear_model import Ridge\n\n\nclass Mine(Ridge):\n    pass\n")
    quick = {"members": 2, "epochs": 1, "hidden": [4], "latent_dim": 2, "recipe": "compact"}
    own = {"import": "learners_of_mine.Mine", "alpha": 2.0}
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", models=["pidreg"], splits={"folds": 2, "repeats": 1}, final_model=False,
        null={"permutations": 0}, explain={"permutations": 0},
        hyperparameters={"pidreg": {**quick, "experts": [own]}},
    )  # fmt: skip
    path = write_config(tmp_path / "c.yaml", config)
    assert done(path)["train_pidreg"] == 2
    assert planned(path) == {}
    module.write_text(module.read_text().replace("pass", "number = 1"))
    assert planned(path) == {"train_pidreg": 2, "aggregate": 1, "report": 1}
    config["hyperparameters"]["pidreg"]["experts"] = [{"import": "learners_of_mine.Nothing"}]
    refused = snakemake(write_config(tmp_path / "c.yaml", config), "--dry-run")
    assert refused.returncode == 2
    assert "the module 'learners_of_mine' has no 'Nothing'" in refused.stderr


def test_several_folds_in_one_job(tmp_path):
    """Each fold has its own folder with the same bytes; the number of folds in a job makes nothing again."""
    write_cohort(tmp_path / "a", make_tables(PEOPLE))
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", models=["ridge"], splits={"folds": 3, "repeats": 1}, final_model=False,
        null={"permutations": 0}, explain={"permutations": 0},
    )  # fmt: skip
    path = write_config(tmp_path / "c.yaml", config)
    assert done(path)["train_baseline"] == 3
    before = {k: (tmp_path / f"out/folds/ridge/repeat-0_fold-{k}/predictions.tsv").read_bytes() for k in range(3)}
    write_config(path, config | {"folds_per_job": 2, "device": "cpu"})
    assert planned(path) == {}
    shutil.rmtree(tmp_path / "out/folds")
    jobs = {"train_baseline_0_to_1": 1, "train_baseline_2_to_2": 1, "aggregate": 1, "report": 1}
    assert done(path) == jobs
    assert sorted(log.name for log in (tmp_path / "out/logs/train").glob("*folds*")) == [
        "ridge_repeat-0_folds-0-1.log", "ridge_repeat-0_folds-2-2.log"
    ]  # fmt: skip
    for k, content in before.items():
        folder = tmp_path / f"out/folds/ridge/repeat-0_fold-{k}"
        assert (folder / "predictions.tsv").read_bytes() == content
        assert (folder / "model.joblib").is_file()
    (tmp_path / "out/folds/ridge/repeat-0_fold-1/pid.tsv").unlink()
    assert planned(path) == {"train_baseline_0_to_1": 1, "aggregate": 1, "report": 1}
