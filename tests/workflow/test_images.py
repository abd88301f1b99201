"""From raw images to a report, with faults planted on purpose; and what is computed again when images change."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from bids_validation import bids_errors
from cohorts import write_config
from snakemake_runs import done, planned, snakemake

from brainpid.cli import main
from brainpid.cohort.shards import shard_of

pytestmark = pytest.mark.slow

SHARDS = 2
MODALITIES = ["t1", "dwi", "fmri"]
COHORT_RULES = ("participants", "index", "extract_images", "collect")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder with a phantom of two sites, its configuration, and a finished run."""
    folder = tmp_path_factory.mktemp("images")
    assert main(["phantom", "--out", str(folder / "data"), "--subjects", "24", "--sites", "2", "--workers", "1"]) == 0
    cohorts = {}
    for site in ("site-01", "site-02"):
        root = folder / "data" / site
        fmriprep = {"kind": "fmriprep", "path": str(root / "derivatives/fmriprep")}
        sources = {"t1": {"kind": "nifti"}, "dwi": {"kind": "nifti"}, "fmri": fmriprep}
        cohorts[site.replace("-", "_")] = {"bids": str(root), "sources": sources}
    config = {
        "output_dir": str(folder / "out"),
        "modalities": MODALITIES,
        "cohorts": cohorts,
        "shards": SHARDS,
        # The defaults take ten times as long on each head, and have tests of their own.
        "extraction": {
            "structural": {"resolution": 5, "registration": "affine", "n4": False},
            "diffusion": {"resolution": 5},
        },
        "splits": {"folds": 3, "repeats": 1},
        "controls": ["sex", {"quality": "fmri", "columns": ["fd_mean_mm"]}],
        "models": ["ridge"],
        "null": {"permutations": 19, "folds": 2},
        "explain": {"permutations": 1},
        "final_model": False,
    }
    write_config(folder / "c.yaml", config)
    run = snakemake(folder / "c.yaml")
    assert run.returncode == 0, run.stderr
    return folder


def test_the_validator_of_bids_finds_no_error_in_the_phantom_and_in_what_is_made_of_it(finished):
    assert bids_errors(finished / "out") == []
    sites = sorted((finished / "data").glob("site-*"))
    assert len(sites) == 2
    assert [bids_errors(site) for site in sites] == [[], []]


def test_everybody_has_a_status_and_a_reason(finished):
    truth = json.loads((finished / "data/truth.json").read_text())["planted"]
    people = pd.read_csv(finished / "out/participants.tsv", sep="\t").set_index("participant_id")
    corrupt = people.loc[truth["corrupt"]["participant_id"]]
    assert corrupt["dwi_status"] == "FAIL"
    assert "cut off or damaged" in corrupt["dwi_reason"]
    assert corrupt["t1_status"] == corrupt["fmri_status"] == "SUCCESS"
    mover = people.loc[truth["extreme_motion"]]
    assert mover["fmri_status"] == "EXCLUDED"
    assert re.search(r"mean framewise displacement .* mm, at most 0.5 allowed", mover["fmri_reason"])
    assert people.loc[truth["no_age"], "reason"] == "no target value"
    assert set(people["t1_status"]) <= {"SUCCESS", "UNAVAILABLE"}
    for m in MODALITIES:
        without = people[f"{m}_status"] != "SUCCESS"
        assert people.loc[without, f"{m}_reason"].notna().all()


def test_quality_and_pictures_are_in_the_report(finished):
    page = (finished / "out/report.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == 6 * len(MODALITIES)
    assert "on a brain seen from left" in page  # regions of the atlases
    mover = json.loads((finished / "data/truth.json").read_text())["planted"]["extreme_motion"]
    fmri = pd.read_csv(finished / "out/quality/fmri.tsv", sep="\t").set_index("participant_id")
    assert "fd_mean_mm" in fmri.loc[mover, "outlier_in"]
    assert not {"seconds", "peak_mb"} & set(fmri)  # no two runs share them


def made_up_to_features(folder, site):
    """Bring the index and the features of one site up to date, and give the jobs that were done."""
    return done(folder / "c.yaml", f"{folder}/out/index/{site}.tsv", f"{folder}/out/features/{site}.h5")


def test_information_is_given_beyond_the_quality_of_images(finished):
    aggregate = finished / "out/aggregate"
    told = pd.read_csv(aggregate / "controls.tsv", sep="\t")
    assert {"sex", "fmri_quality"} <= set(told.loc[told["kind"] == "control", "name"])
    beyond = pd.read_csv(aggregate / "pid.tsv", sep="\t", keep_default_na=False)["given"]
    assert "sex+fmri_quality" in set(beyond)


@pytest.fixture
def table(finished):
    """Participants table of a finished cohort; put back afterwards as it was, its time included."""
    path = finished / "data/site-01/participants.tsv"
    backup = Path(shutil.copy2(path, finished / "backup.tsv"))
    yield path
    backup.replace(path)


def test_a_person_who_is_removed_starts_the_own_shards_alone(finished, table):
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(lines[:-1]))
    jobs = planned(finished / "c.yaml")
    assert {rule: jobs[rule] for rule in COHORT_RULES} == {
        "participants": 1,
        "index": 1,
        "extract_images": len(MODALITIES),
        "collect": 1,
    }


def test_another_age_starts_no_extraction(finished, table):
    people = pd.read_csv(table, sep="\t")
    people.loc[people["age"].first_valid_index(), "age"] += 1
    people.to_csv(table, sep="\t", index=False, na_rep="n/a")
    jobs = planned(finished / "c.yaml")
    assert "extract_images" not in jobs
    assert jobs["collect"] == 1


def test_the_folder_of_a_stranger_starts_the_index_alone(finished):
    """And nothing else: a finished run has nothing to do."""
    folder = finished / "data/site-01/sub-stranger"
    folder.mkdir()
    assert planned(finished / "c.yaml") == {"index": 1}
    folder.rmdir()


def test_a_deleted_shard_alone_is_made_again(finished):
    part = finished / f"out/features/parts/site_01/t1_{SHARDS - 1}.h5"
    part.rename(finished / "aside.h5")
    jobs = planned(finished / "c.yaml")
    assert {rule: jobs.get(rule, 0) for rule in COHORT_RULES} == {
        "participants": 0,
        "index": 0,
        "extract_images": 1,
        "collect": 1,
    }
    (finished / "aside.h5").rename(part)


def test_an_image_that_changes_is_the_only_one_computed_again(finished):
    image = next((finished / "data/site-01").glob("sub-*/anat/*_T1w.nii.gz"))
    person = image.name.split("_")[0]
    os.utime(image)
    assert made_up_to_features(finished, "site_01") == {}  # the content is the same
    image.write_bytes(gzip.compress(gzip.decompress(image.read_bytes()), 1))
    made = made_up_to_features(finished, "site_01")
    assert made == {"index": 1, "extract_images": 1, "collect": 1}
    log = finished / f"out/logs/extract/site_01_t1_{shard_of(person, SHARDS)}.log"
    assert re.search(r"kept from before, 1 to extract", log.read_text())


def test_a_new_person_is_the_only_one_computed(finished):
    root = finished / "data/site-02"
    old = next(path for path in sorted(root.glob("sub-*")) if len(list(path.rglob("*.nii.gz"))) == 2)
    for source in (root, root / "derivatives/fmriprep"):
        for path in (source / old.name).rglob("*"):
            if path.is_file():
                target = source / "sub-9999" / path.parent.name / path.name.replace(old.name, "sub-9999")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    table = pd.read_csv(root / "participants.tsv", sep="\t")
    table.loc[len(table)] = ["sub-9999", 55.0, "F", "site-02"]
    table.to_csv(root / "participants.tsv", sep="\t", index=False, na_rep="n/a")
    made = made_up_to_features(finished, "site_02")
    assert made == {"participants": 1, "index": 1, "extract_images": len(MODALITIES), "collect": 1}
    for m in MODALITIES:
        log = Path(finished / f"out/logs/extract/site_02_{m}_{shard_of('sub-9999', SHARDS)}.log").read_text()
        failed = log.count(" FAIL ")  # a failure is tried again
        assert re.search(rf"kept from before, {1 + failed} to extract", log), log
