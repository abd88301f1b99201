"""The audit for leaks of what a study gives, before anything is extracted: for `check`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from brainpid.cohort.families import read_families
from brainpid.cohort.person_files import Found
from brainpid.cohort.same_files import contents_of_one_size
from brainpid.config.leakage_slice import LeakageSettings
from brainpid.config.schema import Config
from brainpid.core.arrays import IntArray
from brainpid.features.block import FeatureBlock
from brainpid.features.findings import Finding
from brainpid.features.leakage import audit
from brainpid.features.source_versions import pipelines_of


def leaks_before_a_run(
    config: Config,
    people: pd.DataFrame,
    splits: pd.DataFrame,
    groups: IntArray | None,
    tables: Mapping[tuple[str, str], FeatureBlock],
    features: pd.DataFrame,
    images: Mapping[tuple[str, str], Mapping[str, Found]],
) -> list[Finding]:
    """Audit what `check` reads: tables, labels, and files of images, whose features are not known yet.

    Parameters
    ----------
    config : Config
    people, splits : DataFrame
        As `brainpid.features.inclusion.plan` gives them.
    groups : ndarray of int, shape (n,), or None
        Group of each row of `people`.
    tables : mapping of (cohort, modality) to FeatureBlock
    features : DataFrame
        As `brainpid.features.chosen.choose_features` gives it.
    images : mapping of (cohort, modality) to mapping of str to Found
        Files of people by label.
    """
    settings = LeakageSettings.of(config)
    taking = people["included"].to_numpy(dtype=bool)
    own = people[taking].reset_index(drop=True)
    files: dict[tuple[str, str], dict[str, str]] = {}
    for (cohort, modality), found in images.items():
        for person, one in found.items():
            files.setdefault((cohort, person), {}).update(
                {f"{modality} {role}": path for role, path in one.files.items()}
            )
    return audit(
        own,
        _joined(own, tables, features),
        target=settings.target,
        of_tables=settings.of_tables,
        splits=splits,
        groups=None if groups is None else groups[taking],
        families=read_families(settings.participants, settings.labels, own),
        files=contents_of_one_size(files),
        pipelines=pipelines_of(config, config.cohorts),
    )


def _joined(
    people: pd.DataFrame, tables: Mapping[tuple[str, str], FeatureBlock], features: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Features from tables of people of all cohorts by modality, NaN where a cohort has images or nothing."""
    used = features[features["included"].astype(bool)]
    joined = {}
    for modality in dict.fromkeys(modality for _, modality in tables):
        names = used.loc[used["modality"] == modality, "feature"].tolist()
        if not names:  # another cohort has it from images, whose features are not known yet
            names = list(
                dict.fromkeys(name for (_, m), block in tables.items() if m == modality for name in block.names)
            )
        values = pd.DataFrame(np.nan, index=people.index, columns=names)
        for (cohort, own), block in tables.items():
            if own == modality:
                rows = people.index[people["cohort"] == cohort]
                frame = pd.DataFrame(block.values, index=list(block.participant_id), columns=list(block.names))
                frame[~block.present] = np.nan
                values.loc[rows] = frame.reindex(people.loc[rows, "participant_id"], columns=names).to_numpy()
        joined[modality] = values
    return joined
