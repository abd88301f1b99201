"""Numbers that may stand for nothing: -9999, 999 or 0 where other programs wrote no value.

Nothing is left out for it: what is a code and what a measurement is for the reader to say, by writing n/a.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brainpid.core.arrays import BoolArray, FloatArray

FAR = 6.0
"""Robust standard deviations from the median from which on a value is far; measurements hardly are."""
GAP = 3.0
"""Robust standard deviations that lie empty between a code and the next value."""
CHANCE = 0.01
"""Rows of one code that chance may be expected to give, above which such a row says nothing."""
CODES = frozenset(
    [0.0, -1.0] + [sign * digit * repunit for sign in (-1.0, 1.0) for digit in (7, 8, 9) for repunit in (1, 11, 111)]
    + [sign * (10.0**digits - 1) for sign in (-1.0, 1.0) for digits in (4, 5, 6)]
)  # fmt: skip
"""What programs write for no value; one cell of each of several columns is enough."""
NEVER_MEASURED = frozenset(-(10.0**digits - 1) for digits in (3, 4, 5, 6))
"""Codes that are said wherever they stand."""
MOST_SAID = 3
"""Values of one table that are said in a log."""

log = logging.getLogger(__name__)


class Code(NamedTuple):
    """A value of a column that may be a code: in how many people it stands, and the row of the first of them."""

    column: int
    value: float
    n: int
    first: int


def find_codes(values: FloatArray) -> list[Code]:
    """Values that repeat exactly and lie far from the rest of their column, and rows of one value alone.

    A value is far that lies more than 6 robust standard deviations (1.4826 times the median absolute deviation) from
    the median, with 3 of them empty between it and the next value. It repeats where two people have it in the column,
    or, if it is a usual code such as -9, where it is far in several columns.

    Parameters
    ----------
    values : ndarray, shape (n, p)
        NaN is missing.

    Returns
    -------
    list of Code
        In the order of the columns.
    """
    values = np.asarray(values, dtype=float)
    known = np.isfinite(values)
    columns = np.flatnonzero(known.sum(axis=0) > 2)
    found: dict[tuple[int, float], NDArray[np.integer]] = {}
    for column in columns[_has_far(values[:, columns])]:
        for value, rows in _far_values(values[:, column]):
            found[int(column), value] = rows
    cells: Counter[float] = Counter()
    for (_, value), rows in found.items():
        cells[value] += len(rows)
    kept = {
        place: rows for place, rows in found.items()
        if len(rows) > 1 or (place[1] in CODES and cells[place[1]] > 1) or place[1] in NEVER_MEASURED
    }  # fmt: skip
    for value in NEVER_MEASURED:
        rows_of, columns_of = np.nonzero(values == value)
        kept |= {(int(column), value): rows_of[columns_of == column] for column in np.unique(columns_of)}
    alike = _rows_of_one_value(values, known)
    for value in np.unique(values[alike, 0]) if alike.any() else []:
        rows = np.flatnonzero(alike & (values[:, 0] == value))
        for column in range(values.shape[1]):
            kept.setdefault((column, float(value)), rows)
    return [Code(column, value, len(rows), int(rows[0])) for (column, value), rows in sorted(kept.items())]


def warn_of_codes(values: FloatArray, names: Sequence[str], labels: Sequence[str], place: str) -> dict[str, str]:
    """Say in the log which values of a table may be codes; give a note for each column that has one.

    Parameters
    ----------
    values : ndarray, shape (n, p)
    names : sequence of str, length p
        Of the columns.
    labels : sequence of str, length n
        Of the people.
    place : str
        File, for the message.

    Returns
    -------
    dict of str to str
        Notes by column, such as ``-9999 in 3 people, first sub-07``.
    """
    notes: dict[str, list[str]] = {}
    by_value: dict[float, list[Code]] = {}
    for code in find_codes(values):
        people = "1 person" if code.n == 1 else f"{code.n} people, first"
        notes.setdefault(names[code.column], []).append(f"{code.value:g} in {people} {labels[code.first]}")
        by_value.setdefault(code.value, []).append(code)
    for value, codes in list(by_value.items())[:MOST_SAID]:
        first = codes[0]
        more = f" (and in {len(codes) - 1} more columns)" if len(codes) > 1 else ""
        log.warning(
            "%s: column '%s'%s: %g stands in %d of %d people, first %s, far from all other values; if it stands for no "
            "value, write n/a", place, names[first.column], more, value, first.n, len(labels), labels[first.first],
        )  # fmt: skip
    if len(by_value) > MOST_SAID:
        log.warning("%s: %d more such values", place, len(by_value) - MOST_SAID)
    return {name: "; ".join(said) for name, said in notes.items()}


def _has_far(values: FloatArray) -> BoolArray:
    """Columns whose smallest or largest value is far; those of which most values are the same have none."""
    if values.size == 0:
        return np.zeros(values.shape[1], dtype=bool)
    middle = np.nanmedian(values, axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(values - middle), axis=0)
    reach = np.maximum(np.nanmax(values, axis=0) - middle, middle - np.nanmin(values, axis=0))
    return (spread > 0) & (reach > FAR * spread)


def _far_values(column: FloatArray) -> list[tuple[float, NDArray[np.integer]]]:
    """Far values of a column with an empty space around them, and their rows."""
    own = column[np.isfinite(column)]
    middle = np.median(own)
    spread = 1.4826 * np.median(np.abs(own - middle))
    distinct = np.unique(own)
    far = np.abs(distinct - middle) > FAR * spread
    coded = np.array([value in CODES for value in distinct[far].tolist()], dtype=bool)
    others = np.concatenate([distinct[~far], distinct[far][~coded]])
    found: list[tuple[float, NDArray[np.integer]]] = []
    for value in distinct[far]:
        rest = others[others != value]
        if len(rest) and np.abs(rest - value).min() > GAP * spread:
            found.append((float(value), np.flatnonzero(column == value)))
    return found


def _rows_of_one_value(values: FloatArray, known: BoolArray) -> BoolArray:
    """People with one and the same code in every column, where chance alone would hardly give such a row.

    The chance is that of independent columns, from how often the others have the code in each.
    """
    n, p = values.shape
    if p < 2:
        return np.zeros(n, dtype=bool)
    alike = known.all(axis=1) & (values == values[:, :1]).all(axis=1) & np.isin(values[:, 0], list(CODES))
    for value in np.unique(values[alike, 0]):
        expected = n * np.prod((values[~alike] == value).sum(axis=0) / max(n - int(alike.sum()), 1))
        if expected > CHANCE or (n > 2 and alike.sum() >= n / 2):
            alike &= values[:, 0] != value
    return alike
