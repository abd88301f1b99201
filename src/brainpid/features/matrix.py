"""Features of chosen people from the cohorts' files, joined by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, list_some
from brainpid.core.files import read_own_tsv
from brainpid.features.between_cohorts import same_way
from brainpid.features.store import read_cohort, read_features, read_modalities, read_provenance, read_summary


def read_roles(participants: Path, splits: Path, repeat: int, fold: int) -> pd.DataFrame:
    """People of one fold with their role (train, test or other), in the order of ``participants.tsv``.

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


def read_chosen(features: Path, modalities: Sequence[str]) -> dict[str, list[str]]:
    """Names of the features of each modality that take part, from the ``features.tsv`` that `split` wrote.

    Raises
    ------
    InputError
        Where a modality has none.
    """
    table = read_own_tsv(features)
    chosen = table[table["included"].astype(bool)]
    names = {modality: chosen.loc[chosen["modality"] == modality, "feature"].tolist() for modality in modalities}
    if nothing := [modality for modality, own in names.items() if not own]:
        raise InputError(f"{features}: no feature of {list_some(nothing)} takes part; run split again")
    return names


def read_tables(
    paths: Sequence[Path], people: pd.DataFrame, chosen: Mapping[str, Sequence[str]]
) -> dict[str, pd.DataFrame]:
    """Features of people, joined by cohort and label: modality to a table (n, p_m) with the features' names.

    A person whose modality did not succeed, or whose cohort has no source for it, has a row of NaN in it.

    Parameters
    ----------
    paths : sequence of path
        Feature files, one a cohort.
    people : DataFrame
        cohort and participant_id of n people.
    chosen : mapping of str to sequence of str
        Features to read, by modality.

    Returns
    -------
    dict of str to DataFrame
        Of float32, as they are stored; what computes with them takes float64.

    Raises
    ------
    InputError
        Where a cohort has no file, its file lacks a person or a feature, or none of the cohorts has a modality.
    """
    by_cohort = {read_cohort(path): path for path in paths}
    if absent := sorted(set(people["cohort"]) - set(by_cohort)):
        raise InputError(f"no feature file of cohort(s) {absent}; found {sorted(by_cohort)}")
    values = {modality: np.full((len(people), len(own)), np.nan, dtype=np.float32) for modality, own in chosen.items()}
    # Of all cohorts, whoever the people are: those of one cohort may lack a modality that others are trained with.
    if nowhere := [modality for modality in chosen if not any(modality in read_modalities(path) for path in paths)]:
        raise InputError(f"no cohort of {list_some(by_cohort)} has features of {list_some(nowhere)}")
    for cohort, rows in people.groupby("cohort", sort=False):
        here, labels = np.flatnonzero(people["cohort"] == cohort), rows["participant_id"].tolist()
        for modality in set(read_modalities(by_cohort[cohort])) & set(chosen):
            values[modality][here] = _read_part(by_cohort[cohort], modality, labels, chosen[modality])
    return {modality: pd.DataFrame(values[modality], columns=list(own)) for modality, own in chosen.items()}


def _read_part(path: Path, modality: str, labels: Sequence[str], names: Sequence[str]) -> NDArray[np.float32]:
    """Features of people of one cohort and modality, shape (n, p); a row of NaN where the modality did not succeed."""
    block = read_features(path, modality)
    if not block.present.any():  # its features are none, or not looked at
        return np.full((len(labels), len(names)), np.nan, dtype=np.float32)
    row = {label: number for number, label in enumerate(block.participant_id)}
    column = {name: number for number, name in enumerate(block.names)}
    if lacking := sorted(set(labels) - set(row)):
        raise InputError(f"{path}: {modality} has no rows of {list_some(lacking)}")
    if absent := [name for name in names if name not in column]:
        raise InputError(f"{path}: {modality} has no feature {list_some(absent)}; run split again")
    rows = [row[label] for label in labels]
    part = block.values[np.ix_(rows, [column[name] for name in names])].astype(np.float32, copy=False)
    # What stands beside a failed modality, such as the divisor of its features, is not the modality.
    part[~block.present[rows]] = np.nan
    return part


def read_matrix(
    paths: Sequence[Path], people: pd.DataFrame, chosen: Mapping[str, Sequence[str]]
) -> dict[str, FloatArray]:
    """`read_tables` as arrays of float64, without names."""
    return {modality: table.to_numpy(dtype=float) for modality, table in read_tables(paths, people, chosen).items()}


@dataclass(frozen=True)
class Described:
    """Units, and regions, of some features of a modality, in their order."""

    units: list[str]
    regions: list[tuple[str, ...]]


def read_descriptions(paths: Sequence[Path], chosen: Mapping[str, Sequence[str]]) -> dict[str, Described]:
    """Units and regions of features by modality, from the first cohort of which anybody has it; no value is read."""
    found: dict[str, Described] = {}
    for path in paths:
        for modality in set(read_modalities(path)) & set(chosen) - set(found):
            known = read_summary(path, modality)
            if not known.present.any():
                continue
            place = {name: number for number, name in enumerate(known.names)}
            own = [place[name] for name in chosen[modality]]
            found[modality] = Described([known.units[k] for k in own], [known.regions[k] for k in own])
    return found


def read_divisors(paths: Sequence[Path], chosen: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """How the chosen features from tables were divided, see `brainpid.features.tables.divisor_of`.

    Returns
    -------
    dict of str to dict
        Of each modality that was divided in any cohort; an empty dictionary where cohorts differ.
    """
    found: dict[str, list[dict[str, Any]]] = {modality: [] for modality in chosen}
    for path in paths:
        parts = read_provenance(path).get("settings", {}).get("parts", {})
        for modality in set(parts) & set(chosen):
            found[modality].append(parts[modality].get("divided", {}))
    return {
        modality: ways[0] if all(same_way(way, ways[0], chosen[modality]) for way in ways) else {}
        for modality, ways in found.items()
        if any(ways)
    }


def read_notes(paths: Sequence[Path], features: pd.DataFrame) -> list[str]:
    """What is to be known of values of features, over cohorts; empty where nothing is.

    Parameters
    ----------
    paths : sequence of path
        Feature files, one a cohort.
    features : DataFrame
        Columns modality and feature.
    """
    parts = {read_cohort(path): read_provenance(path).get("settings", {}).get("parts", {}) for path in paths}
    return [
        "; ".join(
            f"{cohort}: {own[modality]['notes'][feature]}"
            for cohort, own in parts.items()
            if feature in own.get(modality, {}).get("notes", {})
        )
        for modality, feature in zip(features["modality"], features["feature"], strict=True)
    ]
