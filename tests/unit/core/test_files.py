"""Tables are read line by line as they stand, or refused with the line; what is written is read back the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError, MachineError
from brainpid.core.files import (
    line_of,
    numeric_cells,
    read_header,
    read_json,
    read_own_tsv,
    read_table,
    require_column,
    write_json,
    write_table,
    write_tsv,
)


@pytest.fixture
def written(tmp_path):
    """Write a text to a file of a name and give its path."""

    def write(text: str, name: str = "t.tsv", encoding: str = "utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


PLAIN = [["a", "1"], ["b", "2"]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.tsv", "id\tx\na\t1\nb\t2\n"),
        ("t.tsv", "\ufeffid\tx\r\na\t1\r\nb\t2\r\n"),
        ("t.tsv", "id\tx\na\t1\n\nb\t2\n\n  \n"),
        ("t.tsv", "id\tx\na\t1\nb\t2"),
        ("t.tsv", "id\tx\ra\t1\rb\t2\r"),
        ("t.tsv", '"id"\t"x"\n"a"\t1\n"b"\t"2"\n'),
        ("t.tsv", "id\tx\t\t\na\t1\t\nb\t2\t\n"),
        ("t.tsv", "id\tx\na\t1\t\nb\t2\t\n"),
        ("t.csv", "id,x\na,1\nb,2\n"),
        ("t.csv", '\ufeff"id","x"\r\n"a",1\r\n\r\n"b","2"\r\n'),
        ("t.csv", "id,x,\na,1,\nb,2,\n"),
        ("t.csv", "id,x\na,1\n,\nb,2\n,\n,\n"),
        ("t.csv", "id,x,,\na,1,,\nb,2,,\n,,,\n"),
        ("t.tsv", "id\tx\na\t1\n\t\nb\t2\n\t\n"),
    ],
)
def test_what_is_no_cell_and_no_row_does_not_count(written, name, text):
    path = written(text, name)
    assert read_header(path) == ["id", "x"]
    assert read_table(path).to_numpy().tolist() == PLAIN
    assert read_table(path, text=["id"])["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.tsv", "id\tx\na\t1\nb\t2\t3\n", "line 3 has 3 cells, the header 2"),
        ("t.tsv", "id\tx\na\t1\nb\n", "line 3 has 1 cells, the header 2"),
        ("t.tsv", "id\tx\n1\ta\t1\n2\tb\t2\n", "line 2 has 3 cells, the header 2"),
        ("t.tsv", "id\tx\na\t1\t\n\nb\t2\n", "line 4 has 2 cells, the header 2 and the lines before 3"),
        ("t.tsv", "id\tx\na\t1\nb\t2\t\n", "line 3 has 3 cells, the header 2"),
        ("t.tsv", 'id\tx\na\t"1\nb\t2\t3"\n', "line 3 has 3 cells, the header 2"),
        ("t.tsv", 'id\tx\na\t"1\t2"\n', "line 2 has 3 cells, the header 2"),
        ("t.csv", "id,x\na,1\nb,2,3\n", "line 3 has 3 cells, the header 2"),
        ("t.csv", "id,x\na,1\n\n\nb,2,3\n", "line 5 has 3 cells, the header 2"),
        ("t.csv", 'id,x\na,"1\nb,2\nc,3\n', "line 2: a double quote opens a cell that is not closed as one by line 4"),
        ("t.csv", 'id,x\na,"1" 2\nb,2\n', "line 2: a double quote opens a cell"),
        ("t.csv", 'id,x\na,"1\nb,2\nc,3"\nd,4\n', "lines 2 to 4: double quotes make one row of them"),
        ("t.csv", 'id,x\n"a,1\nb",2\nc,3\n', "lines 2 to 3: double quotes make one row of them"),
        ("t.tsv", "\tx\na\t1\n", r"line 1: column\(s\) 1 of 2 have no name"),
        ("t.csv", ",id\n1,a\n", r"line 1: column\(s\) 1 of 2 have no name"),
        ("t.tsv", "x\tx\na\t1\n", "line 1 names a column twice: x"),
        ("t.tsv", "\n\n", "the file is empty"),
        ("t.csv", "", "the file is empty"),
        ("t.txt", "id\n", "expected a table with the ending .tsv or .csv, found '.txt'"),
    ],
)
def test_an_irregular_table_is_refused_with_its_line(written, name, text, message):
    with pytest.raises(InputError, match=message):
        read_table(written(text, name))


def test_bytes_of_another_encoding_do_not_matter_and_stay_different(written):
    text = "id\tcomment\tx\na\tKöln\t1\nb\tKéln\t2\nc\tKoln\t3\n"
    table = read_table(written(text, encoding="latin-1"), text=["id", "comment"])
    assert table["comment"].tolist() == ["K\\xf6ln", "K\\xe9ln", "Koln"]
    assert table["x"].tolist() == [1, 2, 3]
    comma = read_table(written(text.replace("\t", ","), "t.csv", "latin-1"), text=["id", "comment"])
    pd.testing.assert_frame_equal(comma, table)


def test_other_encodings_are_named(written):
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        with pytest.raises(InputError, match=r"line 1 holds zero bytes.*expected a table in UTF-8"):
            read_table(written("id\tx\na\t1\n", encoding=encoding))
    with pytest.raises(InputError, match=r"nowhere.tsv: the file does not exist"):
        read_table("nowhere.tsv")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("t.csv", "participant_id;a;b\nx;0,5;1\n", "semicolons? A .csv has commas, and decimals with a point"),
        ("t.tsv", "participant_id,a,b\nx,0.5,1\n", "commas? A .tsv has tabs"),
        ("t.csv", "participant_id\ta\tb\nx\t0.5\t1\n", "tabs? A .csv has commas"),
        ("t.tsv", "participant_id;a;b\nx;0,5;1\n", "semicolons? A .tsv has tabs"),
        ("t.csv", "participant_id|a|b\nx|1|1\n", "vertical bars? A .csv has commas"),
        ("t.tsv", "participant_id a b\nx 1 1\n", "spaces? A .tsv has tabs"),
        ("t.csv", 'participant_id;"a, left";b\nx;0,5;1\n', "semicolons? A .csv has commas"),
    ],
)
def test_the_likely_separator_is_named(written, name, text, found):
    path = written(text, name)
    with pytest.raises(InputError) as error:
        require_column(path, read_header(path), "participant_id", "the label")
    assert found in str(error.value)


def test_a_message_names_a_few_columns(written):
    path = written("eid\t" + "\t".join(f"{k}-2.0" for k in range(2000)) + "\n")
    with pytest.raises(InputError) as error:
        require_column(path, read_header(path), "participant_id", "the label of each person")
    assert str(error.value).endswith("found eid, 0-2.0, 1-2.0, 2-2.0, 3-2.0 and 1996 more")
    with pytest.raises(InputError) as error:
        require_column(path, ["x" * 5000], "participant_id", "the label of each person")
    assert len(str(error.value)) < 500


def test_a_decimal_comma_is_named(written):
    path = written('id,x\na,"0,5"\n', "t.csv")
    with pytest.raises(InputError, match=r"found '0,5' \(1 such cells in this column\); write decimals with a point"):
        numeric_cells(read_table(path)[["x"]], ["a"], path)


def test_a_header_of_r_is_explained(written):
    with pytest.raises(InputError, match=r"line 2 has 3 cells, the header 2.*row.names = FALSE"):
        read_table(written("id\tx\n1\ta\t1\n"))


FORMULAS = ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "'=x", "''=x", " =x"]


def test_a_formula_runs_nowhere_and_comes_back(tmp_path):
    texts = [*FORMULAS, "-9", "+/-", "- none", "'quoted'", "a=b", "n/a text"]
    path = tmp_path / "t.tsv"
    write_tsv(path, pd.DataFrame({"note": texts, "x": range(len(texts))}))
    cells = [line.split("\t")[0] for line in path.read_text().splitlines()[1:]]
    assert [cell.lstrip(" ")[0] for cell in cells[: len(FORMULAS)]] == ["'"] * len(FORMULAS)
    assert cells[len(FORMULAS) :] == texts[len(FORMULAS) :]
    assert read_own_tsv(path)["note"].tolist() == texts


def test_a_formula_is_no_name_of_a_column(written):
    with pytest.raises(InputError, match="line 1: expected names of columns, found formulas"):
        read_header(written("id\t=HYPERLINK(A1)\n"))


def test_quotes_of_a_csv_hold_commas_line_breaks_and_quotes(written):
    path = written('id,note,x\na,"one, two",1\nb,"first\nsecond",2\nc,"say ""hm""",3\nd,5" disk,4\n', "t.csv")
    table = read_table(path, text=["id", "note"])
    assert table["note"].tolist() == ["one, two", "first\nsecond", 'say "hm"', '5" disk']
    assert table["x"].tolist() == [1, 2, 3, 4]
    assert [line_of(table, row) for row in range(4)] == [2, 3, 5, 6]


def test_a_quote_in_a_tsv_is_text(written):
    table = read_table(written('id\tnote\na\t"odd\nb\t5" disk\nc\teven"\nd\t"say ""hm"""\n'))
    assert table["note"].tolist() == ['"odd', '5" disk', 'even"', 'say "hm"']


def test_messages_name_the_line_of_the_file(written):
    path = written("id\tx\na\t1\n\nb\tyoung\n")
    with pytest.raises(InputError, match=r"t.tsv: line 4 \(b\), column 'x': expected a number or n/a, found 'young'"):
        numeric_cells(read_table(path)[["x"]], ["a", "b"], path)


def test_what_is_written_is_read_back(tmp_path):
    table = pd.DataFrame(
        {
            "participant_id": ["01", "1"],
            "site": ["1e3", "NA"],
            "reason": ['expected "a"\tor\n"b"', None],
            "t1_status": ["inf", "True"],
            "bits": [0.1, np.nan],
            "n": [3, 4],
            "included": [True, False],
        }
    )
    write_tsv(tmp_path / "t.tsv", table)
    found = read_own_tsv(tmp_path / "t.tsv")
    expected = table.assign(reason=['expected "a" or "b"', np.nan])
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert found["included"].dtype == bool
    text = read_own_tsv(tmp_path / "t.tsv", numbers=["bits"])
    assert text["n"].tolist() == ["3", "4"]
    assert text["bits"].dtype == float


def test_an_own_table_that_was_cut_short_is_refused(tmp_path):
    path = tmp_path / "t.tsv"
    write_tsv(path, pd.DataFrame({"participant_id": ["a", "b"], "x": [1.5, 2.25]}))
    whole = path.read_bytes()
    lines = {position + 1 for position, byte in enumerate(whole) if byte == 10}
    for length in set(range(len(whole))) - lines:
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=str(path)):
            read_own_tsv(path)


def test_a_file_that_is_not_there_or_closed_is_named(tmp_path, monkeypatch):
    (tmp_path / "link.tsv").symlink_to("gone.tsv")
    (tmp_path / "folder.tsv").mkdir()
    (tmp_path / "t.tsv").write_text("id\n1\n")
    for name, message in (("link", "it is a link to gone.tsv"), ("folder", "expected a file, found a folder")):
        with pytest.raises(InputError, match=message):
            read_table(tmp_path / f"{name}.tsv")

    def refuse(number: int) -> None:
        def open_it(*_, **__):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(Path, "open", open_it)

    refuse(errno.EACCES)
    with pytest.raises(InputError, match=r"t\.tsv: the file may not be read \(Permission denied\)"):
        read_table(tmp_path / "t.tsv")
    refuse(errno.ESTALE)
    with pytest.raises(MachineError, match=r"ESTALE .*t\.tsv"):
        read_table(tmp_path / "t.tsv")


def test_json_that_is_not_what_was_written_is_refused(tmp_path):
    path = tmp_path / "t.json"
    with pytest.raises(InputError, match=r"t\.json: the file does not exist"):
        read_json(path)
    write_json(path, {"a": [1, "ü"]})
    assert read_json(path) == {"a": [1, "ü"]}
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"t\.json: not readable as JSON"):
            read_json(path)
    path.write_text("[1]")
    with pytest.raises(InputError, match="expected a mapping, found list"):
        read_json(path)


def test_a_table_is_written_as_its_name_says(tmp_path):
    table = pd.DataFrame({"participant_id": ["a,1", "b"], "x": [1.5, float("nan")], "reason": ["one\ttwo", None]})
    write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text() == 'participant_id,x,reason\n"a,1",1.5,one\ttwo\nb,n/a,n/a\n'
    write_table(tmp_path / "t.tsv", table)
    assert (tmp_path / "t.tsv").read_text() == "participant_id\tx\treason\na,1\t1.5\tone two\nb\tn/a\tn/a\n"
    with pytest.raises(InputError, match=r"ending \.tsv or \.csv, found '\.txt'"):
        write_table(tmp_path / "t.txt", table)
