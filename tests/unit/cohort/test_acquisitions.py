"""What is said where people get different images."""

from __future__ import annotations

from brainpid.cohort.acquisitions import counted, different


def test_people_with_different_acquisitions_are_named():
    people = {f"sub-{k}": "acq-a" if k < 3 else "" for k in range(4)}
    said = "people get different acquisitions: 3 x acq-a (sub-0, sub-1, sub-2), 1 x no entities (sub-3)"
    assert different(people) == said
    del people["sub-3"]
    assert different(people) == ""
    assert different({}) == ""


def test_one_line_for_all_of_whom_the_same_is_said():
    notes = {"sub-1": "first of 2: sub-1_T1w.nii", "sub-2": "first of 2: sub-2_T1w.nii", "sub-3": "", "sub-4": "other"}
    assert counted(notes) == ["2 x first of 2: sub-*_T1w.nii", "1 x other"]
