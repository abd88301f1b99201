"""Columns of people's tables are known by names that differ in capitals and signs."""

from __future__ import annotations

from brainpid.cohort.columns import LABELS, ages_in, first_named, of_the_person


def test_the_standard_name_is_taken_before_others():
    assert first_named(["ID", "Subject", "participant_id"], LABELS) == "participant_id"
    assert first_named(["Sex", "sex"], ("sex",)) == "sex"
    assert first_named(["age"], LABELS) is None


def test_ages_are_ages_and_no_groups_of_them():
    assert ages_in(["age_group", "Age.At.Scan", "age", "image", "age_at_onset", "mother_age"]) == [
        "age",
        "Age.At.Scan",
        "mother_age",
    ]


def test_what_tells_of_the_person_is_no_feature():
    assert of_the_person(["lh_average", "Gender", "interview_age", "SITE_ID", "sexual"]) == {
        "Gender",
        "interview_age",
        "SITE_ID",
    }
