"""What `check` lets pass runs to its end, and what it refuses would not have: random small studies, by both."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cohorts import write_cohort, write_config
from verbs import run_tables

from brainpid.cli import main

pytestmark = pytest.mark.slow

STUDIES = 100
P = {"t1": 3, "dwi": 2, "fmri": 1}


def ages(rng: np.random.Generator, n: int) -> np.ndarray:
    """Ages that differ, are all the same or nearly, or are known of some alone."""
    kind = rng.choice(["differ"] * 5 + ["same", "nearly", "some"])
    if kind == "same":
        return np.full(n, 73.0)
    found = rng.uniform(20, 80, n).round(1)
    if kind == "nearly":
        found = np.where(np.arange(n) < n // 6, 74.0, 73.0)
    if kind == "some":
        found[rng.random(n) < 0.3] = np.nan
    return found


def study(folder: Path, seed: int) -> dict[str, Any]:
    """Write the tables of a random study; its configuration."""
    rng = np.random.default_rng(seed)
    modalities = list(P)[: rng.integers(2, 4)]
    cohorts: dict[str, Any] = {}
    for cohort in "abc"[: rng.integers(1, 4)]:
        n = int(rng.choice([14, 24, 40, 40, 60] if cohort == "a" else [2, 6, 9, 14, 40]))
        labels = [f"sub-{k:02d}" for k in range(n)]
        age = ages(rng, n)
        people = {
            "participant_id": labels, "age": age, "site": rng.choice(["s1", "s2"], n), "family": np.arange(n) // 3,
        }  # fmt: skip
        tables = {"participants": pd.DataFrame(people)}
        sources = {}
        for modality in modalities:
            if cohort != "a" and rng.random() < 0.15:
                continue
            values = np.nan_to_num(age, nan=50)[:, None] / 20 + rng.normal(size=(n, P[modality]))
            if P[modality] > 1 and rng.random() < 0.3:
                values[:, 0] = 5  # the same in this cohort, and perhaps in all
            values[rng.random(values.shape) < rng.choice([0, 0, 0.3])] = np.nan
            keep = rng.random(n) >= rng.choice([0, 0, 0, 0, 0.1, 0.5])
            table = pd.DataFrame(values, columns=[f"{modality}_{k}" for k in range(P[modality])])
            table.insert(0, "participant_id", labels)
            tables[modality] = table[keep]
            sources[modality] = {"kind": "table", "path": str(folder / cohort / f"{modality}.tsv")}
        write_cohort(folder / cohort, tables)
        if sources:
            cohorts[cohort] = {"participants": str(folder / cohort / "participants.tsv"), "sources": sources}
    schemes = ["kfold", "kfold", "leave_one_cohort_out"] if len(cohorts) > 1 else ["kfold"]
    return {
        "output_dir": str(folder / "out"),
        "modalities": modalities,
        "cohorts": cohorts,
        "incomplete": str(rng.choice(["use", "use", "use", "exclude"])),
        "splits": {
            "scheme": str(rng.choice(schemes)), "folds": int(rng.integers(2, 5)),
            "repeats": int(rng.integers(1, 3)), "seed": seed,
            "group": rng.choice([None, None, None, "family", "family", "site"]),
        },
        "models": ["ridge", *(["mean"] if rng.random() < 0.2 else [])],
        "hyperparameters": {"ridge": {"alphas": 3}},
        "interval_coverage": float(rng.choice([0.5, 0.9, 0.9, 0.95])),
        "null": {"permutations": 5, "folds": int(rng.choice([2, 5]))},
        "explain": {"permutations": int(rng.integers(0, 2))},
        "final_model": bool(rng.random() < 0.3),
    }  # fmt: skip


def finishes(config: Path) -> bool:
    """Whether all steps succeed; one that does not has to say why in a sentence, not by a traceback."""
    try:
        run_tables(config)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("block", range(4))
def test_check_and_run_agree(tmp_path, block):
    outcomes = []
    for seed in range(block, STUDIES, 4):
        config = write_config(tmp_path / f"{seed}.yaml", study(tmp_path / str(seed), seed))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            passed = main(["check", "--config", str(config)]) == 0
            assert finishes(config) == passed, f"study {seed}: check says {'valid' if passed else 'invalid'}"
        outcomes.append(passed)
    assert 0.2 < np.mean(outcomes) < 0.9
