"""Targets of the reference for which information is given besides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.cohort.training_group import TRAINED, training_group
from brainpid.config.reference_ages import ReferenceAges
from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.files import numeric_cells, read_table, require_column

GRID = 1500
"""Values that stand for an even distribution."""
FEWEST = 2
"""Different targets of a reference: with one there is no distribution."""


def even_ages(low: float, high: float) -> FloatArray:
    """Values (GRID,) evenly within a range."""
    return np.asarray(low + (high - low) * (np.arange(GRID) + 0.5) / GRID)


def read_reference(given: ReferenceAges, people: pd.DataFrame, target_range: tuple[float, float]) -> FloatArray:
    """Targets (k,) of the reference, in the target's units.

    Parameters
    ----------
    given : ReferenceAges
    people : DataFrame
        Everybody: cohort, age, included, and `TRAINED` where only a part of the people is trained on.
    target_range : tuple of float
        Plausible targets.

    Raises
    ------
    InputError
        Where the table or its column is absent, a cell is no number or out of range, or fewer than `FEWEST` different
        targets are known.
    """
    if given.range is not None:
        return even_ages(*given.range)
    if given.cohort is not None:
        own = training_group(people[(people["cohort"] == given.cohort) & people["included"].astype(bool)])
        ages = own["age"].to_numpy(dtype=float)
        if len(np.unique(ages)) < FEWEST:
            of_group = " and is of the training group (train_on)" if TRAINED in people else ""
            raise InputError(
                f"reference_ages.cohort: expected {FEWEST} targets or more in '{given.cohort}', found "
                f"{len(np.unique(ages))} of whoever takes part{of_group}; name another cohort, a range or a table"
            )
        return ages
    path, column = Path(str(given.table)), str(given.column)
    table = read_table(path, text=())
    require_column(path, list(table), column, "reference_ages.column")
    values = numeric_cells(table[[column]], [f"row {row + 1}" for row in range(len(table))], path)[:, 0]
    known, (low, high) = values[np.isfinite(values)], target_range
    if outside := int(np.sum((known < low) | (known > high))):
        raise InputError(f"{path}: {outside} values of '{column}' are outside of target.range [{low:g}, {high:g}]")
    if len(np.unique(known)) < FEWEST:
        raise InputError(
            f"{path}: expected {FEWEST} different numbers or more in '{column}', found {len(np.unique(known))}"
        )
    return np.asarray(known)
