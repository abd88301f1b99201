"""What later steps leave out for lack of people is told before anything is trained, and is what they leave out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.cli import main


@pytest.fixture
def study(tmp_path, capsys):
    """Check cohorts of so many people, of whom some lack dwi; the configuration's path and what is left out."""

    def run(sizes: dict[str, int], without_dwi: dict[str, int] | None = None, family: int = 0, **changes):
        for seed, (cohort, n) in enumerate(sizes.items()):
            tables = make_tables(n, seed)
            tables["dwi"] = tables["dwi"].iloc[(without_dwi or {}).get(cohort, 0) :]
            if family:
                tables["participants"]["family"] = np.arange(n) // family
                changes["splits"] = {"folds": 2, "repeats": 1, "group": "family"}
            write_cohort(tmp_path / cohort, tables)
        config = make_config(tmp_path, list(sizes), tmp_path / "out", **changes)
        path = write_config(tmp_path / "c.yaml", config)
        assert main(["check", "--config", str(path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        return path, [line.removeprefix("left out: ") for line in lines if line.startswith("left out: ")]

    return run


def test_nothing_is_left_out_of_a_study_that_is_large_enough(study):
    assert study({"a": 60, "b": 60})[1] == []


def test_a_small_cohort_has_no_null_no_rows_of_folds_and_is_not_pooled(study):
    path, said = study({"a": 60, "b": 7, "c": 3}, null={"permutations": 5}, explain={"permutations": 0})
    starts = [
        "cohort 'b' has no null and no p-values, and has standard errors whose widening is assumed and not",
        "folds/*/pid.tsv lacks rows of cohort 'b' in 3 of 4 folds",
        "log scores of cohort 'b' (2), 'c' (1) are relative to the targets of its test people as well",
    ]
    assert [any(one.startswith(start) for one in said) for start in starts] == [True] * 3, "\n".join(said)
    out = run_tables(path)
    assert pd.read_csv(out / "null/b.tsv", sep="\t").empty
    assert "se_factor_assumed_because" in (out / "null/b.json").read_text()
    assert "se_factor_assumed_because" not in (out / "null/a.json").read_text()
    folds = [set(pd.read_csv(path, sep="\t")["cohort"]) for path in out.glob("folds/ridge/*/pid.tsv")]
    assert sorted(map(len, folds)) == [1, 1, 1, 2]
    assert set.union(*folds) == {"a", "b"}
    assert set(pd.read_csv(out / "aggregate/pid.tsv", sep="\t")["cohort"]) == {"a", "b", "pooled"}


def test_one_cohort_that_can_be_decomposed_is_pooled_with_nobody(study):
    _, said = study({"a": 60, "b": 4})
    assert "no decomposition is pooled over cohorts: 'a' alone can be decomposed; expected 2 or more" in said


def test_groups_that_cannot_be_exchanged_and_are_few(study):
    _, said = study({"a": 60}, family=15)
    assert said[0].startswith("cohort 'a' has standard errors whose widening is assumed")
    assert said[0].endswith("cannot be told from 4 groups of people; expected at least 10")


def test_a_pattern_of_few_people_has_no_row_of_accuracy(study):
    few = "accuracy.tsv has no row of its own for 9 of 'a' with t1 alone; expected at least 10 people"
    assert study({"a": 60}, {"a": 9})[1] == [f"{few} (they are predicted all the same)"]
    assert study({"a": 60}, {"a": 10})[1] == []


def test_a_modality_that_hardly_anybody_who_is_tested_has_is_not_explained(study):
    _, said = study({"a": 60}, {"a": 46}, splits={"folds": 10, "repeats": 1}, interval_coverage=0.8)
    assert any(one.startswith("dwi has no importance in ") and "expected at least 2" in one for one in said), said


def test_too_few_sites_for_the_interval_of_a_gap_are_said(study):
    _, said = study({"a": 60, "b": 60}, splits={"scheme": ["kfold", "leave_one_cohort_out"], "folds": 2, "repeats": 1})
    assert any("intervals over people alone" in one and "there are 1 sites; expected at least 5" in one for one in said)
    assert (
        "calibration.tsv, what a few people of a new site are worth, is empty: 1 sites have 5 people or more; expected "
        "at least 5" in said
    )
