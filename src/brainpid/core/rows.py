"""Rows of a delimited file as they stand in it, so that no cell and no line is lost while a table is read.

A .tsv has one row a line: quotes mean nothing in it but around a whole cell, where spreadsheets and R put them. A cell
of a .csv may hold commas and line breaks between quotes (RFC 4180).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from brainpid.core.errors import InputError, list_some

DELIMITERS = {".tsv": "\t", ".csv": ","}


class Row(NamedTuple):
    """A row: its first line in the file, counted from 1, and its cells."""

    line: int
    cells: list[str]


def read_rows(path: Path) -> Iterator[Row]:
    """Give the rows of a file one after the other, the header first; empty lines are none.

    Raises
    ------
    InputError
        Where the file is absent, has another ending than .tsv or .csv or is not UTF-8, or where quotes of a .csv do not
        stand around whole cells.
    """
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    if path.suffix not in DELIMITERS:
        raise InputError(f"{path}: expected a table with the ending .tsv or .csv, found '{path.suffix}'")
    comma = path.suffix == ".csv"
    with path.open(newline="" if comma else None, encoding="utf-8-sig") as lines:
        try:
            yield from _csv_rows(lines, path) if comma else _tsv_rows(lines)
        except UnicodeDecodeError as fault:
            raise InputError(f"{path}: not UTF-8 text (byte {fault.start}); expected a delimited table") from fault


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
    if nameless := [number for number, name in enumerate(names, start=1) if name.strip() in ("", "n/a")]:
        raise InputError(
            f"{path}: line {header.line}: column(s) {list_some(nameless)} of {len(names)} have no name; if another "
            "program put row numbers there, write the table without them"
        )
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{path}: line {header.line} names a column twice: {list_some(twice)}")
    return names


def check_widths(rows: Iterator[Row], names: list[str], path: Path) -> tuple[list[int], int]:
    """Go through the rows below the header; return the line of each, and the number of cells that all of them have.

    Raises
    ------
    InputError
        Where a row has fewer or more cells than the header. Empty cells at the end are allowed where all rows have as
        many.
    """
    lines: list[int] = []
    width = len(names)
    for row in rows:
        if not lines and len(row.cells) > width and not any(cell.strip() for cell in row.cells[width:]):
            width = len(row.cells)
        if len(row.cells) != width or any(cell.strip() for cell in row.cells[len(names) :]):
            raise InputError(
                f"{path}: line {row.line} has {len(row.cells)} cells, the header {len(names)}"
                + (f" and the lines before {width}" if lines and width > len(names) else "")
                + "; expected one cell a column, n/a where nothing is known"
            )
        lines.append(row.line)
    return lines, width


def _tsv_rows(lines: TextIO) -> Iterator[Row]:
    """Rows of a .tsv."""
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\n")
        if text.strip(" "):
            cells = text.split("\t")
            yield Row(number, [_unquoted(cell) for cell in cells] if '"' in text else cells)


def _unquoted(cell: str) -> str:
    """A cell without the quotes around it; quotes elsewhere are part of the text."""
    whole = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")
    return cell[1:-1].replace('""', '"') if whole else cell


def _csv_rows(lines: TextIO, path: Path) -> Iterator[Row]:
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
        if len(cells) > 1 or seen[0].strip(" \r\n"):
            width = width or len(cells)
            yield Row(first, cells)


def _kept(lines: TextIO, seen: list[str]) -> Iterator[str]:
    """Lines as they are, remembered in `seen`."""
    for line in lines:
        seen.append(line)
        yield line
