"""Noise in, nothing out: from tables of pure noise to the tables of the decomposition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import make_tables, write_cohort, write_config
from verbs import run_tables

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("n", [300, 3000])
def test_noise_in_nothing_out(tmp_path, n):
    """Two cohorts with n people together and three modalities of pure noise, through every verb."""
    rng = np.random.default_rng(n)
    modalities = ["t1", "dwi", "fmri"]
    cohorts = {}
    for cohort in ("a", "b"):
        tables = make_tables(n // 2, seed=n)
        labels = tables["participants"]["participant_id"]
        for modality in modalities:
            values = rng.normal(size=(n // 2, 20)).round(4)
            tables[modality] = pd.DataFrame(values, columns=[f"{modality}_{k}" for k in range(20)])
            tables[modality].insert(0, "participant_id", labels)
        write_cohort(tmp_path / cohort, tables)
        sources = {m: {"kind": "table", "path": str(tmp_path / cohort / f"{m}.tsv")} for m in modalities}
        cohorts[cohort] = {"participants": str(tmp_path / cohort / "participants.tsv"), "sources": sources}
    config = {
        "output_dir": str(tmp_path / "out"),
        "modalities": modalities,
        "cohorts": cohorts,
        # How few people fall into folds scatters what is read from noise; repeats average that out.
        "splits": {"folds": 5, "repeats": 2} if n < 1000 else {"folds": 2, "repeats": 1},
        "models": ["pidreg", "ridge"],
        # Boosted trees on thousands of rows would take most of the suite's time.
        "hyperparameters": {
            "pidreg": {"members": 3, "epochs": 10, "recipe": "compact", "experts": ["auto"] if n < 1000 else ["forest"]}
        },
        "null": {"permutations": 199},
        "explain": {"permutations": 0},
        "final_model": False,
    }
    out = run_tables(write_config(tmp_path / "c.yaml", config))
    rows = pd.read_csv(out / "aggregate/pid.tsv", sep="\t")
    total = rows[(rows["scope"] == "all") & (rows["atom"] == "total")]
    tested = total["model"] == "ridge_within_cohort"
    assert set(total.loc[tested, "cohort"]) == {"a", "b", "pooled"}
    assert (total.loc[tested, "p_value"] > 0.05).all()
    total = total[~tested]
    assert set(total["model"]) == {"pidreg", "ridge"}
    assert set(total["cohort"]) == {"a", "b", "pooled"}
    assert (total["ci_low"] <= 0).all()
    assert (total["ci_high"] >= 0).all()
    assert (total.loc[total["cohort"] == "pooled", "bits"].abs() < 10 / n).all()
