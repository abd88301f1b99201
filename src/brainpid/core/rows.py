"""Rows of a delimited file as they stand in it, so that no cell and no line is lost while a table is read.

A .tsv has one row a line: quotes mean nothing in it but around a whole cell, where spreadsheets and R put them. A cell
of a .csv may hold commas and line breaks between quotes (RFC 4180).
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TextIO

from brainpid.core.errors import InputError, list_some, shortened
from brainpid.core.machine import machine_error

DELIMITERS = {".tsv": "\t", ".csv": ","}
SEPARATORS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "vertical bars"}
NAMELESS = re.compile(r"|n/a|Unnamed: \d+(_level_\d+)?|\.\.\.\d+")
"""What stands over a column that has no name, also once pandas or readr have read and written it."""
ROW_NAMES = "; if R wrote the names of rows there, write the table with row.names = FALSE"
UNDECODABLE = "backslashreplace"
"""What happens to bytes that are not UTF-8: they stand as ``\\xe9``, so that different texts stay different ones."""
FORMULA = re.compile(r"[=@]|[+-](?=.*[(|!])")
"""How a text begins that spreadsheet programs run instead of showing it."""


class Row(NamedTuple):
    """A row: its first line in the file, counted from 1, and its cells."""

    line: int
    cells: list[str]


def read_rows(path: Path) -> Iterator[Row]:
    """Give the rows of a file one after the other, the header first; empty lines are none.

    Raises
    ------
    InputError
        Where the file is absent, has another ending than .tsv or .csv or is no text of single bytes, or where quotes of
        a .csv do not stand around whole cells.
    MachineError
        Where the machine does not read it.
    """
    if not path.is_file():
        raise InputError(f"{path}: {_absent(path)}")
    if path.suffix not in DELIMITERS:
        raise InputError(f"{path}: expected a table with the ending .tsv or .csv, found '{path.suffix}'")
    comma = path.suffix == ".csv"
    try:
        with path.open(newline="" if comma else None, encoding="utf-8-sig", errors=UNDECODABLE) as lines:
            plain = _without_nul(lines, path)
            yield from _csv_rows(plain, path) if comma else _tsv_rows(plain, path)
    except PermissionError as fault:
        raise InputError(f"{path}: the file may not be read ({fault.strerror})") from fault
    except OSError as fault:
        raise (machine_error(fault, path) or fault) from fault


def _absent(path: Path) -> str:
    """What is in the place of a file that is not there."""
    if path.is_symlink() and not path.exists():
        return f"the file does not exist; it is a link to {os.readlink(path)}, which does not"
    return "expected a file, found a folder or a device" if path.exists() else "the file does not exist"


def _without_nul(lines: TextIO, path: Path) -> Iterator[str]:
    """Lines as they are; a zero byte is of another encoding or of no text at all."""
    for number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise InputError(
                f"{path}: line {number} holds zero bytes, as text in UTF-16 or a file that is no text does; expected a "
                "table in UTF-8 (in Excel: 'CSV UTF-8')"
            )
        yield line


def separator_hint(cells: list[str], path: Path) -> str:
    """Name the separator that a header seems to have in place of that of its ending; empty where it has its own."""
    text, own = " ".join(cells), DELIMITERS.get(path.suffix)
    if own is None:
        return ""
    counts = {mark: text.count(mark) for mark in SEPARATORS if mark != own}
    mark = max(counts, key=lambda mark: counts[mark])
    if counts[mark] >= max(len(cells), 1):
        found = SEPARATORS[mark]
    elif len(cells) == 1 and len(text.split()) > 1:
        found = "spaces"
    else:
        return ""
    decimals = ", and decimals with a point" if found == "semicolons" else ""
    return f"; are the columns separated by {found}? A {path.suffix} has {SEPARATORS[own]}{decimals}"


def column_names(header: Row, path: Path) -> list[str]:
    """Names of the columns, each on one line; empty cells at the end of the header are no columns.

    Raises
    ------
    InputError
        Where there is no name, or a column has none or that of another one.
    """
    names = [re.sub(r"[\t\r\n]+", " ", cell) for cell in header.cells]
    while names and not names[-1].strip():
        names.pop()
    if not names:
        raise InputError(f"{path}: the file is empty; expected a header line")
    hint = separator_hint(header.cells[:1], path) if len(names) == 1 else ""
    if hint and "spaces" not in hint:
        raise InputError(f"{path}: line {header.line} is one column, '{shortened(names[0])}'{hint}")
    if formulas := [name for name in names if FORMULA.match(name)]:
        raise InputError(
            f"{path}: line {header.line}: expected names of columns, found formulas of a spreadsheet program: "
            f"{list_some(formulas)}; rename them"
        )
    if nameless := [number for number, name in enumerate(names, start=1) if NAMELESS.fullmatch(name.strip())]:
        raise InputError(
            f"{path}: line {header.line}: column(s) {list_some(nameless)} of {len(names)} have no name; if another "
            "program put row numbers there, write the table without them"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}: line {header.line} names a column twice: {list_some(twice)}")
    return names


class Shape(NamedTuple):
    """Where the rows below a header stand, and how wide they are.

    Attributes
    ----------
    lines : list of int
        First line of each row that has something in it.
    blank : list of int
        Numbers, from 0 and among all rows, of those that are separators alone, as spreadsheets leave them.
    width : int
        Cells that all rows have.
    """

    lines: list[int]
    blank: list[int]
    width: int


def check_widths(rows: Iterator[Row], names: list[str], path: Path) -> Shape:
    """Go through the rows below the header.

    Raises
    ------
    InputError
        Where a row has fewer or more cells than the header. Empty cells at the end are allowed where all rows have as
        many.
    """
    lines: list[int] = []
    blank: list[int] = []
    first: list[tuple[str, ...]] = []
    width = len(names)
    for number, row in enumerate(rows):
        if 1 < len(row.cells) <= width and not any(row.cells):
            blank.append(number)
            continue
        if not lines and len(row.cells) > width and not any(cell.strip() for cell in row.cells[width:]):
            width = len(row.cells)
        if len(row.cells) != width or any(cell.strip() for cell in row.cells[len(names) :]):
            raise InputError(
                f"{path}: line {row.line} has {len(row.cells)} cells, the header {len(names)}"
                + (f" and the lines before {width}" if lines and width > len(names) else "")
                + "; expected one cell a column, n/a where nothing is known"
                + (ROW_NAMES if len(row.cells) == len(names) + 1 else "")
            )
        lines.append(row.line)
        if width == len(names) + 1:
            first.append(tuple(row.cells[:2]))
    if first and _are_row_names(first):
        raise InputError(
            f"{path}: line {lines[0]} has {width} cells, the header {len(names)}, and cells of the first column are "
            f"numbers of rows, not {names[0]}" + ROW_NAMES
        )
    return Shape(lines, blank, width)


def _are_row_names(first: list[tuple[str, ...]]) -> bool:
    """Whether the first of two columns numbers the rows, as R does, and labels stand in the second.

    Where the last column is empty in all rows, such a table looks like one with an empty cell at the end of every line.
    """
    if not all(len(pair) == 2 and pair[0].isdecimal() for pair in first):
        return False
    numbers = [int(pair[0]) for pair in first]
    rising = all(before < after for before, after in pairwise(numbers))
    labels = [pair[1] for pair in first]
    numeric = all(re.fullmatch(r"[-+.\deE]*", label) for label in labels)
    return rising and (labels == [pair[0] for pair in first] or (not numeric and len(set(labels)) == len(labels)))


def _tsv_rows(lines: Iterable[str], path: Path) -> Iterator[Row]:
    """Rows of a .tsv."""
    opened: list[list[str]] = []  # lines since each whose last cell begins with a quote, while each is a row by itself
    width = 0
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\n")
        cells = text.split("\t")
        width = width or len(cells)
        still: list[list[str]] = []
        for since in opened:
            since.append(line)
            closed = _one_quoted_row(since, width) if len(cells) == width or not text else None
            if closed:
                raise InputError(
                    f"{path}: lines {number - len(since) + 1} to {number}: double quotes make one row of them, and "
                    f"each has {width} cells by itself, as the header; expected a text in one line, without tabs"
                )
            if closed is not None:
                still.append(since)
        opened = still
        if '"' in text and len(cells) != width and _one_quoted_row([text], width):
            raise InputError(
                f"{path}: line {number} has {len(cells)} cells, the header {width}: double quotes stand around tabs; "
                "expected a text without tabs"
            )
        if text.strip(" "):
            if cells[-1][:1] == '"' and (_unquoted(cells[-1]) is cells[-1] or cells[-1][-2:] == '\\"'):
                opened.append([line])
            yield Row(number, [_unquoted(cell) for cell in cells] if '"' in text else cells)


def _one_quoted_row(lines: list[str], width: int) -> bool | None:
    """Whether lines are one row by their quotes; None where they cannot become one."""
    if '"' not in lines[-1]:
        return False
    found = [_quoted_row(lines, width, escape) for escape in (None, "\\")]  # R escapes quotes
    return True if True in found else False if False in found else None


def _quoted_row(lines: list[str], width: int, escape: str | None) -> bool | None:
    """`_one_quoted_row` with quotes within cells doubled, or escaped."""
    try:
        rows = list(csv.reader(lines, delimiter="\t", escapechar=escape, strict=True))
    except csv.Error as fault:
        return False if "unexpected end" in str(fault) else None
    if len(rows) != 1:
        return None
    numbered = len(lines) > 1 and len(rows[0]) == width + 1 and rows[0][0].isdecimal()  # a row's name, as R writes it
    return True if numbered or len(rows[0]) == width else None


def _unquoted(cell: str) -> str:
    """A cell without the quotes around it, in which quotes are doubled, or escaped as R does; others are text."""
    if len(cell) > 1 and cell[0] == cell[-1] == '"':
        inner = cell[1:-1]
        for quote in ('""', '\\"'):
            if '"' not in inner.replace(quote, ""):
                return inner.replace(quote, '"')
    return cell


def _csv_rows(lines: Iterable[str], path: Path) -> Iterator[Row]:
    """Rows of a .csv."""
    seen: list[str] = []
    reader = csv.reader(_kept(lines, seen), strict=True)
    number, width = 0, 0
    while True:
        seen.clear()
        try:
            cells = next(reader, None)
        except csv.Error as fault:
            raise InputError(
                f"{path}: line {number + 1}: a double quote opens a cell that is not closed as one by line "
                f"{number + len(seen)}; expected quotes in pairs, around whole cells"
            ) from fault
        if cells is None:
            return
        first, number = number + 1, number + len(seen)
        # Two stray quotes look like one cell with line breaks, and would take the rows between them along.
        if len(seen) > 1 and width > 1 and all(line.count(",") == width - 1 for line in seen):
            raise InputError(
                f"{path}: lines {first} to {number}: double quotes make one row of them, and each has {width} cells by "
                "itself, as the header; expected quotes in pairs, around whole cells, and such a text in one line"
            )
        escaped = any('\\"' in line for line in seen)
        if escaped and (any(cell.endswith("\\") for cell in cells) or _escaped(seen) not in (None, cells)):
            raise InputError(
                f"{path}: line {first} has a double quote after a backslash, which can be read in two ways; expected "
                "double quotes within a cell doubled (in R: qmethod = 'double')"
            )
        if len(cells) > 1 or seen[0].strip(" \r\n"):
            width = width or len(cells)
            yield Row(first, cells)


def _escaped(lines: list[str]) -> list[str] | None:
    """Cells of one row, if a backslash takes its meaning from a quote; None where that makes no whole row of them."""
    try:
        rows = list(csv.reader(lines, escapechar="\\", strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _kept(lines: Iterable[str], seen: list[str]) -> Iterator[str]:
    """Lines as they are, remembered in `seen`."""
    for line in lines:
        seen.append(line)
        yield line
