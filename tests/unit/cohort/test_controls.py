"""Columns of nuisance, joined by label, with faults that a person can act on."""

from __future__ import annotations

import pandas as pd
import pytest

from brainpid.cohort.controls import check_columns, controls_in_words, read_by, read_columns
from brainpid.config.analysis import ControlQuality, ControlTable
from brainpid.config.people_tables import PeopleTable
from brainpid.core.errors import InputError

PEOPLE = pd.DataFrame(
    {"cohort": ["a", "a", "b"], "participant_id": ["sub-1", "sub-2", "sub-3"], "site": ["s", "t", "b"]},
    index=[4, 7, 9],
)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.tsv").write_text("id\tgender\ticv\n2\tm\t1.5\n1\tf\t1.25\n")
    (tmp_path / "b.tsv").write_text("id\tgender\ticv\n3\tf\tn/a\n")
    (tmp_path / "motion.tsv").write_text("participant_id\tfd\tx\nsub-3\t0.3\t1\n1\t0.1\t2\n")
    (tmp_path / "fmri.tsv").write_text("participant_id\tcohort\tsnr\nsub-1\ta\t5\nsub-2\ta\t6\nsub-3\tb\t7\n")
    return tmp_path


def tables(folder):
    given = {"participant_id": "id", "sex": "gender", "visits": None}
    return {name: PeopleTable(path=f"{folder}/{name}.tsv", **given) for name in "ab"}


def test_columns_are_joined_by_label_and_the_site_comes_by_itself(files):
    controls = ("sex", "icv", ControlTable(table=f"{files}/motion.tsv", columns=("fd",)),
                ControlQuality(quality="fmri", columns=("snr",)))  # fmt: skip
    found = read_columns(controls, tables(files), {"fmri": files / "fmri.tsv"}, PEOPLE)
    assert list(found) == ["site", "sex", "icv", "motion", "fmri_quality"]
    assert found["site"]["site"].tolist() == ["s", "t", "b"]
    assert found["sex"]["sex"].tolist() == ["f", "m", "f"]
    assert found["icv"]["icv"].astype(float).fillna(-1).tolist() == [1.25, 1.5, -1]
    assert found["motion"]["fd"].fillna(-1).tolist() == [0.1, -1, 0.3]
    assert found["fmri_quality"]["snr"].tolist() == [5, 6, 7]
    assert all(list(columns.index) == [4, 7, 9] for columns in found.values())


def test_a_study_of_one_site_has_no_control_by_itself():
    assert read_columns((), {}, {}, PEOPLE.iloc[:1]) == {}
    assert list(read_columns(("site",), {}, {}, PEOPLE.iloc[:1])) == ["site"]
    assert list(read_columns((), {}, {}, PEOPLE)) == ["site"]


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ("education", "education"),
        (ControlTable(table="motion.tsv", columns=("fdd",)), "did you mean 'fd'"),
        (ControlTable(table="none.tsv", columns=("fd",)), "none.tsv"),
    ],
)
def test_what_is_absent_is_named_before_anything_runs(files, control, words):
    if isinstance(control, ControlTable):
        control = ControlTable(table=f"{files}/{control.table}", columns=control.columns)
    with pytest.raises(InputError, match=words):
        check_columns((control,), tables(files))
    with pytest.raises(InputError, match=words):
        read_columns((control,), tables(files), {}, PEOPLE)


def test_labels_of_two_cohorts_need_a_column_that_tells_them_apart(files):
    twice = PEOPLE.assign(participant_id="sub-1")
    with pytest.raises(InputError, match="people of two cohorts"):
        read_columns((ControlTable(table=f"{files}/motion.tsv", columns=("fd",)),), {}, {}, twice)


def test_a_cohort_without_any_value_is_named(files):
    (files / "motion.tsv").write_text("participant_id\tfd\nsub-1\t0.3\n")
    with pytest.raises(InputError, match="nobody of cohort 'b'"):
        read_columns((ControlTable(table=f"{files}/motion.tsv", columns=("fd",)),), {}, {}, PEOPLE)


def test_people_of_several_rows_are_refused(files):
    (files / "motion.tsv").write_text("participant_id\tfd\nsub-1\t0.3\n1\t0.2\nsub-3\t1\n")
    with pytest.raises(InputError, match="one row a person, found several of sub-1"):
        read_columns((ControlTable(table=f"{files}/motion.tsv", columns=("fd",)),), {}, {}, PEOPLE)


def test_digests_are_of_the_columns_that_are_read(files):
    own = tables(files)["a"]
    assert read_by(("site", "sex", "icv"), own) == ["id", "gender", "icv"]
    assert read_by(("site",), own) == []
    assert read_by((), ControlTable(table="m.tsv", columns=("fd",))) == ["participant_id", "cohort", "fd"]


def test_check_says_what_is_given():
    people = PEOPLE.assign(included=True)
    assert "beyond site (" in controls_in_words(people, ())
    assert "beyond site + sex" in controls_in_words(people, ("sex",))
    assert controls_in_words(people.iloc[:1], ()) == ""
