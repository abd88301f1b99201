"""From FreeSurfer and QSIRecon to a report, with one cohort left out and complete people alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import make_tables, write_cohort, write_config
from diffusion_maps import maps_of_a_brain, write_maps
from freesurfer_files import APARC, ASEG, freesurfer, varied
from snakemake_runs import snakemake

from brainpid.features.store import read_features

pytestmark = pytest.mark.slow

PEOPLE = 14
LACKS = "sub-003"
"""Of cohort a; has no FreeSurfer folder."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Output of a run of two cohorts of derivatives; in each the hippocampus shrinks and FA falls with age."""
    folder = tmp_path_factory.mktemp("derivatives")
    maps = maps_of_a_brain()
    cohorts = {}
    for seed, cohort in enumerate(("a", "b")):
        people = make_tables(PEOPLE, seed)["participants"]
        write_cohort(folder / cohort, {"participants": people})
        for label, age in zip(people["participant_id"], people["age"], strict=True):
            rng = np.random.default_rng(int(10 * age))
            if (cohort, label) != ("a", LACKS):
                aseg = ASEG.replace("4100.0", f"{5000 - 15 * age:.1f}")
                freesurfer(folder / cohort / "fs", varied(aseg, rng), label, varied(APARC, rng))
            write_maps(folder / cohort / "qsirecon" / label / "dwi", label, maps, 1 - 0.002 * age + 0.02 * rng.normal())
        sources = {
            "t1": {"kind": "freesurfer", "path": f"{cohort}/fs"},
            "dwi": {"kind": "qsirecon", "path": f"{cohort}/qsirecon"},
        }
        cohorts[cohort] = {"participants": f"{cohort}/participants.tsv", "sources": sources}
    config = {
        "output_dir": "out",
        "modalities": ["t1", "dwi"],
        "cohorts": cohorts,
        "shards": 1,
        "extraction": {"diffusion": {"resolution": 4}},
        "incomplete": "exclude",
        "splits": {"scheme": "leave_one_cohort_out", "repeats": 1},
        "models": ["ridge"],
        "null": {"permutations": 0},
        "explain": {"permutations": 0},
        "final_model": False,
    }
    run = snakemake(write_config(folder / "c.yaml", config))
    assert run.returncode == 0, run.stderr
    return folder / "out"


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values="n/a")


def test_features_of_both_kinds_of_derivatives_are_collected(finished):
    names = [name for modality in ("t1", "dwi") for name in read_features(finished / "features/a.h5", modality).names]
    assert {"icv", "volume_Left-Hippocampus", "thickness_rh_cuneus"} <= set(names)
    assert any(name.startswith("fa_") for name in names)
    assert any(name.startswith("md_") for name in names)
    assert (finished / "quality/t1.tsv").is_file()
    assert read(finished / "quality/dwi.tsv")["similarity"].min() > 0.4


def test_who_lacks_a_modality_is_excluded_where_asked(finished):
    people = read(finished / "participants.tsv")
    left_out = people[~people["included"]]
    assert left_out[["cohort", "participant_id", "t1_status"]].to_numpy().tolist() == [["a", LACKS, "UNAVAILABLE"]]
    assert "t1 UNAVAILABLE: no folder" in left_out["reason"].iloc[0]
    index = read(finished / "index/a.tsv")
    assert index.loc[index["modality"] == "t1", "participant_id"].nunique() == PEOPLE
    rows = index[(index["participant_id"] == LACKS) & (index["modality"] == "t1")]
    assert rows["reason"].str.contains("no folder").tolist() == [True]


def test_every_cohort_is_predicted_by_the_others_alone(finished):
    splits = read(finished / "splits.tsv")
    for fold, (tested, trained) in enumerate((("a", "b"), ("b", "a"))):
        own = splits[splits["fold"] == fold].groupby("role")["cohort"].unique()
        assert (own["test"].tolist(), own["train"].tolist()) == ([tested], [trained])
    predictions = read(finished / "aggregate/predictions.tsv")
    assert predictions.groupby(["cohort", "fold"]).size().to_dict() == {("a", 0): PEOPLE - 1, ("b", 1): PEOPLE}
    accuracy = read(finished / "aggregate/accuracy.tsv").set_index("cohort")
    assert set(accuracy["scheme"]) == {"leave_one_cohort_out"}
    assert accuracy["n"].to_dict() == {"a": PEOPLE - 1, "b": PEOPLE, "pooled": 2 * PEOPLE - 1}
    assert accuracy.loc["pooled", "pearson_r"] > 0.5  # what is planted is read in another cohort
    assert (finished / "report.html").is_file()
