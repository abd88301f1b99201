"""Cohorts whose names other programs take for a missing value, a number or a truth keep them in every table."""

from __future__ import annotations

import csv

import pytest
import yaml
from cohorts import make_config, make_tables, write_cohort
from verbs import run_tables, run_verb

from brainpid.config import slices
from brainpid.config.schema import load_config

pytestmark = pytest.mark.slow

NAMES = ["NA", "null", "nan", "None", "true", "1e5", "007"]


def test_names_that_look_like_something_else(tmp_path):
    """They are dealt as cohorts, and stand in the place of the sites that the tables do not have."""
    for seed, name in enumerate(NAMES):
        tables = make_tables(14, seed, f"sub-{seed}x")
        del tables["participants"]["site"]
        write_cohort(tmp_path / name, tables)
    splits = {"scheme": "leave_one_cohort_out"}
    config = make_config(tmp_path, NAMES, tmp_path / "out", splits=splits, null={"permutations": 1}, final_model=False)
    text = yaml.safe_dump(config, sort_keys=False)
    assert "'null'" in text  # PyYAML quotes what has to be
    (tmp_path / "c.yaml").write_text(text)
    out = run_tables(tmp_path / "c.yaml")
    settings = slices.ReportSettings.of(load_config(tmp_path / "c.yaml"))
    run_verb("report", settings, "--results", out)
    seen = {}
    for path in [*out.glob("*.tsv"), *out.glob("participants/*.tsv"), *out.glob("aggregate/*.tsv")]:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        for column in ("cohort", "site"):
            seen[str(path.relative_to(out)), column] = {row[column] for row in rows if column in row} - {"pooled"}
    for name in NAMES:
        assert seen[f"participants/{name}.tsv", "cohort"] == seen[f"participants/{name}.tsv", "site"] == {name}
    joined = [f"aggregate/{table}.tsv" for table in ("predictions", "accuracy", "pid", "null", "normality", "latents")]
    for table in ["participants.tsv", "splits.tsv", *joined]:
        assert seen[table, "cohort"] == set(NAMES), table
    assert seen["participants.tsv", "site"] == set(NAMES)
    page = (out / "report.html").read_text(encoding="utf-8")
    for name in NAMES:
        assert f">{name}<" in page, name
