"""The target of each person, from cells of a participants table: a number in the plausible range, or unknown and why.

One cell that cannot be read, such as ``89+`` in data that are shared, is that person's matter. What goes through the
column, such as ages in months, is the table's: then nobody is read.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainpid.config.cohorts import Target
from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import DECIMAL_COMMA

MOST_UNREADABLE = 0.5
"""Part of the cells with something in them from which on unreadable ones are no matter of single people."""
OTHER_UNIT = 0.05, 3
"""Part of the numbers, and number of different ones among them, above the range from which on the unit is in doubt."""
PER_YEAR = {"months": 12.0, "days": 365.25}

log = logging.getLogger(__name__)


def read_targets(
    cells: pd.Series, target: Target, labels: Sequence[str], lines: Sequence[int], place: str
) -> tuple[FloatArray, list[str]]:
    """Targets as numbers within the plausible range, and why others are unknown.

    Parameters
    ----------
    cells : Series of str, length n
        Cells of the column; missing where there is nothing.
    target : Target
        Unit, range, and values that cells stand for.
    labels : sequence of str
        Label of each person.
    lines : sequence of int
        Line of the file in which each person stands.
    place : str
        File and column, for messages.

    Returns
    -------
    values : ndarray, shape (n,)
        In the target's units; NaN where unknown.
    reasons : list of str
        Why a cell with something in it gives no target; empty where it does, or where nothing is in it.

    Raises
    ------
    InputError
        Where no cell can be read, most cannot, or numbers look like those of another unit or hold decimal commas.
    """
    replaced = _replaced(cells, target)
    filled = cells.notna().to_numpy() & ~replaced.isna().to_numpy()
    numbers = pd.to_numeric(replaced, errors="coerce").to_numpy(dtype=float)
    text = filled & ~np.isfinite(numbers)
    low, high = target.range
    outside = filled & ~text & ((numbers < low) | (numbers > high))
    expected = f"{place}: expected {target.units} from {low:g} to {high:g}"
    if not filled.any():
        raise InputError(f"{place} has no value at all; expected the target in {target.units}")
    first = _first(cells, text | outside, labels, lines)
    commas = text & np.array([bool(DECIMAL_COMMA.fullmatch(str(cell))) for cell in cells])
    if len(set(cells[commas])) >= OTHER_UNIT[1]:
        found = _first(cells, commas, labels, lines)
        raise InputError(f"{expected}, found {found}, and {int(commas.sum())} such cells; write decimals with a point")
    if hint := _other_unit(numbers[filled & ~text], target):
        raise InputError(
            f"{expected}, found {first}; {int(outside.sum())} of {int(filled.sum())} values lie outside; {hint}. A "
            "wider range is set by target.range"
        )
    bad = text | outside
    if bad.sum() > MOST_UNREADABLE * filled.sum():
        raise InputError(
            f"{expected}, found {first}; {int(bad.sum())} of {int(filled.sum())} cells are no such number. A wider "
            "range is set by target.range, and what a cell stands for by target.replace"
        )
    reasons = [""] * len(cells)
    for row in np.flatnonzero(bad):
        what = f"is no number in {target.units}" if text[row] else f"lies outside {low:g} to {high:g} {target.units}"
        reasons[row] = f"'{cells.iloc[row]}' {what}"
    if bad.any():
        log.warning(
            "%s: the target of %s is unknown: %s. What a cell stands for is set by target.replace", place,
            "1 person" if bad.sum() == 1 else f"{int(bad.sum())} people",
            list_some((f"line {lines[row]} ({labels[row]}): {reasons[row]}" for row in np.flatnonzero(bad)), 3),
        )  # fmt: skip
    return np.where(bad, np.nan, numbers), reasons


def _replaced(cells: pd.Series, target: Target) -> pd.Series:
    """Cells after `target.replace`; a key that is a number stands for every way of writing it."""
    if not target.replace:
        return cells
    numbers = {float(key): value for key, value in target.replace.items() if _number(key) is not None}

    def one(cell: str) -> object:
        if cell in target.replace:
            return target.replace[cell]
        number = _number(cell)
        return cell if number is None else numbers.get(number, cell)

    return cells.map(one, na_action="ignore").astype(object)


def _number(text: str) -> float | None:
    """A text as a number, None where it is none."""
    number = float(pd.to_numeric(text, errors="coerce"))
    return None if np.isnan(number) else number


def _other_unit(numbers: FloatArray, target: Target) -> str:
    """Question about the unit where many different numbers lie above the range; empty where they do not."""
    above = numbers[numbers > target.range[1]]
    part, different = OTHER_UNIT
    if len(np.unique(above)) < min(different, len(numbers)) or len(above) <= part * len(numbers):
        return ""
    if target.units != "years":
        return "are these numbers of another unit?"
    if np.all((above >= 1900) & (above <= 2100) & (above == np.round(above))):
        return "are these years of birth? give ages"
    for unit, per_year in PER_YEAR.items():
        if above.max() / per_year <= target.range[1]:
            return f"are these {unit}? give years"
    return "are these numbers of another unit?"


def _first(cells: pd.Series, rows: np.ndarray, labels: Sequence[str], lines: Sequence[int]) -> str:
    """First of some cells, with its line and person; nothing where there is none."""
    if not rows.any():
        return ""
    row = int(np.flatnonzero(rows)[0])
    return f"'{cells.iloc[row]}' in line {lines[row]} ({labels[row]})"
