"""Groups of people: numbered, and read from sheets by cohort and label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.groups import group_codes, read_groups
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
