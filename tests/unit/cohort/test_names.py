"""Names of files are taken apart whole."""

from __future__ import annotations

from brainpid.cohort.names import Name, fits, natural, parse, written


def test_a_name_is_entities_suffix_and_extension():
    found = parse("sub-01_ses-a_task-rest_run-002_space-X+2_desc-preproc_bold.nii.gz")
    expected = {"sub": "01", "ses": "a", "task": "rest", "run": "2", "space": "X", "cohort": "2", "desc": "preproc"}
    assert found == Name(expected, "bold", ".nii.gz")
    assert parse("T1w.nii") == Name({}, "T1w", ".nii")
    assert parse("sub-1_odd_acq-a-b_T1w.nii").entities == {"sub": "1", "odd": "", "acq": "a-b"}
    assert written(found.entities, ("sub", "ses", "space", "cohort")) == "task-rest_run-2_desc-preproc"


def test_values_are_compared_whole_and_numbers_as_numbers():
    own = parse("sub-01_task-restMovie_run-01_bold.nii").entities
    assert not fits(own, {"task": "rest"})
    assert not fits(own, {"sub": "1"})  # a label and no number
    assert fits(own, {"run": "001", "acq": None})
    assert not fits(own, {"run": None})
    assert not fits(own, {"acq": "x"})


def test_names_are_sorted_as_people_count():
    assert sorted(["ses-10", "ses-2", "ses-b", "ses-02"], key=natural) == ["ses-02", "ses-2", "ses-10", "ses-b"]
