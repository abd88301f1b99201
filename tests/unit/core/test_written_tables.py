"""A table that another program wrote is read to the same values, or refused with file and line: never shifted."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brainpid.core.errors import InputError
from brainpid.core.files import read_header, read_table, require_column

ID = "participant_id"
CELLS = st.text(st.sampled_from("ab1 ,;\t\n\"'\\\\é=#|"), max_size=6)
NAMES = st.text(st.sampled_from('xyz_1 ,[]".'), min_size=1, max_size=5).filter(lambda name: name.strip())
NUMBERS = st.one_of(st.none(), st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: float(f"{x:.6g}")))


@st.composite
def tables(draw):
    """A label, texts and numbers; text and numbers may hold everything that separates cells elsewhere."""
    n = draw(st.integers(1, 5))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    content = {ID: [f"s{row}" for row in range(n)]}
    for place, name in enumerate(names):
        kind = CELLS if place == 0 else NUMBERS
        content[name] = draw(st.lists(kind, min_size=n, max_size=n))
    return pd.DataFrame(content)


def by_pandas(table: pd.DataFrame, sep: str, **options: object) -> str:
    return table.to_csv(sep=sep, index=False, lineterminator="\n", **options)


def by_r(table: pd.DataFrame, sep: str, row_names: bool, double: bool) -> str:
    """As ``write.table`` does: texts in quotes, quotes in them escaped or doubled, NA, and a header one cell short."""

    def quoted(text: str) -> str:
        return '"' + (text.replace('"', '""') if double else text.replace('"', '\\"')) + '"'

    lines = [sep.join(map(quoted, table.columns))]
    for number, row in enumerate(table.itertuples(index=False), start=1):
        cells = [quoted(c) if isinstance(c, str) else ("NA" if pd.isna(c) else f"{c:.15g}") for c in row]
        lines.append(sep.join([quoted(str(number)), *cells] if row_names else cells))
    return "\n".join(lines) + "\n"


def by_excel(table: pd.DataFrame, semicolons: bool) -> str:
    text = io.StringIO()
    options = {"sep": ";", "decimal": ","} if semicolons else {"sep": ","}
    table.to_csv(text, index=False, lineterminator="\r\n", **options)
    return "\ufeff" + text.getvalue()


WAYS = {
    "pandas tsv": (".tsv", lambda table: by_pandas(table, "\t")),
    "pandas csv": (".csv", lambda table: by_pandas(table, ",")),
    "pandas, all quoted": (".csv", lambda table: by_pandas(table, ",", quoting=csv.QUOTE_ALL)),
    "pandas, tsv all quoted": (".tsv", lambda table: by_pandas(table, "\t", quoting=csv.QUOTE_ALL)),
    "pandas with index": (".csv", lambda table: table.to_csv(lineterminator="\n")),
    "R tsv": (".tsv", lambda table: by_r(table, "\t", False, False)),
    "R tsv with row names": (".tsv", lambda table: by_r(table, "\t", True, False)),
    "R csv": (".csv", lambda table: by_r(table, ",", False, True)),
    "R csv, escaped": (".csv", lambda table: by_r(table, ",", False, False)),
    "Excel": (".csv", lambda table: by_excel(table, False)),
    "Excel with semicolons": (".csv", lambda table: by_excel(table, True)),
}
"""Programs, and how each would write a table."""


@settings(max_examples=500)
@example(table=pd.DataFrame({ID: ["s0"], '",1': [""]}), way="R csv, escaped", latin=False)
@example(table=pd.DataFrame({ID: ["s0"], "x": ['",\n,1']}), way="R csv, escaped", latin=False)
@example(table=pd.DataFrame({ID: ["s0"], "x": ["\n\t"], "y": [np.nan]}), way="R tsv with row names", latin=False)
@example(table=pd.DataFrame({ID: ["s0", "s1"], "x": ["\\", "\n\t,"]}), way="pandas, tsv all quoted", latin=False)
@given(table=tables(), way=st.sampled_from(sorted(WAYS)), latin=st.booleans())
def test_the_same_values_or_refused_with_file_and_line(table, way, latin):
    ending, write = WAYS[way]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        path.write_bytes(write(table).encode("latin-1" if latin and "Excel" not in way else "utf-8"))
        try:
            require_column(path, read_header(path), ID, "the label")
            read = read_table(path, text=[ID, table.columns[1]])
        except InputError as fault:
            refused = str(fault)
        else:
            refused = ""
    if refused:
        assert str(path) in refused
        assert "line" in refused or "expected a column" in refused
        return
    assert "row names" not in way
    assert "index" not in way
    assert "semicolons" not in way
    assert list(read) == list(table)
    assert read[ID].tolist() == table[ID].tolist()
    for name in table.columns[2:]:
        np.testing.assert_allclose(read[name].astype(float), table[name].astype(float), rtol=1e-12)
    texts = [text.replace("é", "\\xe9") if latin and "Excel" not in way else text for text in table[table.columns[1]]]
    for found, text in zip(read[table.columns[1]], texts, strict=True):
        assert text.strip(" ") == "" if pd.isna(found) else found == text, (found, text)


def test_plain_tables_are_read_and_not_refused():
    """The test above would also pass if everything were refused."""
    table = pd.DataFrame({ID: ["s1", "s2"], "note": ['a "b"', "c, d"], "Vol [mm3]": [0.5, np.nan]})
    read = {way for way, (ending, write) in WAYS.items() if _reads(table, ending, write)}
    assert set(WAYS) - read == {"pandas with index", "R tsv with row names", "R csv, escaped", "Excel with semicolons"}


def _reads(table, ending, write):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{ending}"
        path.write_text(write(table), encoding="utf-8", newline="")
        try:
            read = read_table(path)
        except InputError:
            return False
        return read["note"].tolist() == table["note"].tolist()
