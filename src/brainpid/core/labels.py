"""Numbers and labels of what callers hand over: data frames, series, arrays, masked arrays or lists.

Frames and series are recognised by what they can do, so that pandas need not be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError


def numbers_of(given: object, what: str) -> FloatArray:
    """Values as float64 of the same shape, NaN where one is missing: NaN, None, `pandas.NA`, or masked.

    Parameters
    ----------
    given : array_like or DataFrame or Series
    what : str
        What to call it in a message.

    Raises
    ------
    InputError
        Where they are text, dates or complex, or rows differ in length.
    """
    try:
        if isinstance(given, np.ma.MaskedArray):
            return np.asarray(cast(Any, given).astype(np.float64).filled(np.nan))
        array = np.asarray(given.to_numpy() if hasattr(given, "to_numpy") else given)
        if array.dtype.kind == "O":
            flat = [np.nan if _is_missing(value) else value for value in array.ravel()]
            if text := [value for value in flat if isinstance(value, str | bytes)]:
                raise InputError(f"{what}: expected numbers, found {len(text)} text(s) such as {text[0]!r}")
            return np.array([float(value) for value in flat], dtype=np.float64).reshape(array.shape)
        if array.dtype.kind not in "biuf":
            kind = {"U": "text", "S": "text", "T": "text", "c": "complex numbers", "M": "dates"}.get(array.dtype.kind)
            raise InputError(f"{what}: expected numbers, found {kind or array.dtype}, such as {array.ravel()[0]!s}")
        return array.astype(np.float64, copy=False)
    except InputError:
        raise
    except (TypeError, ValueError) as fault:
        raise InputError(f"{what}: expected numbers; {fault}") from fault


def _is_missing(value: object) -> bool:
    """Whether a cell is None, NaN, or the NA of pandas."""
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def check_same_people(given: Mapping[str, object]) -> None:
    """Refuse frames and series whose rows have other labels, or the same in another order; the rest has no labels.

    Parameters
    ----------
    given : mapping of str to object
        What is paired row by row, by the name that a message gives it.

    Raises
    ------
    InputError
        Where an index differs from the first one.
    """
    indexed = {what: cast(Any, held).index for what, held in given.items() if hasattr(held, "iloc")}
    if len(indexed) < 2:
        return
    (first, expected), *others = indexed.items()
    for what, labels in others:
        if labels.equals(expected):
            continue
        where = f": {len(labels)} and {len(expected)} rows"
        how = "differ from"
        if len(labels) == len(expected):
            row = next((k for k, pair in enumerate(zip(labels, expected, strict=True)) if pair[0] != pair[1]), 0)
            where = f": row {row} is {expected[row]!r} in {first} and {labels[row]!r} in {what}"
            if sorted(map(repr, labels)) == sorted(map(repr, expected)):
                how = "are in another order than"
        raise InputError(
            f"labels of {what} {how} those of {first}{where}; align them, such as by .loc[{first}.index], or give "
            "arrays (.to_numpy()) to pair rows by position"
        )
