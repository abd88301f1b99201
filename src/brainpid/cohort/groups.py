"""Groups of people who stay together: families, visits of a person, sites."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.participants import read_sheet
from brainpid.core.arrays import IntArray
from brainpid.core.errors import InputError


def group_codes(labels: pd.Series) -> IntArray:
    """Number the groups of a column, shape (n,); a missing label is a group of its own."""
    codes, known = pd.factorize(labels)
    return np.where(codes < 0, len(known) + np.arange(len(codes)), codes)


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
