"""Reading and writing of plain files: delimited tables with clear errors, and writes that are whole or not at all."""

from __future__ import annotations

import csv
import errno
import json
import os
import re
import secrets
import signal
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import BrainpidError, InputError, MachineError, list_some, nearest, shortened
from brainpid.core.machine import NOT_SUPPORTED, name_of, of_errno
from brainpid.core.rows import (
    DELIMITERS,
    FORMULA,
    UNDECODABLE,
    Row,
    check_widths,
    column_names,
    read_rows,
    separator_hint,
)

MISSING_CELLS = ["", "n/a", "N/A", "NA", "NaN", "nan"]
OWN_MISSING_CELLS = ["", "n/a"]
"""What stands in the program's own tables where there is nothing; a feature may well be called NA."""
TEXT_COLUMNS = frozenset(
    {
        "participant_id", "cohort", "site", "sex", "reason", "role", "status", "modality", "modalities", "model",
        "reference", "scheme", "measure", "scope", "atom", "doubts", "feature", "region", "units", "note", "outlier_in",
        "finding", "severity", "where", "who", "words", "remedy",
    }
)  # fmt: skip
"""Columns of the program's own tables that hold text, whatever it looks like: the site ``01`` is not 1."""
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
LINES = "lines"
"""What `line_of` finds in the attributes of a table: the line of the file in which each row begins."""


OF_A_NAME = (errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ)
ENDS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that takes its name once the block has ended without an error.

    A reader sees the old file or the new one, never a part, even if the process is killed. The folder is not synced: a
    name that is lost with the power is a file that was not made, and is made again.

    Raises
    ------
    MachineError
        Where the machine does not write the file, as on a full disk: with its errno and the path.
    InputError
        Where no file can have that name.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = _new_part(path)
    except OSError as fault:
        raise _not_written(fault, path) from fault
    try:
        with _removed_at_the_end(part):
            yield part
            _sync(part)
            part.replace(path)
    except OSError as fault:
        raise _not_written(fault, path) from fault
    finally:
        _remove(part)


def _not_written(fault: OSError, path: Path) -> BrainpidError:
    """Say why a file could not be written: where its name is to blame, the user has to change it."""
    if fault.errno in OF_A_NAME:
        return InputError(f"{path}: cannot be written: {os.strerror(fault.errno)} ({name_of(fault.errno)})")
    return of_errno(fault.errno, path) if fault.errno else MachineError(f"{path}: cannot be written: {fault}")


def _new_part(path: Path) -> Path:
    """Make an empty file beside another one, with the permissions that the mask of the process gives new files."""
    # The name of the file itself may be as long as the file system allows.
    stem = os.fsdecode(os.fsencode(path.name)[:200])
    while True:
        part = path.with_name(f".{stem}.{secrets.token_hex(4)}.part")
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        return part


def _sync(part: Path) -> None:
    """Have the content on the disk before its name is: what the disk refuses is heard here at the latest."""
    with part.open("rb+") as written:
        try:
            os.fsync(written.fileno())
        except OSError as fault:
            if fault.errno not in NOT_SUPPORTED:
                raise


@contextmanager
def _removed_at_the_end(part: Path) -> Iterator[None]:
    """Remove a file where the process is told to end in the meantime; it ends as it would have."""

    def end(number: int, frame: FrameType | None) -> None:
        _remove(part)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    main = threading.current_thread() is threading.main_thread()
    # Who handles a signal already has reasons of his own.
    numbers = [number for number in ENDS if main and signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _remove(part: Path) -> None:
    """Remove a file if it can be: what stopped the writing is worth more than what stops the tidying."""
    with suppress(OSError):
        part.unlink()


def write_bytes(path: str | Path, content: bytes | memoryview) -> None:
    """Write bytes atomically."""
    with atomic_path(path) as part:
        part.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write JSON atomically, with sorted keys so that equal content gives equal bytes."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def read_json(path: str | Path) -> dict[str, Any]:
    """Read what `write_json` wrote.

    Raises
    ------
    InputError
        Where the file is absent, or holds something else.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as fault:
        raise InputError(f"{path}: the file does not exist") from fault
    except ValueError as fault:
        raise InputError(f"{path}: not readable as JSON ({fault}); delete the file and run again") from fault
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a mapping, found {type(content).__name__}; delete the file and run again")
    return content


def write_tsv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table atomically: tab-separated, ``n/a`` for a missing cell, ten significant digits.

    Tabs and line breaks inside a text become spaces: a TSV of BIDS has no quotes that could hold them. A text that
    spreadsheet programs would run as a formula gets an apostrophe before it, which `read_own_tsv` takes away.
    """
    plain = table.rename(columns=_one_line)
    for name in plain.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in plain.dtypes]]:
        plain[name] = plain[name].map(_safe_cell, na_action="ignore")
    with atomic_path(path) as part:
        plain.to_csv(
            part,
            sep="\t",
            index=False,
            na_rep="n/a",
            float_format="%.10g",
            lineterminator="\n",
            quoting=csv.QUOTE_NONE,
        )


def write_table(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as its ending says, ``.tsv`` as `write_tsv` does, ``.csv`` with commas and quotes where needed.

    Raises
    ------
    InputError
        Where the ending is another.
    """
    path = Path(path)
    if path.suffix not in DELIMITERS:
        raise InputError(f"{path}: expected a table with the ending .tsv or .csv, found '{path.suffix}'")
    if path.suffix == ".tsv":
        write_tsv(path, table)
        return
    with atomic_path(path) as part:
        table.to_csv(part, index=False, na_rep="n/a", float_format="%.10g", lineterminator="\n")


def _one_line(cell: Any) -> Any:
    """Text without tabs and line breaks; anything else as it is."""
    return re.sub(r"[\t\r\n]+", " ", cell) if isinstance(cell, str) else cell


def _safe_cell(cell: Any) -> Any:
    """Text on one line that nothing runs; anything else as it is."""
    text = _one_line(cell)
    return f"'{text}" if isinstance(text, str) and FORMULA.match(text.lstrip("' ")) else text


def _shown_cell(cell: Any) -> Any:
    """A cell that `_safe_cell` made as it was; anything else as it is."""
    return cell[1:] if isinstance(cell, str) and cell[:1] == "'" and FORMULA.match(cell.lstrip("' ")) else cell


def read_header(path: str | Path) -> list[str]:
    """Column names of a delimited file.

    Raises
    ------
    InputError
        Where the file is absent, has another ending than .tsv or .csv, is empty, or has a column without a name or with
        that of another one.
    """
    path = Path(path)
    return column_names(next(read_rows(path), Row(1, [])), path)


def require_column(path: str | Path, header: list[str], column: str, purpose: str) -> None:
    """Raise an `InputError` that lists what is there, where a table lacks a column."""
    if column not in header:
        hint, near = separator_hint(header, Path(path)), nearest(column, header)
        if not hint and near is not None:
            hint = f"; did you mean '{near}'?"
        found = list_some(header, 5) if all(map(str.isprintable, header)) else "what is no text: is it a table?"
        raise InputError(f"{path}: expected a column '{column}' ({purpose}), found {found}{hint}")


def read_table(
    path: str | Path,
    text: Collection[str] | None = None,
    columns: list[str] | None = None,
    missing: Sequence[str] = MISSING_CELLS,
) -> pd.DataFrame:
    """Read a delimited table, one row of the file a row; `line_of` tells where in the file it stands.

    Parameters
    ----------
    path : path
        A .tsv or .csv file.
    text : collection of str, optional
        Columns to read as text, so that ``0012`` keeps its zeros. All, if None.
    columns : list of str, optional
        Columns to read; all, if None.
    missing : sequence of str
        What stands in a cell in which there is nothing.

    Raises
    ------
    InputError
        Where the file is not a table, or a line has fewer or more cells than the header.
    """
    path = Path(path)
    rows = read_rows(path)
    names = column_names(next(rows, Row(1, [])), path)
    lines, blank, width = check_widths(rows, names, path)
    nameless = [f"\n{place}" for place in range(len(names), width)]  # empty cells at the end of every line
    kinds: Any = str if text is None else {column: str for column in text if column in names}
    comma = path.suffix == ".csv"
    table = pd.read_csv(
        path if comma else _without_quotes(path),
        sep=DELIMITERS[path.suffix],
        header=0,
        names=[*names, *nameless],
        dtype=kinds,
        usecols=names if columns is None else columns,
        na_values=list(missing),
        keep_default_na=False,
        encoding="utf-8-sig",
        encoding_errors=UNDECODABLE,
        index_col=False,
        low_memory=False,
        quoting=csv.QUOTE_MINIMAL if comma else csv.QUOTE_NONE,
    )
    if blank:
        table = table.drop(index=[row for row in blank if row < len(table)]).reset_index(drop=True)
    if len(table) != len(lines):
        raise InputError(f"{path}: {len(lines)} rows are in the file, but {len(table)} were read; is it a plain table?")
    if lines != list(range(2, len(lines) + 2)):  # kept where needed alone: pandas copies it with every column
        table.attrs[LINES] = lines
    return table


def line_of(table: pd.DataFrame, row: int) -> int:
    """Line of the file, counted from 1, in which a row of a table that `read_table` read begins."""
    return int(table.attrs[LINES][row]) if LINES in table.attrs else row + 2


def _without_quotes(path: Path) -> Path | StringIO:
    """A .tsv, or its text without quotes around cells where there are any."""
    if '"' not in path.read_text(encoding="utf-8-sig", errors=UNDECODABLE):
        return path
    return StringIO("\n".join("\t".join(row.cells) for row in read_rows(path)))


def numeric_cells(table: pd.DataFrame, labels: Sequence[str], path: str | Path, what: str = "a number") -> FloatArray:
    """Cells of a table as numbers (rows, columns), NaN where missing.

    Parameters
    ----------
    table : DataFrame
        Columns that should hold numbers, as `read_table` read them.
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
                f"{path}: line {line_of(table, row)} ({labels[row]}), column '{name}': expected {what} or n/a, "
                f"found '{shortened(str(table[name][row]))}' ({int(text.sum())} such cells in this column)"
                + ("; write decimals with a point" if DECIMAL_COMMA.fullmatch(str(table[name][row])) else "")
            )
    values = table.to_numpy(dtype=float)
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        row, column = infinite[0]
        raise InputError(
            f"{path}: line {line_of(table, row)} ({labels[row]}), column '{table.columns[column]}': expected a finite "
            f"number, found {values[row, column]}"
        )
    return values


def read_own_tsv(path: str | Path, numbers: Collection[str] | None = None) -> pd.DataFrame:
    """Read a table that `write_tsv` wrote.

    Parameters
    ----------
    path : path
    numbers : collection of str, optional
        The only columns that hold numbers. If None, those are text whose names are among `TEXT_COLUMNS` or end in
        ``_status`` or ``_reason``, and the others are what their cells look like.

    Raises
    ------
    InputError
        Where the file is no such table or was cut short.
    """
    names = read_header(path)
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        if file.read() != b"\n":
            raise InputError(f"{path}: the last line does not end, as where a copy was cut short; delete the file and "
                             "run again")  # fmt: skip
    if numbers is None:
        text = {name for name in names if name in TEXT_COLUMNS or name.endswith(("_status", "_reason"))}
    else:
        text = set(names) - set(numbers)
    table = read_table(path, text=text, missing=OWN_MISSING_CELLS)
    for name in table.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]]:
        if any(isinstance(cell, str) and cell.startswith("'") for cell in table[name]):
            table[name] = table[name].map(_shown_cell, na_action="ignore")
    return table
