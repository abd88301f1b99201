"""Features of chosen people from the cohorts' files, joined by label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_own_tsv
from brainpid.features.store import read_cohort, read_features, read_modalities, read_provenance


def read_roles(participants: Path, splits: Path, repeat: int, fold: int) -> pd.DataFrame:
    """People of one fold with their role, in the order of ``participants.tsv``.

    Raises
    ------
    InputError
        Where the splits have no such fold.
    """
    roles = read_own_tsv(splits)
    own = roles[(roles["repeat"] == repeat) & (roles["fold"] == fold)]
    if own.empty:
        raise InputError(f"{splits}: no rows of repeat {repeat}, fold {fold}")
    return read_own_tsv(participants).merge(own, on=["cohort", "participant_id"], how="inner", validate="one_to_one")


def read_tables(paths: Sequence[Path], people: pd.DataFrame, modalities: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Features of people, joined by cohort and label: modality to a table (n, p_m) with the features' names.

    A person whose modality did not succeed, or whose cohort has no source for it, has a row of NaN in it.

    Raises
    ------
    InputError
        Where a cohort has no file, its file lacks a person, or none of the cohorts has a modality.
    """
    by_cohort = {read_cohort(path): path for path in paths}
    if absent := sorted(set(people["cohort"]) - set(by_cohort)):
        raise InputError(f"no feature file of cohort(s) {absent}; found {sorted(by_cohort)}")
    parts: dict[str, list[pd.DataFrame]] = {modality: [] for modality in modalities}
    for cohort, rows in people.groupby("cohort", sort=False):
        for modality in set(read_modalities(by_cohort[cohort])) & set(modalities):
            block = read_features(by_cohort[cohort], modality)
            if strangers := sorted(set(rows["participant_id"]) - set(block.participant_id)):
                raise InputError(f"{by_cohort[cohort]}: {modality} has no rows of {list_some(strangers)}")
            # What stands beside a failed modality, such as the divisor of its features, is not the modality.
            values = np.where(block.present[:, None], block.values, np.nan)
            keys = pd.MultiIndex.from_product([[cohort], block.participant_id])
            parts[modality].append(pd.DataFrame(values, index=keys, columns=list(block.names)))
    order = pd.MultiIndex.from_frame(people[["cohort", "participant_id"]])
    if nowhere := [modality for modality, tables in parts.items() if not tables]:
        raise InputError(f"no cohort of {list_some(by_cohort)} has features of {list_some(nowhere)}")
    found = {modality: pd.concat(tables).reindex(order).reset_index(drop=True) for modality, tables in parts.items()}
    return {modality: table.astype(float) for modality, table in found.items()}


def read_matrix(paths: Sequence[Path], people: pd.DataFrame, modalities: Sequence[str]) -> dict[str, FloatArray]:
    """`read_tables` as arrays, without names."""
    return {modality: table.to_numpy() for modality, table in read_tables(paths, people, modalities).items()}


def read_units(paths: Sequence[Path], modalities: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Units of the features of modalities, in the order of the features; those of the first cohort that has it."""
    units: dict[str, tuple[str, ...]] = {}
    for path in paths:
        for modality in set(read_modalities(path)) & set(modalities) - set(units):
            units[modality] = read_features(path, modality).units
    return units


def read_divisors(paths: Sequence[Path], modalities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How the features of modalities from tables were divided, see `brainpid.features.tables.divisor_of`.

    Returns
    -------
    dict of str to dict
        Of each modality that was divided in any cohort; an empty dictionary where cohorts differ.
    """
    found: dict[str, list[dict[str, Any]]] = {modality: [] for modality in modalities}
    for path in paths:
        parts = read_provenance(path).get("settings", {}).get("parts", {})
        for modality in set(parts) & set(modalities):
            found[modality].append(parts[modality].get("divided", {}))
    return {
        modality: ways[0] if all(way == ways[0] for way in ways) else {}
        for modality, ways in found.items()
        if any(ways)
    }
