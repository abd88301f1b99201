"""The digest of a table holds what is read of it, and not how the file is written."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from brainpid.core.contents import table_digest
from brainpid.core.errors import MachineError

TEXT = "participant_id\tage\tnote\nsub-1\t40\tx\nsub-2\t50\ty\n"


@pytest.fixture
def digest(tmp_path):
    """Digest of the columns participant_id and age of a text, with a dictionary beside it."""

    def of(text, name="a.tsv", units=None):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if units is not None:
            path.with_suffix(".json").write_text(units if isinstance(units, str) else json.dumps(units))
        return table_digest(path, lambda names: ("participant_id", "age"), lambda names: ("age",))

    return of


@pytest.mark.parametrize(
    "same",
    [
        TEXT.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("x", "another"),
        TEXT.replace("note", "remark"),
        "note\tparticipant_id\tage\nx\tsub-1\t40\n\ny\tsub-2\t50",
        "participant_id\tage\n\"sub-1\"\t40\nsub-2\t50\n",
    ],
)  # fmt: skip
def test_how_it_is_written_does_not_count(digest, same):
    assert digest(same) == digest(TEXT)


def test_a_csv_that_says_the_same_is_the_same(digest):
    assert digest(TEXT.replace("\t", ","), "a.csv") == digest(TEXT)


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("50", "51"),
        TEXT.replace("sub-2", "sub-3"),
        "participant_id\tage\tnote\nsub-2\t50\ty\nsub-1\t40\tx\n",  # the order decides who is in which fold
        TEXT + "sub-3\t60\tz\n",
        TEXT.replace("40\tx", "40"),  # a cell is lost
        TEXT.replace("age", "ages"),
        "",
        b"\xff\xfe",
    ],
)
def test_what_it_says_does(digest, other):
    assert digest(other) != digest(TEXT)


def test_units_and_regions_of_the_columns_that_are_described_count(digest):
    plain = digest(TEXT)
    assert digest(TEXT, units={"note": {"Units": "mm"}, "age": {"Description": "years"}}) == plain
    months = digest(TEXT, units={"age": {"Units": "months"}})
    assert months != plain
    assert digest(TEXT, units={"age": {"Units": "years"}}) not in (plain, months)
    assert digest(TEXT, units="[1]") != digest(TEXT, units="no JSON") != plain


def test_what_the_machine_does_not_read_is_no_other_content(digest, tmp_path, monkeypatch):
    """As a change it would make everything again that depends on the table."""

    def refuse(number: int) -> None:
        def open_it(*_, **__):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "open", open_it)

    digest(TEXT)
    for number in (errno.ESTALE, errno.EIO):
        refuse(number)
        with pytest.raises(MachineError, match=errno.errorcode[number]):
            table_digest(tmp_path / "a.tsv", list, list)
    refuse(errno.EACCES)  # who reads it says so
    assert table_digest(tmp_path / "a.tsv", list, list) == table_digest(tmp_path / "nowhere.tsv", list, list)
