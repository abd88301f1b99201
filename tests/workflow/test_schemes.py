"""Runs of several schemes: what is trained, once where folds are shared, and what a change makes again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from cohorts import make_config, make_tables, write_cohort
from snakemake_runs import done, planned, snakemake

from brainpid.core.files import read_own_tsv

pytestmark = pytest.mark.slow

SCHEMES = ["kfold", "leave_one_cohort_out", "leave_one_site_out"]


def configure(top: Path, cohorts: str, **changes: object) -> Path:
    splits = {"scheme": SCHEMES, "folds": 2, "repeats": 1}
    content = make_config(
        top, list(cohorts), top / "out", splits=splits, models=["ridge"], null={"permutations": 1}, final_model=False,
        explain={"permutations": 0}, **changes,
    )  # fmt: skip
    path = top / "c.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def trained(out: Path) -> set[str]:
    return {path.name for path in (out / "folds/ridge").iterdir()}


def test_several_schemes_in_one_run(tmp_path):
    """Cohort a has two sites and b is one: 2 folds, 2 cohorts and, of three sites, the two of a are trained."""
    for seed, name in enumerate("abc"):
        tables = make_tables(40, seed, f"sub-{name}")
        tables["participants"]["site"] = np.repeat(["s0", "s1"], 20) if name == "a" else name
        write_cohort(tmp_path / name, tables)
    path, out = configure(tmp_path, "ab"), tmp_path / "out"
    jobs = done(path)
    assert jobs["train_baseline"] == 6
    first = {"repeat-0_fold-0", "repeat-0_fold-1", "repeat-1_fold-0", "repeat-1_fold-1"}
    assert trained(out) == first | {"repeat-2_fold-0", "repeat-2_fold-1"}
    tables = {name: read_own_tsv(out / f"aggregate/{name}.tsv") for name in ("accuracy", "predictions", "transfer")}
    assert list(dict.fromkeys(tables["accuracy"]["scheme"])) == SCHEMES
    counts = tables["predictions"].groupby("scheme", sort=False).size()
    assert counts.to_dict() == dict.fromkeys(SCHEMES, 80)
    assert (out / "figures/transfer.svg").is_file()
    gaps = tables["transfer"].set_index(["cohort", "site", "scheme"])["mae_gap"]
    assert gaps["b"].isna().sum() == 1
    b = gaps["b"].to_numpy()
    assert b[1] == b[2]  # one training

    assert planned(path) == {}
    shutil.rmtree(out / "folds/ridge/repeat-2_fold-1")
    assert planned(path) == {"train_baseline": 1, "aggregate": 1, "report": 1}
    assert done(path) == {"train_baseline": 1, "aggregate": 1, "report": 1}

    # Log scores are read anew from the models of every scheme, and those of the first are told; nothing is trained.
    reference: dict[str, object] = {"reference_ages": {"range": [30, 70]}}
    jobs = done(configure(tmp_path, "ab", **reference))
    assert jobs == {"rescore": 1, "aggregate": 1, "report": 1}
    scores = read_own_tsv(out / "reference/scores.tsv")
    assert scores.groupby("repeat").size().to_dict() == {0: 80, 1: 80, 2: 40}
    told = read_own_tsv(out / "aggregate/pid.tsv")
    for cohort, own in scores[scores["repeat"] == 0].groupby("cohort"):
        total = told[(told["cohort"] == cohort) & (told["atom"] == "total")].set_index("estimator")["bits"]
        expected = np.average(own["log_score_t1+dwi"], weights=own["weight"])
        assert total["log_score_reference_ages"].to_numpy() == pytest.approx(expected, abs=1e-9)

    more = planned(configure(tmp_path, "abc", **reference))
    made = {"participants": 1, "extract_table": 2, "collect": 1}
    assert {name: more.get(name) for name in made} == made
    assert more["train_baseline"] == 2 + 3 + 2
    several = planned(configure(tmp_path, "ab", folds_per_job=2, **reference))
    assert several == {}

    missing = configure(tmp_path, "b")
    content = yaml.safe_load(missing.read_text()) | {"splits": {"scheme": "leave_one_site_out"}}
    missing.write_text(yaml.safe_dump(content, sort_keys=False))
    refused = snakemake(missing, "--dry-run")
    assert refused.returncode == 2
    assert "leave_one_site_out needs at least 2 sites, found 1 (b)" in refused.stderr
