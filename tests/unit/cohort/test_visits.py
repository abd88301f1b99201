"""Visits of people as rows of their own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from cohorts import touch

from brainpid.cohort.exclusions import read_exclusions
from brainpid.cohort.finding import find, unmatched_labels
from brainpid.cohort.participants import read_labels, read_participants, read_sites
from brainpid.cohort.visits import visits_digest
from brainpid.config.cohorts import Columns, Target
from brainpid.config.slices import ParticipantsSettings
from brainpid.config.sources import NiftiSource
from brainpid.config.visits import Visits
from brainpid.core.errors import InputError


def dataset(top: Path) -> Path:
    """Three people: two visits with ages, one visit, and two visits whose ages nobody gives."""
    touch(top, *(f"sub-0{k}/ses-{s}/anat/sub-0{k}_ses-{s}_T1w.nii.gz" for k, s in ((1, "a"), (1, "b"), (2, "a"))))
    touch(top, "sub-03/ses-a/anat/x.nii.gz", "sub-03/ses-b/anat/x.nii.gz", "sub-09/ses-a/anat/x.nii.gz")
    (top / "participants.tsv").write_text("participant_id\tage\tsex\tsite\n01\t30\tF\ts\n02\t40\tM\ts\n03\t50\tM\tt\n")
    (top / "sub-01/sub-01_sessions.tsv").write_text("session_id\tage\tsite\nses-a\t30.5\tn/a\nses-b\t33\tu\n")
    return top


def settings(top: Path, bids: Path | None) -> ParticipantsSettings:
    visits = Visits(bids=None if bids is None else str(bids), session="session_id")
    return ParticipantsSettings(path=str(top / "participants.tsv"), columns=Columns(), target=Target(), visits=visits)


def test_a_row_a_visit_from_the_sessions_of_a_dataset(tmp_path, caplog):
    top = dataset(tmp_path)
    given = settings(top, top)
    sheet = read_participants("a", given)
    expected = pd.DataFrame(
        {
            "participant_id": ["sub-01_ses-a", "sub-01_ses-b", "sub-02_ses-a", "sub-03_ses-a", "sub-03_ses-b"],
            "age": [30.5, 33, 40, None, None], "sex": list("FFMMM"), "site": list("sustt"),
            "person": ["sub-01", "sub-01", "sub-02", "sub-03", "sub-03"],
        }
    )  # fmt: skip
    pd.testing.assert_frame_equal(sheet[list(expected)], expected, check_dtype=False)
    assert "1 people have several visits and no age of each" in caplog.text
    caplog.clear()
    assert read_labels(given.path, "participant_id", given.visits) == expected["participant_id"].tolist()
    assert read_sites(given.path, "site", "a", ("participant_id", given.visits)) == ["s", "u", "t"]
    assert caplog.text == ""  # whoever reads no ages misses none
    before = visits_digest(given.visits)
    (top / "sub-01/sub-01_sessions.tsv").write_text("session_id\tage\nses-a\t30.5\nses-b\t34\n")
    assert visits_digest(given.visits) != before


@pytest.mark.parametrize(
    "text",
    [
        "participant_id\tsession_id\tage\n01\tses-a\t30\nsub-01\tb\t33\n02\tn/a\t40\n",
        "participant_id\tage\nsub-01_ses-a\t30\n01_ses-b\t33\n02\t40\n",
    ],
)
def test_a_participants_table_with_a_row_a_visit(tmp_path, text):
    (tmp_path / "participants.tsv").write_text(text)
    sheet = read_participants("a", settings(tmp_path, None))
    assert sheet["participant_id"].tolist() == ["sub-01_ses-a", "sub-01_ses-b", "sub-02"]
    assert sheet["person"].tolist() == ["sub-01", "sub-01", "sub-02"]
    assert sheet["age"].tolist() == [30, 33, 40]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("participant_id\tage\n01\t30\n01\t33\n", "sub-01 have several rows, which are not told apart"),
        ("participant_id\tsession_id\tage\n01\ta\t30\n01\ta\t33\n", "several of sub-01_ses-a"),
    ],
)
def test_rows_that_are_not_told_apart(tmp_path, text, words):
    (tmp_path / "participants.tsv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_participants("a", settings(tmp_path, None))


def test_files_are_those_of_the_visit(tmp_path):
    top = dataset(tmp_path)
    for path in top.rglob("*.nii.gz"):
        path.write_bytes(b"not empty")
    source = NiftiSource(kind="nifti", sessions="all")
    found = find(source, "t1", str(top), "sub-01_ses-b")
    assert found.files["t1w"].endswith("ses-b/anat/sub-01_ses-b_T1w.nii.gz")
    assert find(source, "t1", str(top), "sub-01_ses-z").files == {}
    assert unmatched_labels(source, str(top), ["sub-01_ses-a", "sub-02_ses-a", "sub-03_ses-a"]) == ["sub-09"]


def test_the_label_of_a_person_excludes_all_visits(tmp_path):
    (tmp_path / "e.tsv").write_text("participant_id\treason\n01\tstroke\n02_ses-b\tmotion\n")
    people = ["sub-01_ses-a", "sub-01_ses-b", "sub-02_ses-a", "sub-02_ses-b"]
    found = read_exclusions(tmp_path / "e.tsv", people, ["t1"])
    assert found == {"t1": {"sub-01_ses-a": "stroke", "sub-01_ses-b": "stroke", "sub-02_ses-b": "motion"}}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("ses-a\t30\nses-b\t33\na\t31\n", r"sub-01_sessions.tsv: line 4: expected one row a session.*several of 'a'"),
        ("ses-a\t30\nn/a\t33\n", r"sub-01_sessions.tsv: line 3: no session_id"),
        ("ses-a\t30\nses-b/c\t33\n", r"participants.tsv: 'sub-01_ses-b/c' is no label of a visit"),
    ],
)
def test_sessions_that_are_no_visits_are_refused_with_their_line(tmp_path, rows, words):
    top = dataset(tmp_path)
    (top / "sub-01/sub-01_sessions.tsv").write_text(f"session_id\tage\n{rows}")
    with pytest.raises(InputError, match=words):
        read_participants("a", settings(top, top))


def test_a_visit_without_an_age_is_that_visit_s_matter(tmp_path):
    top = dataset(tmp_path)
    (top / "sub-01/sub-01_sessions.tsv").write_text("session_id\tage\nses-a\tn/a\nses-b\t33\n")
    sheet = read_participants("a", settings(top, top)).set_index("participant_id")
    assert sheet["age"].isna().tolist() == [True, False, False, True, True]
