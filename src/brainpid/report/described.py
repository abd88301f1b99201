"""How a table that a run leaves is described: its columns with type, unit and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TEXT, INTEGER, NUMBER, TRUTH = "text", "integer", "number", "True or False"
TARGET, BITS, PART, PEOPLE, NONE = "target's units", "bits", "0 to 1", "people", ""
COST, ANY = "cost's unit", "as in `units`"

Kinds = dict[str, tuple[str, str]]
"""Type and unit of each column."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        ``<m>`` stands for a modality, ``<subset>`` for modalities joined with ``+``.
    kind : str
        Type of its values.
    unit : str
        Empty where there is none.
    meaning : str
    """

    name: str
    kind: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class OutputTable:
    """One table of the output folder.

    Attributes
    ----------
    path : str
        Under the output folder; ``<cohort>`` and the like stand for names.
    content : str
        What its rows are.
    columns : tuple of Column
    """

    path: str
    content: str
    columns: tuple[Column, ...]


Described = dict[str, tuple[str, str, str]]
"""Type, unit and meaning of each column."""
MAE_INTERVAL: Described = {
    "mae_ci_low": (NUMBER, TARGET, "Lower end of its interval, `pid.confidence` of the configuration"),
    "mae_ci_high": (NUMBER, TARGET, "Upper end of it"),
}
FIT: Described = {
    "r2": (NUMBER, "at most 1", "Part of the variance that is explained; below 0 worse than the mean"),
    "pearson_r": (NUMBER, "-1 to 1", "Correlation of predicted and true target"),
}


def table(path: str, content: str, columns: Described) -> OutputTable:
    """A table whose columns are described here."""
    return OutputTable(path, content, tuple(Column(name, *told) for name, told in columns.items()))


def of_glossary(path: str, content: str, meanings: Mapping[str, str], kinds: Kinds) -> OutputTable:
    """A table that has a data dictionary; a column without a type is a KeyError."""
    columns = tuple(Column(name, *kinds[name], meaning) for name, meaning in meanings.items())
    return OutputTable(path, content, columns)
