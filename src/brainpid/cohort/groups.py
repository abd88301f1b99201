"""Groups of people who stay together: families, visits of a person, sites."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.participants import read_people, read_sheet
from brainpid.config.people_tables import PeopleTable
from brainpid.core.arrays import IntArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import require_column

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.0*)?")
"""A whole number; with a zero before it, it is a name."""


def two_spellings(cells: Iterable[object]) -> list[str]:
    """Whole numbers that stand in cells in two spellings, such as 1 and 1.0, which would be two groups.

    Examples
    --------
    >>> two_spellings(["1", "1.0", "01", "2", "a"])
    ['1', '1.0']
    """
    texts = sorted({str(cell) for cell in cells if not pd.isna(cell)})
    numbers = {text: float(text) for text in texts if _NUMBER.fullmatch(text)}
    counts = Counter(numbers.values())
    return [text for text, number in numbers.items() if counts[number] > 1]


def refuse_two_spellings(key: str, column: str, cells: Iterable[object]) -> None:
    """Raise where a column of groups has one number in two spellings; `key` is that of the configuration.

    Raises
    ------
    InputError
    """
    if twice := two_spellings(cells):
        raise InputError(
            f"{key}: column '{column}' has numbers in two spellings, {list_some(twice)}; expected each group "
            "written in one way in the participants tables of all cohorts"
        )


def group_codes(labels: pd.Series) -> IntArray:
    """Number the groups of a column, shape (n,); a missing label is a group of its own."""
    codes, known = pd.factorize(labels)
    return np.where(codes < 0, len(known) + np.arange(len(codes)), codes)


def read_cells(tables: Mapping[str, PeopleTable], columns: Sequence[str]) -> pd.DataFrame:
    """Columns of the participants tables as texts, with the index (cohort, participant_id).

    Raises
    ------
    InputError
        Where a cohort lacks one of them.
    """
    parts = {}
    for cohort, table in tables.items():
        people = read_people(table.path, table.participant_id, "", table.visits)
        for column in columns:
            require_column(table.path, list(people), column, "of groups")
        parts[cohort] = people[list(columns)].astype(object)
    return pd.concat(parts, names=["cohort", "participant_id"])


def read_groups(sheets: Sequence[Path], people: pd.DataFrame, column: str | None) -> IntArray | None:
    """Number the groups of people by a column of their cohorts' sheets, shape (n,); None without a column.

    Parameters
    ----------
    sheets : sequence of path
        As `brainpid participants` writes them.
    people : DataFrame
        cohort and participant_id of n people, each once.
    column : str or None

    Raises
    ------
    InputError
        Where there are no sheets.
    """
    if column is None:
        return None
    if not sheets:
        raise InputError(f"--sheets: expected the sheet of every cohort, which has the groups ('{column}'), found none")
    labels = pd.concat([read_sheet(path)[["cohort", "participant_id", column]] for path in sheets])
    joined = people[["cohort", "participant_id"]].merge(labels, how="left", validate="one_to_one")
    return group_codes(joined[column])
