"""Parts of the configuration about study designs: who is trained on, and which groups of people are compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator


def _one_column(given: Any) -> Any:
    """Read a mapping from one column to a value, or several, as texts; cells of a table are texts."""
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ValueError("expected one column and its value or values, such as {diagnosis: control}")
    column, cells = next(iter(given.items()))
    if not isinstance(column, str):
        raise ValueError("expected the name of a column; quote it")
    values = list(cells) if isinstance(cells, list | tuple) else [cells]
    if not values:
        raise ValueError(f"{column}: expected a value or several")
    for value in values:
        if value is None or isinstance(value, bool | Mapping | list):
            raise ValueError(f"{column}: expected texts as they stand in the table; quote what YAML reads otherwise")
    texts = tuple(str(value).strip() for value in values)
    if len(set(texts)) < len(texts):
        raise ValueError(f"{column}: a value is given twice")
    return {column: texts}


TrainOn = Annotated[
    dict[str, tuple[str, ...]],
    BeforeValidator(_one_column, json_schema_input_type=dict[str, str | float | tuple[str | float, ...]]),
]
"""One column of the participants tables, and the values in it of those who are trained on."""


def _each_once(columns: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(columns)) < len(columns):
        raise ValueError("a column is given twice")
    return columns


Groups = Annotated[tuple[str, ...], AfterValidator(_each_once)]
"""Columns of the participants tables by which people are compared."""


def trained_in_words(train_on: Mapping[str, tuple[str, ...]] | None) -> str:
    """Say who is trained on, for the comparison of runs."""
    return "; ".join(f"{column}: {', '.join(values)}" for column, values in (train_on or {}).items()) or "everybody"


def column_of(train_on: Mapping[str, tuple[str, ...]] | None) -> str | None:
    """Give the column that says who is trained on."""
    return None if train_on is None else next(iter(train_on))
