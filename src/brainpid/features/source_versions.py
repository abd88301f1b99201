"""By which programs and versions the sources of a configuration were made, and where they are not the training's."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from brainpid.cohort.finding import find, root_of
from brainpid.cohort.participants import read_labels
from brainpid.cohort.pipelines import Versions, of_dataset, of_people
from brainpid.config.schema import Config
from brainpid.config.sources import TableSource
from brainpid.core.errors import list_some

log = logging.getLogger(__name__)


def pipelines_of(config: Config, cohorts: Iterable[str]) -> dict[str, dict[str, Versions]]:
    """Versions by modality and cohort of the sources of a configuration: of images, of the people who have them."""
    found: dict[str, dict[str, Versions]] = {}
    for cohort in cohorts:
        block = config.cohorts[cohort]
        people: list[str] = []
        for modality, source in block.sources.items():
            if isinstance(source, TableSource):
                versions = dict.fromkeys(of_dataset(Path(source.path).parent), 0)
            elif source.kind == "nifti":
                continue
            else:
                people = people or read_labels(
                    block.participants_path, block.columns.participant_id, config.visits_of(cohort)
                )
                files = (find(source, modality, block.bids, person).files for person in people)
                versions = of_people(source.kind, root_of(source, block.bids), files)
            if versions:
                found.setdefault(modality, {})[cohort] = versions
    return found


def warn_of_other_versions(
    training: Mapping[str, Mapping[str, Mapping[str, int]]], new: Mapping[str, Mapping[str, Mapping[str, int]]]
) -> None:
    """Warn where new people's data were made by versions that made none of the training's.

    Parameters
    ----------
    training, new : mapping
        By modality and cohort, as `read_pipelines` gives it; a modality of which either says nothing is passed over.
    """
    for modality, cohorts in new.items():
        known = list(dict.fromkeys(version for own in training.get(modality, {}).values() for version in own))
        for cohort, own in cohorts.items():
            if known and (other := [version for version in own if version not in known]):
                log.warning(
                    "cohort '%s': %s was made by %s, and that of the training people by %s: features differ between "
                    "versions as between scanners, and so may predictions", cohort, modality, list_some(other),
                    list_some(known),
                )  # fmt: skip
