"""Groups of people: numbered, and read from sheets by cohort and label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.groups import group_codes, read_cells, read_groups, two_spellings
from brainpid.cohort.training_group import in_training_group
from brainpid.config.people_tables import PeopleTable
from brainpid.core.errors import InputError


def test_groups_are_numbered_and_a_missing_label_is_a_group_of_its_own():
    codes = group_codes(pd.Series(["x", np.nan, "y", "x", np.nan]))
    assert codes[0] == codes[3]
    assert len(set(codes)) == 4


def test_groups_are_read_by_cohort_and_label(tmp_path):
    """Labels of two cohorts may be the same; a group may have members in both."""
    sheets = {"a": ["f1", "f2", None], "b": ["f2", "f3", "f1"]}
    for cohort, families in sheets.items():
        sheet = pd.DataFrame({"participant_id": ["s1", "s2", "s3"], "cohort": cohort, "age": 1.0, "family": families})
        sheet.iloc[::-1].to_csv(tmp_path / f"{cohort}.tsv", sep="\t", index=False, na_rep="n/a")
    people = pd.DataFrame({"cohort": ["b", "a", "a", "b", "a"], "participant_id": ["s3", "s1", "s3", "s1", "s2"]})
    paths = [tmp_path / "a.tsv", tmp_path / "b.tsv"]
    found = read_groups(paths, people, "family")
    assert found is not None
    np.testing.assert_array_equal(found[:, None] == found, [
        [True, True, False, False, False],
        [True, True, False, False, False],
        [False, False, True, False, False],
        [False, False, False, True, True],
        [False, False, False, True, True],
    ])  # fmt: skip
    assert read_groups(paths, people, None) is None
    with pytest.raises(InputError, match=r"--sheets: .* \('family'\), found none"):
        read_groups([], people, "family")


def test_one_number_in_two_spellings_is_refused():
    """A table with an empty cell has 1.0 where another has 1."""
    assert two_spellings(["1", "1.0", None, "01", "2", "2.5", "2.50"]) == ["1", "1.0"]
    assert two_spellings(["01", "1", "a", "-0", "2."]) == []
    sheets = {"a": pd.DataFrame({"dx": ["0", "1"]}), "b": pd.DataFrame({"dx": ["1.0", None]})}
    with pytest.raises(InputError, match=r"train_on: column 'dx' has numbers in two spellings, 1, 1.0;"):
        in_training_group(sheets, {"dx": ("1",)})


def test_cells_of_groups_are_texts_by_cohort_and_label(tmp_path):
    (tmp_path / "p.tsv").write_text("id\tdx\n1\t 01 \nsub-2\tn/a\n")
    table = PeopleTable(path=str(tmp_path / "p.tsv"), participant_id="id", sex="sex", visits=None)
    cells = read_cells({"a": table}, ["dx"])["dx"]
    assert cells.index.tolist() == [("a", "sub-1"), ("a", "sub-2")]
    assert cells.iloc[0] == "01"
    assert pd.isna(cells.iloc[1])
    with pytest.raises(InputError, match=r"p.tsv.*'hand'.*of groups"):
        read_cells({"a": table}, ["hand"])
