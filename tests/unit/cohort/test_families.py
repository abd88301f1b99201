"""Columns of relatives are read from participants tables, and families of two cohorts are not one."""

from __future__ import annotations

import pandas as pd

from brainpid.cohort.families import read_families


def test_families_of_two_cohorts_are_apart(tmp_path):
    (tmp_path / "a.tsv").write_text("id\tage\tFamily_ID\n1\t30\t7\nsub-2\t40\t7\n3\t50\tn/a\n")
    (tmp_path / "b.tsv").write_text("id\tage\tfamily\n1\t30\t7\n")
    people = pd.DataFrame({"cohort": ["b", "a", "a", "a"], "participant_id": ["sub-1", "sub-3", "sub-2", "sub-1"]})
    paths, labels = {name: tmp_path / f"{name}.tsv" for name in "ab"}, {"a": "id", "b": "id"}
    found = read_families(paths, labels, people)
    assert found["Family_ID"].fillna("").tolist() == ["", "", "a 7", "a 7"]
    assert found["family"].fillna("").tolist() == ["b 7", "", "", ""]
    (tmp_path / "a.tsv").write_text("id\tage\n1\t30\n")
    assert read_families({"a": tmp_path / "a.tsv"}, labels, people) is None
