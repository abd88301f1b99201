"""What is true of a synthetic cohort, where the program that made it left ``truth.json`` beside its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from brainpid.core.errors import InputError
from brainpid.core.files import read_json

FILE = "truth.json"
COLUMNS = ["cohort", "measure", "scope", "modalities", "atom", "bits"]


def read_truths(folders: Mapping[str, str], modalities: Sequence[str], together: str) -> pd.DataFrame:
    """Read the true information of every cohort that has a ``truth.json`` in the folder of its data or beside it.

    Parameters
    ----------
    folders : mapping of str to str
        By cohort, its BIDS dataset or the folder of its participants table.
    modalities : sequence of str
        A truth of other modalities than these is no truth of their decomposition, and left out.
    together : str
        Name of the rows of all cohorts, which there are where all have the same truth.

    Returns
    -------
    DataFrame
        With the columns `COLUMNS`; `bits` is information in bits. No rows where nothing is known.

    Raises
    ------
    InputError
        Where a file of that name holds something else.
    """
    found: dict[str, pd.DataFrame] = {}
    for cohort, folder in folders.items():
        place = next((path for path in (Path(folder, FILE), Path(folder).parent / FILE) if path.is_file()), None)
        rows = None if place is None else _rows(place)
        if rows is not None and _of_these(rows, modalities):
            found[cohort] = rows
    tables = list(found.values())
    if len(folders) > 1 and len(found) == len(folders) and all(table.equals(tables[0]) for table in tables):
        found[together] = tables[0]
    return pd.concat(
        [pd.DataFrame(columns=COLUMNS), *(rows.assign(cohort=cohort)[COLUMNS] for cohort, rows in found.items())],
        ignore_index=True,
    ).astype({"bits": float})


def _of_these(rows: pd.DataFrame, modalities: Sequence[str]) -> bool:
    """Whether the total is that of these modalities, in whatever order."""
    names = rows.loc[(rows["scope"] == "all") & (rows["atom"] == "total"), "modalities"]
    return {frozenset(name.split("+")) for name in names} == {frozenset(modalities)}


def _rows(place: Path) -> pd.DataFrame:
    """Rows of the decompositions of one file."""
    content = read_json(place)
    try:
        rows = [
            {"measure": str(measure), "bits": float(row["bits"])}
            | {key: str(row[key]) for key in ("scope", "modalities", "atom")}
            for measure, own in content["decomposition"].items()
            for row in own
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise InputError(
            f"{place}: expected the truth of a synthetic cohort as `brainpid phantom` writes it, 'decomposition' with "
            f"rows of scope, modalities, atom and bits; found something else ({type(fault).__name__}: {fault}). Give "
            "a file of another meaning another name"
        ) from fault
    return pd.DataFrame(rows, columns=COLUMNS[1:])
