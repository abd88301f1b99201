"""By which programs and versions the features of each cohort were made, as extraction recorded it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from brainpid.cohort.pipelines import Versions
from brainpid.features.store import read_cohort, read_modalities, read_provenance


def read_pipelines(paths: Sequence[Path], modalities: Iterable[str]) -> dict[str, dict[str, Versions]]:
    """Versions by modality and cohort, from feature files; cohorts of which nothing is known are left out."""
    found: dict[str, dict[str, Versions]] = {modality: {} for modality in modalities}
    for path in paths:
        parts: dict[str, Any] = read_provenance(path).get("settings", {}).get("parts", {})
        for modality in set(read_modalities(path)) & set(found):
            if versions := parts.get(modality, {}).get("pipelines"):
                found[modality][read_cohort(path)] = versions
    return found
