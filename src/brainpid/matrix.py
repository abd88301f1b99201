"""Features of chosen people from the cohorts' files, joined by label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from brainpid.arrays import FloatArray
from brainpid.errors import InputError
from brainpid.store import read_cohort, read_features


def read_matrix(paths: Sequence[Path], people: pd.DataFrame, modalities: Sequence[str]) -> dict[str, FloatArray]:
    """Features of people, joined by cohort and label: modality to an array of shape (n, p_m)."""
    by_cohort = {read_cohort(path): path for path in paths}
    if absent := sorted(set(people["cohort"]) - set(by_cohort)):
        raise InputError(f"no feature file of cohort(s) {absent}; found {sorted(by_cohort)}")
    parts: dict[str, list[pd.DataFrame]] = {modality: [] for modality in modalities}
    for cohort, rows in people.groupby("cohort", sort=False):
        for modality in modalities:
            block = read_features(by_cohort[cohort], modality)
            table = pd.DataFrame(block.values, columns=list(block.names))
            keys = pd.MultiIndex.from_product([[cohort], block.participant_id])
            parts[modality].append(table.set_index(keys).loc[[(cohort, label) for label in rows["participant_id"]]])
    order = pd.MultiIndex.from_frame(people[["cohort", "participant_id"]])
    return {modality: pd.concat(tables).loc[order].to_numpy(dtype=float) for modality, tables in parts.items()}
