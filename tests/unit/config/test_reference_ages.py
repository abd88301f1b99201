"""What can be a reference for ages, and what it is called."""

from __future__ import annotations

import pytest

from brainpid.config.reference_ages import ReferenceAges
from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError

SOURCES = {m: {"kind": "table", "path": f"{m}.tsv"} for m in ("t1", "dwi")}
STUDY = {
    "output_dir": "out", "modalities": ["t1", "dwi"],
    "cohorts": {"camcan": {"participants": "p.tsv", "sources": SOURCES}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "expected one of range, cohort and table, found none"),
        ({"range": [1, 2], "cohort": "a"}, "found range and cohort"),
        ({"table": "x.tsv"}, "table and column go together"),
        ({"range": [3, 2]}, "low < high"),
    ],
)
def test_what_is_no_reference_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        ReferenceAges(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cohort": "camcam"}, r"reference_ages.cohort: 'camcam' is not among cohorts; .*camcan"),
        ({"range": [18, 130]}, r"reference_ages.range: \[18.0, 130.0\] is not within target.range \[0.0, 120.0\]"),
        ({"rage": [18, 90]}, "range"),
    ],
)
def test_a_reference_that_the_study_cannot_have_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        parse_config(STUDY | {"reference_ages": given}, "c.yaml")


def test_a_reference_has_words():
    assert parse_config(STUDY, "c.yaml").reference_ages is None
    given = ({"range": [18, 90]}, {"cohort": "camcan"}, {"table": "census.tsv", "column": "age"})
    assert [parse_config(STUDY | {"reference_ages": one}, "c.yaml").reference_ages.words for one in given] == [
        "evenly from 18 to 90", "as in the cohort camcan", "as in the column age",
    ]  # fmt: skip
