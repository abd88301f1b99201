"""Participants tables: reading, checking, and the label of a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.targets import read_targets
from brainpid.cohort.visits import with_visits
from brainpid.config.slices import ParticipantsSettings
from brainpid.config.visits import Visits
from brainpid.core.codes import warn_of_codes
from brainpid.core.errors import InputError, list_some, shortened
from brainpid.core.files import line_of, read_header, read_own_tsv, read_table, require_column

SHEET_COLUMNS = ["participant_id", "cohort", "site", "age", "sex"]
WHY_NO_TARGET = "target_reason"
"""Column of a sheet that says why a cell gives no target; there where one does not."""
NO_FILE_NAME = re.compile(r"[/\\*?\[\]\"<>|\x00-\x1f\x7f\u2028\u2029]|^.{101}")
"""What no label of a person may hold: it leads elsewhere, or stands for other files as well."""
SUCCESS, FAIL, UNAVAILABLE, EXCLUDED = "SUCCESS", "FAIL", "UNAVAILABLE", "EXCLUDED"
STATUSES = (SUCCESS, FAIL, UNAVAILABLE, EXCLUDED)


def normalise_ids(labels: pd.Series) -> pd.Series:
    """Give every label the BIDS prefix ``sub-``, so that ``0012`` and ``sub-0012`` are one person."""
    stripped = labels.str.strip()
    return stripped.where(stripped.str.startswith("sub-"), "sub-" + stripped)


def read_ids(table: pd.DataFrame, column: str, path: str | Path, unique: bool = True) -> pd.Series:
    """Labels of a table's rows, normalised; `unique` where nobody may have several rows.

    Raises
    ------
    InputError
        Where a label is missing, given twice or cannot be part of a file's name; the message names the lines.
    """
    empty = table[column].isna() | (table[column].str.strip() == "")
    if empty.any():
        raise InputError(f"{path}: no {column} in line(s) {list_some(_lines(table, empty))}")
    unsafe = table[column].str.contains(NO_FILE_NAME)
    if unsafe.any():
        row = int(np.flatnonzero(unsafe)[0])
        raise InputError(
            f"{path}: line {line_of(table, row)}: '{shortened(table[column][row])}' is no label of a person, which is "
            "part of file names: expected at most 100 characters, none of them / or \\, a wildcard, a bracket, a "
            "quote or a control character"
        )
    labels = normalise_ids(table[column])
    twice = labels.duplicated(keep=False)
    if unique and twice.any():
        raise InputError(
            f"{path}: {column} must be unique, found more than once: {list_some(sorted(set(labels[twice])))} "
            f"(lines {list_some(_lines(table, twice))})"
        )
    return labels


def read_labels(path: str | Path, column: str, visits: Visits | None = None) -> list[str]:
    """Labels of everybody in a participants table, normalised, or of their visits; no other column is read for people.

    Raises
    ------
    InputError
        Where the file or the column is absent, or a label is missing or given twice.
    """
    require_column(path, read_header(path), column, "the label of each person")
    if visits is not None:
        return read_people(path, column, "", visits).index.tolist()
    return read_ids(read_table(path, columns=[column]), column, path).tolist()


def read_people(path: str | Path, column: str, target: str, visits: Visits | None) -> pd.DataFrame:
    """Texts of a participants table without spaces around them, with the label of each person, or visit, as its index.

    Parameters
    ----------
    path : path
    column, target : str
        Columns of the labels and of the target.
    visits : Visits or None
        Where every visit is a row of its own.

    Raises
    ------
    InputError
        Where a label is missing or given twice.
    """
    table = _trimmed(read_table(path))
    labels = read_ids(table, column, path, unique=visits is None)
    if visits is None:
        return table.set_axis(pd.Index(labels), axis=0)
    expanded = with_visits(table, labels, path, target, visits)
    if (twice := expanded.index.duplicated()).any():
        raise InputError(f"{path}: expected one row a visit, found several of {list_some(expanded.index[twice])}")
    unsafe = [label for label in expanded.index if NO_FILE_NAME.search(label)]
    if unsafe:
        raise InputError(
            f"{path}: '{shortened(unsafe[0])}' is no label of a visit, which is part of file names: expected a session "
            "without / or \\, a wildcard, a bracket, a quote or a control character"
        )
    return expanded


def read_sites(path: str | Path, column: str, cohort: str, visits: tuple[str, Visits] | None = None) -> list[str]:
    """Sites of a participants table in the order of its rows, each once; the cohort's name for people without one.

    They are those of `read_participants`, of which no other column is read here, unless `visits`, the column of the
    labels and where visits are told, is given.

    Raises
    ------
    InputError
        Where the file is absent, or the column is and was configured.
    """
    people = None if visits is None else read_people(path, visits[0], "", visits[1])
    header = read_header(path) if people is None else list(people)
    if column not in header:
        if column != "site":
            require_column(path, header, column, "configured as the site")
        return [cohort]
    table = _trimmed(read_table(path, columns=[column])) if people is None else people
    return list(dict.fromkeys(table[column].fillna(cohort)))


def read_participants(cohort: str, settings: ParticipantsSettings, needs_target: bool = True) -> pd.DataFrame:
    """Read one cohort's participants table into the sheet that every later step uses.

    Parameters
    ----------
    cohort : str
        Name of the cohort.
    settings : ParticipantsSettings
        Path, column names and the target's plausible range.
    needs_target : bool
        Whether a table without any target is an error; people to be predicted need none.

    Returns
    -------
    DataFrame
        Columns participant_id (with ``sub-``), cohort, site, age (the target, in its units; NaN where unknown),
        sex, target_reason where a cell gives no target, then every other column of the file under its own name.
        Everything but the target is text, without spaces around it: a site or family ``01`` is another one than ``1``.

    Raises
    ------
    InputError
        Where the file or a column is absent, a label is missing or given twice, or most targets are no numbers or
        those of another unit, see `brainpid.cohort.targets.read_targets`.
    """
    path, columns, target = settings.path, settings.columns, settings.target
    target_column = columns.target or target.column
    header = read_header(path)
    require_column(path, header, columns.participant_id, "the label of each person")
    people = None
    if settings.visits is not None:
        people = read_people(path, columns.participant_id, target_column, settings.visits)
        header = list(people)
    if needs_target:
        require_column(path, header, target_column, f"the target, in {target.units}")
    for name, default in (("sex", "sex"), ("site", "site")):
        column = getattr(columns, name)
        if column != default:
            require_column(path, header, column, f"configured as the {name}")
    if people is None:
        people = read_people(path, columns.participant_id, target_column, None)
    if people.empty:
        raise InputError(f"{path}: no people; expected one line a person below the header")
    labels, table = pd.Series(people.index), people.reset_index(drop=True)
    table.attrs = people.attrs
    no_value = pd.Series(np.nan, index=table.index, dtype=object)
    targets, reasons = np.full(len(table), np.nan), [""] * len(table)
    if needs_target:
        lines = [line_of(table, row) for row in range(len(table))]
        place = f"{path}: column '{target_column}'"
        targets, reasons = read_targets(table[target_column], target, labels.tolist(), lines, place)
        warn_of_codes(targets[:, None], [target_column], labels.tolist(), str(path))
    sheet = pd.DataFrame(
        {
            "participant_id": labels,
            "cohort": cohort,
            "site": table[columns.site].fillna(cohort) if columns.site in header else cohort,
            "age": targets,
            "sex": table[columns.sex] if columns.sex in header else no_value,
        }
    )
    if any(reasons):
        sheet[WHY_NO_TARGET] = [reason or np.nan for reason in reasons]
    # A renamed site or sex stays under its own name too, by which it may be the column of the groups.
    own = {columns.participant_id, target_column, *SHEET_COLUMNS, WHY_NO_TARGET}
    return pd.concat([sheet, table[[column for column in header if column not in own]]], axis=1)


def read_sheet(path: str | Path) -> pd.DataFrame:
    """Read the sheet of a cohort as `read_participants` gives it and ``brainpid participants`` writes it."""
    return read_own_tsv(path, numbers=["age"])


def _trimmed(table: pd.DataFrame) -> pd.DataFrame:
    """A table of text without spaces around cells; a cell of spaces alone is empty."""
    for column in table:
        cells = table[column].str.strip()
        table[column] = cells.where(cells != "")
    return table


def has_every_modality(people: pd.DataFrame, modalities: Sequence[str]) -> pd.Series:
    """Mark the rows of ``participants.tsv`` with every modality."""
    return (people[[f"{modality}_status" for modality in modalities]] == SUCCESS).all(axis=1)


def _lines(table: pd.DataFrame, rows: pd.Series) -> list[int]:
    """Line numbers in the file of the rows of a table that are True."""
    return [line_of(table, int(row)) for row in np.flatnonzero(rows)]
