"""The sheet of a cohort: labels are text from the file to the last step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainpid.cli import main
from brainpid.cohort.groups import group_codes
from brainpid.cohort.participants import read_labels, read_participants, read_sheet
from brainpid.config.cohorts import Columns, Target
from brainpid.config.slices import ParticipantsSettings
from brainpid.core.errors import InputError
from brainpid.features.inclusion import join_participants

ID = "participant_id"
HEADER = "participant_id,age,site,sex,family,icv\n"
LINES = [
    "01,20, 01,1,012,1e6\n",
    "1,30,1,2,12,2e6\n",
    "2,40,1e3,M,1.0,n/a\n",
    "sub-03,50,NA,F,1,3e6\n",
    "4,60,1,1, ,1\n",
]


def slice_of(path: Path) -> ParticipantsSettings:
    return ParticipantsSettings(path=str(path), columns=Columns(), target=Target(), visits=None)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(HEADER + "".join(LINES))
    return path


@pytest.fixture
def sheet(table, tmp_path):
    """The sheet that the verb wrote, as later steps read it."""
    settings = slice_of(table).model_dump_json()
    assert main(["participants", "--cohort", "a", "--settings", settings, "--out", str(tmp_path / "a.tsv")]) == 0
    return read_sheet(tmp_path / "a.tsv")


def test_no_label_becomes_a_number_on_the_way(sheet, table):
    assert sheet["participant_id"].tolist() == ["sub-01", "sub-1", "sub-2", "sub-03", "sub-4"]
    assert read_labels(table, "participant_id") == sheet["participant_id"].tolist()
    assert sheet["site"].tolist() == ["01", "1", "1e3", "a", "1"]
    assert sheet["sex"].tolist() == ["1", "2", "M", "F", "1"]
    assert sheet["family"].tolist()[:4] == ["012", "12", "1.0", "1"]
    assert sheet["age"].tolist() == [20, 30, 40, 50, 60]
    read = read_participants("a", slice_of(table))
    pd.testing.assert_frame_equal(sheet, read, check_dtype=False)


def test_families_012_and_12_are_two(sheet):
    codes = group_codes(sheet["family"])
    assert len(np.unique(codes)) == 5  # the empty one is a family of its own


def test_messages_name_the_lines_of_the_file(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("participant_id\tage\n\n1\t20\n\nsub-1\t30\n")
    with pytest.raises(InputError, match=r"found more than once: sub-1 \(lines 3, 5\)"):
        read_participants("a", slice_of(path))
    path.write_text("participant_id\tage\n1\t20\n  \t30\n")
    for read in (lambda: read_participants("a", slice_of(path)), lambda: read_labels(path, ID)):
        with pytest.raises(InputError, match=r"no participant_id in line\(s\) 3"):
            read()
    path.write_text("participant_id\tage\n\n1\t20\n\n2\t300\n\n3\t-1\n")
    with pytest.raises(InputError, match=r"found '300' in line 5 \(sub-2\); 2 of 3 cells are no such number"):
        read_participants("a", slice_of(path))


def test_one_person_without_a_readable_age_is_one_person(tmp_path):
    """``89+`` stands in tables that are shared; the sheet keeps the reason on its way to participants.tsv."""
    path = tmp_path / "p.tsv"
    path.write_text("participant_id\tage\n1\t20\n2\t89+\n3\t40\n")
    settings = slice_of(path).model_dump_json()
    assert main(["participants", "--cohort", "a", "--settings", settings, "--out", str(tmp_path / "a.tsv")]) == 0
    sheet = read_sheet(tmp_path / "a.tsv")
    assert sheet["age"].isna().tolist() == [False, True, False]
    people = join_participants({"a": sheet}, {}, ["t1"])
    assert people["reason"][1].startswith("no target value: '89+' is no number in years")
    assert people["reason"][0].startswith("t1 UNAVAILABLE")
    read = read_participants("a", slice_of(path).model_copy(update={"target": Target(replace={"89+": 89})}))
    assert read["age"].tolist() == [20, 89, 40]
    assert "target_reason" not in read


def test_a_renamed_site_keeps_its_own_name_too(table):
    """By it the column can be that of the groups."""
    settings = slice_of(table).model_copy(update={"columns": Columns(site="family")})
    read = read_participants("a", settings)
    assert read["site"].tolist() == ["012", "12", "1.0", "1", "a"]
    assert read["family"].tolist()[:4] == ["012", "12", "1.0", "1"]


def test_a_code_within_the_range_is_said(tmp_path, caplog):
    path = tmp_path / "p.tsv"
    rows = [f"{k}\t{20 + k % 9}\n" for k in range(30)] + ["30\t99\n", "31\t99\n"]
    path.write_text("participant_id\tage\n" + "".join(rows))
    assert (read_participants("a", slice_of(path))["age"] == 99).sum() == 2
    assert "column 'age': 99 stands in 2 of 32 people, first sub-30" in caplog.text


@pytest.mark.parametrize("label", ["../../x", "a/b", "a\\b", "s*", "s?", "<b>x</b>", "a\x07b", "x" * 101, "s[1]"])
def test_a_label_that_is_no_part_of_a_file_name_is_refused(tmp_path, label):
    path = tmp_path / "p.tsv"
    path.write_text(f"participant_id\tage\n1\t20\n{label}\t30\n")
    for read in (lambda: read_participants("a", slice_of(path)), lambda: read_labels(path, ID)):
        with pytest.raises(InputError, match=r"p.tsv: line 3: '.*' is no label of a person"):
            read()
