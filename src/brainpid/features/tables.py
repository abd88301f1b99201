"""Features from a delimited table: one row a person, one column a feature."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainpid.cohort.participants import FAIL, SUCCESS, UNAVAILABLE, read_ids
from brainpid.config.sources import TableSource
from brainpid.core.arrays import BoolArray, FloatArray
from brainpid.core.codes import warn_of_codes
from brainpid.core.errors import InputError, did_you_mean, list_some
from brainpid.core.files import numeric_cells, read_header, read_table, require_column
from brainpid.core.names import matching
from brainpid.features.block import FeatureBlock
from brainpid.features.units import UNKNOWN_UNIT, canonical_unit, is_known

ID_COLUMN = "participant_id"
FEWEST_ROWS_COUNTED = 10
"""Rows from which on a column that counts them is no chance."""


def extract_table(
    source: TableSource, sheet: pd.DataFrame, modality: str, sheet_units: Mapping[str, str] | None = None
) -> FeatureBlock:
    """Read one modality of one cohort from a table.

    Parameters
    ----------
    source : TableSource
        Path and options of the table.
    sheet : DataFrame
        The cohort's participants, as `brainpid.cohort.participants.read_participants` gives them.
    modality : str
        Name of the modality.
    sheet_units : mapping of str to str, optional
        Units of the sheet's columns, for `divide_by`.

    Returns
    -------
    FeatureBlock
        One row for each person of the sheet, in the sheet's order; people without features have a row of NaN, a
        status and a reason.

    Raises
    ------
    InputError
        Where the table has labels that are no participants, duplicates, or cells that are no numbers.
    """
    path = source.path
    header = read_header(path)
    require_column(path, header, ID_COLUMN, "the label of each person")
    table = read_table(path, text=[ID_COLUMN])
    labels = read_ids(table, ID_COLUMN, path)
    unmatched = sorted(set(labels) - set(sheet["participant_id"]))
    if unmatched:
        raise InputError(
            f"{path}: {len(unmatched)} of {len(labels)} labels are not in the participants table of cohort "
            f"'{sheet['cohort'].iloc[0]}': {list_some(unmatched)}"
        )
    features = _select(table.drop(columns=ID_COLUMN), source, path)
    values = numeric_cells(features, labels, path)
    _refuse_row_numbers(values, list(features.columns), path)
    notes = warn_of_codes(values, list(features.columns), labels.tolist(), path)
    units, regions = read_units(path), read_regions(path)

    aligned = pd.DataFrame(values, index=labels).reindex(sheet["participant_id"]).to_numpy()
    listed = sheet["participant_id"].isin(labels).to_numpy()
    status = np.where(listed, SUCCESS, UNAVAILABLE).astype(object)
    reason = np.where(listed, "", f"no row in {path}{', which has none' if table.empty else ''}").astype(object)
    blank = listed & np.isnan(aligned).all(axis=1)
    status[blank], reason[blank] = UNAVAILABLE, f"every cell is n/a in {path}"
    block = FeatureBlock(
        modality=modality,
        participant_id=tuple(sheet["participant_id"]),
        names=tuple(features.columns),
        units=tuple(units.get(name, UNKNOWN_UNIT) for name in features.columns),
        values=aligned,
        status=tuple(status),
        reason=tuple(reason),
        regions=tuple(regions.get(name, ()) for name in features.columns),
        notes=notes,
    )
    if source.divide_by is not None:
        block = divide(block, sheet, source.divide_by, (sheet_units or {}).get(source.divide_by, UNKNOWN_UNIT))
    return block


def _refuse_row_numbers(values: FloatArray, names: Sequence[str], path: str) -> None:
    """Raise where a column counts the rows: in a table that is sorted by anything it would tell of that."""
    n = len(values)
    if n < FEWEST_ROWS_COUNTED:
        return
    for start in (0, 1):
        counts = (values == np.arange(start, n + start)[:, None]).all(axis=0)
        if counts.any():
            name = names[int(counts.argmax())]
            raise InputError(
                f"{path}: column '{name}' counts the rows, from {start} to {n - 1 + start}, which is no feature; "
                f"leave it out with drop: ['{name}']"
            )


def divisor_of(source: TableSource, names: Sequence[str], sheet_units: Mapping[str, str]) -> dict[str, Any]:
    """What a table's features were divided by, so that those of later people can be: `by`, and `except` which of them.

    Parameters
    ----------
    source : TableSource
    names : sequence of str
        Of the features after division, the divisor last.
    sheet_units : mapping of str to str
        Units of the columns of the participants table.

    Returns
    -------
    dict
        Empty where nothing is divided.
    """
    if source.divide_by is None:
        return {}
    units = read_units(source.path)
    divided, _ = _divided(
        [units.get(name, UNKNOWN_UNIT) for name in names[:-1]], sheet_units.get(source.divide_by, UNKNOWN_UNIT)
    )
    return {"by": source.divide_by, "except": [name for name, own in zip(names[:-1], divided, strict=True) if not own]}


def divide(block: FeatureBlock, sheet: pd.DataFrame, divisor: str, unit: str) -> FeatureBlock:
    """Divide features by a column of the participants, such as head size, and keep that column as a feature.

    Features in the divisor's unit are divided and become ratios (unit ``1``); where the unit of the divisor or of
    all features is unknown, every feature is divided. A person without a positive divisor fails with that reason.
    """
    cohort = sheet["cohort"].iloc[0]
    if divisor not in sheet.columns:
        raise InputError(
            f"cohort '{cohort}': divide_by '{divisor}' is no column of the participants table; "
            f"found {list_some(sheet.columns)}"
        )
    if divisor in block.names:
        raise InputError(f"cohort '{cohort}': '{divisor}' is a feature of {block.modality} and divide_by as well")
    divided, unknown = _divided(block.units, unit)
    if not divided.any():
        raise InputError(
            f"cohort '{cohort}': no feature of {block.modality} is in the unit of divide_by '{divisor}' ({unit}); "
            f"found units {list_some(sorted(set(block.units)))}"
        )
    numbers = pd.to_numeric(sheet[divisor], errors="coerce").to_numpy(dtype=float)
    usable = np.isfinite(numbers) & (numbers > 0)
    place = f"participants of cohort '{cohort}'"
    notes = warn_of_codes(numbers[:, None], [divisor], sheet["participant_id"].tolist(), place)
    status, reason = list(block.status), list(block.reason)
    for row in np.flatnonzero(~usable & block.present):
        status[row] = FAIL
        cell = sheet[divisor].iloc[row]
        found = "" if pd.isna(cell) else f", found '{cell}'"
        reason[row] = f"no positive {divisor} in the participants table to divide by{found}"
    scale = np.where(usable, numbers, np.nan)[:, None]
    values = np.column_stack([np.where(divided, block.values / scale, block.values), scale])
    values[[state != SUCCESS for state in status]] = np.nan
    ratio_unit = UNKNOWN_UNIT if unknown else "1"
    units = (ratio_unit if is_divided else known for is_divided, known in zip(divided, block.units, strict=True))
    return FeatureBlock(
        modality=block.modality,
        participant_id=block.participant_id,
        names=(*block.names, divisor),
        units=(*units, unit),
        values=values,
        status=tuple(status),
        reason=tuple(reason),
        regions=(*block.regions, ()),
        notes={**block.notes, **notes},
    )


def _divided(units: Sequence[str], unit: str) -> tuple[BoolArray, bool]:
    """Which features of these units a divisor of a unit divides, and whether that is all because units are unknown."""
    unknown = not is_known(unit) or not any(map(is_known, units))
    return np.array([unknown or canonical_unit(known) == canonical_unit(unit) for known in units]), unknown


def read_units(path: str | Path) -> dict[str, str]:
    """Units of a table's columns from the BIDS dictionary beside it; empty where there is none."""
    units = {}
    for name, entry in _dictionary(path):
        if entry.get("Units") not in (None, ""):  # both are written where a unit is not known
            if not isinstance(entry["Units"], str):
                raise InputError(f"{_beside(path)}: Units of '{name}': expected a text, found {entry['Units']!r}")
            units[name] = entry["Units"]
    return units


def read_regions(path: str | Path) -> dict[str, tuple[str, ...]]:
    """Regions of a table's columns from the key ``Region`` in the dictionary beside it: a name, or a list of them.

    Names of columns say nothing about regions: a table without such a key has none.
    """
    regions = {}
    for name, entry in _dictionary(path):
        if "Region" in entry:
            given = entry["Region"]
            own = [given] if isinstance(given, str) else given
            if not isinstance(own, list) or not all(isinstance(region, str) and region for region in own):
                raise InputError(
                    f"{_beside(path)}: Region of '{name}': expected the name of a region or a list of names, found "
                    f"{given!r}"
                )
            regions[name] = tuple(own)
    return regions


def _beside(path: str | Path) -> Path:
    """Where the dictionary of a table lies."""
    return Path(path).with_suffix(".json")


def _dictionary(path: str | Path) -> list[tuple[str, dict[str, Any]]]:
    """Entries of the BIDS dictionary beside a table; empty where there is none."""
    dictionary = _beside(path)
    if not dictionary.is_file():
        return []
    try:
        content = json.loads(dictionary.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as fault:
        raise InputError(f"{dictionary}: not readable as JSON: {fault}") from fault
    if not isinstance(content, dict):
        raise InputError(f"{dictionary}: expected a mapping of column names, found {type(content).__name__}")
    return [(name, entry) for name, entry in content.items() if isinstance(entry, dict)]


def _select(features: pd.DataFrame, source: TableSource, path: str) -> pd.DataFrame:
    """Leave out what the source drops; a pattern that matches nothing is an error."""
    names = list(features.columns)
    for pattern in source.drop:
        if not matching(pattern, names):
            raise InputError(f"{path}: drop: '{pattern}' matches no column; {did_you_mean(pattern, names)}")
    kept = source.kept(names)
    if not kept:
        raise InputError(f"{path}: no feature is left besides {ID_COLUMN}")
    return features[kept]
