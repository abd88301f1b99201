"""Cohorts that are added to a finished run by configuration alone: their features, and what is of everybody."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import make_tables, write_cohort, write_config
from freesurfer_files import APARC, ASEG, freesurfer, varied
from snakemake_runs import done, planned

pytestmark = pytest.mark.slow

PEOPLE = 24
SHARDS = 2
OF_EVERYBODY = {"quality": 1, "split": 1, "leakage": 1, "train_baseline": 2, "aggregate": 1, "report": 1}
OF_A_COHORT = {"participants": 1, "extract_table": 1, "index": 1, "extract_images": SHARDS, "collect": 1}


def add_cohort(folder: Path, name: str, seed: int) -> dict[str, object]:
    """Write statistics of FreeSurfer and a table of a cohort's people; its block of the configuration."""
    rng = np.random.default_rng(seed)
    tables = make_tables(PEOPLE, seed)
    write_cohort(folder / name, {table: tables[table] for table in ("participants", "dwi")})
    for label, age in tables["participants"][["participant_id", "age"]].itertuples(index=False):
        aseg = varied(ASEG, rng).replace("Left-Hippocampus", "Other").replace("# ColH", "# ColH", 1)
        aseg = aseg.replace(
            "60.0\n", f"60.0\n  3  18  100 {5000 - 15 * age + 60 * rng.normal():.1f} Left-Hippocampus 61.0\n"
        )
        freesurfer(folder / name / "fs", aseg, label, varied(APARC, rng))
    return {
        "participants": f"{name}/participants.tsv",
        "sources": {
            "t1": {"kind": "freesurfer", "path": f"{name}/fs"},
            "dwi": {"kind": "table", "path": f"{name}/dwi.tsv"},
        },
    }


def test_a_second_and_a_third_cohort(tmp_path):
    config = {
        "output_dir": "out", "modalities": ["t1", "dwi"], "cohorts": {"a": add_cohort(tmp_path, "a", 0)},
        "shards": SHARDS, "splits": {"folds": 2, "repeats": 1}, "models": ["ridge"], "final_model": False,
        "null": {"permutations": 0}, "explain": {"permutations": 0},
    }  # fmt: skip
    path = write_config(tmp_path / "c.yaml", config)
    first = {rule: OF_A_COHORT.get(rule, 0) + OF_EVERYBODY.get(rule, 0) for rule in OF_A_COHORT | OF_EVERYBODY}
    assert done(path) == first | {"null": 1}
    cohorts = ["a"]
    for seed, name in enumerate("bc", start=1):
        kept = {cohort: (tmp_path / f"out/features/{cohort}.h5").stat().st_mtime_ns for cohort in cohorts}
        config["cohorts"][name] = add_cohort(tmp_path, name, seed)
        write_config(path, config)
        cohorts.append(name)
        # The null of a cohort is of the features that all cohorts have.
        assert done(path) == first | {"null": len(cohorts)}
        assert planned(path) == {}
        for cohort, changed in kept.items():
            assert (tmp_path / f"out/features/{cohort}.h5").stat().st_mtime_ns == changed
        people = pd.read_csv(tmp_path / "out/aggregate/predictions.tsv", sep="\t")
        assert people.groupby("cohort").size().to_dict() == dict.fromkeys(cohorts, PEOPLE)
    found = pd.read_csv(tmp_path / "out/aggregate/leakage.tsv", sep="\t")
    assert found.empty, found["words"].tolist()
