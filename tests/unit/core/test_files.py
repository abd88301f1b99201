"""Tables are read line by line as they stand, or refused with the line; what is written is read back the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.core.files import line_of, numeric_cells, read_header, read_own_tsv, read_table, write_table, write_tsv


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


def test_other_encodings_are_named(written):
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_table(written("id\tname\n" + "a\tb\n" * 9000 + "a\tJosé\n", encoding="latin-1"))
    with pytest.raises(InputError, match=r"nowhere.tsv: the file does not exist"):
        read_table("nowhere.tsv")


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


def test_a_table_is_written_as_its_name_says(tmp_path):
    table = pd.DataFrame({"participant_id": ["a,1", "b"], "x": [1.5, float("nan")], "reason": ["one\ttwo", None]})
    write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text() == 'participant_id,x,reason\n"a,1",1.5,one\ttwo\nb,n/a,n/a\n'
    write_table(tmp_path / "t.tsv", table)
    assert (tmp_path / "t.tsv").read_text() == "participant_id\tx\treason\na,1\t1.5\tone two\nb\tn/a\tn/a\n"
    with pytest.raises(InputError, match=r"ending \.tsv or \.csv, found '\.txt'"):
        write_table(tmp_path / "t.txt", table)
