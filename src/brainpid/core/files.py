"""Reading and writing of plain files: delimited tables with clear errors, and writes that are whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, did_you_mean, list_some

MISSING_CELLS = ["", "n/a", "N/A", "NA", "NaN", "nan"]
DELIMITERS = {".tsv": "\t", ".csv": ","}


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its name once the block has ended without an error.

    A reader sees the old file or the new one, never a part, even if the process is killed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    """Mask that new files get; `mkstemp` ignores it and makes files that only their owner can read."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically, with sorted keys so that equal content gives equal bytes."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def write_tsv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table atomically: tab-separated, ``n/a`` for a missing cell, ten significant digits."""
    with atomic_path(path) as part:
        table.to_csv(part, sep="\t", index=False, na_rep="n/a", float_format="%.10g", lineterminator="\n")


def read_header(path: str | Path) -> list[str]:
    """Column names of a delimited file.

    Raises
    ------
    InputError
        Where the file is absent, has another ending than .tsv or .csv, is empty, or names a column twice.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    if path.suffix not in DELIMITERS:
        raise InputError(f"{path}: expected a table with the ending .tsv or .csv, found '{path.suffix}'")
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            header = next(csv.reader(lines, delimiter=DELIMITERS[path.suffix]), [])
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: not UTF-8 text (byte {fault.start}); expected a delimited table") from fault
    if not header:
        raise InputError(f"{path}: the file is empty; expected a header line")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: line 1 names a column twice: {list_some(twice)}")
    return header


def require_column(path: str | Path, header: list[str], column: str, purpose: str) -> None:
    """Raise an `InputError` that lists what is there, where a table lacks a column."""
    if column not in header:
        raise InputError(
            f"{path}: expected a column '{column}' ({purpose}), found {list_some(header)}; "
            f"{did_you_mean(column, header)}"
        )


def read_table(path: str | Path, text: list[str] | None = None, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a delimited table; line 2 of the file is row 0.

    Parameters
    ----------
    path : path
        A .tsv or .csv file.
    text : list of str, optional
        Columns to read as text, so that ``0012`` keeps its zeros. All, if None.
    columns : list of str, optional
        Columns to read; all, if None.

    Raises
    ------
    InputError
        Where the file is not a table, or a line has more cells than the header.
    """
    path = Path(path)
    header = read_header(path)
    kinds: Any = str if text is None else {column: str for column in text if column in header}
    try:
        return pd.read_csv(
            path,
            sep=DELIMITERS[path.suffix],
            dtype=kinds,
            usecols=columns,
            na_values=MISSING_CELLS,
            keep_default_na=False,
            encoding="utf-8-sig",
            index_col=False,
            low_memory=False,
        )
    except (pd.errors.ParserError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not a regular table: {' '.join(str(fault).split())}") from fault


def numeric_cells(table: pd.DataFrame, labels: Sequence[str], path: str | Path, what: str = "a number") -> FloatArray:
    """Cells of a table as numbers (rows, columns), NaN where missing.

    Parameters
    ----------
    table : DataFrame
        Columns that should hold numbers; line 2 of the file is row 0.
    labels : sequence of str
        What to call each row in a message.
    path : path
        File that the table was read from.
    what : str
        What a message says is expected, such as ``a number in years``.

    Raises
    ------
    InputError
        Where a cell is text or infinite; the message names the first such cell.
    """
    for name in table.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]]:
        numbers = pd.to_numeric(table[name], errors="coerce")
        text = numbers.isna() & table[name].notna()
        if text.any():
            row = int(np.flatnonzero(text)[0])
            raise InputError(
                f"{path}: line {row + 2} ({labels[row]}), column '{name}': expected {what} or n/a, "
                f"found '{table[name][row]}' ({int(text.sum())} such cells in this column)"
            )
    values = table.to_numpy(dtype=float)
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise InputError(
            f"{path}: line {row + 2} ({labels[row]}), column '{table.columns[column]}': expected a finite number, "
            f"found {values[row, column]}"
        )
    return values


def read_own_tsv(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_tsv` wrote; labels stay text, numbers become numbers."""
    return read_table(path, text=["participant_id", "cohort", "site", "sex"])
