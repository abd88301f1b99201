"""The slice of the configuration that the audit for leaks receives; see `brainpid.config.slices`."""

from __future__ import annotations

from brainpid.config.paths import PathText
from brainpid.config.schema import Config
from brainpid.config.section import Modalities, Name, Section


class LeakageSettings(Section):
    """What `brainpid leakage` needs to know.

    `participants` and `labels` are of each cohort, its table and the column of the labels in it; `of_tables` are
    modalities of which some cohort has a table, and `of_images` those that each cohort has from images.
    """

    target: str
    modalities: Modalities
    group: str | None
    participants: dict[Name, PathText]
    labels: dict[Name, str]
    of_tables: tuple[Name, ...]
    of_images: dict[Name, tuple[Name, ...]]

    @classmethod
    def of(cls, config: Config) -> LeakageSettings:
        """Slice of the audit."""
        kinds = {
            cohort: {m: source.kind for m, source in block.sources.items()} for cohort, block in config.cohorts.items()
        }
        return cls(
            target=config.target.column,
            modalities=config.modalities,
            group=config.splits.group,
            participants={name: block.participants_path for name, block in config.cohorts.items()},
            labels={name: block.columns.participant_id for name, block in config.cohorts.items()},
            of_tables=tuple(m for m in config.modalities if any(own.get(m) == "table" for own in kinds.values())),
            of_images={
                cohort: tuple(m for m in config.modalities if own.get(m, "table") != "table")
                for cohort, own in kinds.items()
            },
        )
