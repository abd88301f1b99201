"""The slice of the configuration that each verb receives.

A verb sees its own slice and nothing else, so that an unrelated key can neither change its result nor rerun it.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from brainpid.config.analysis import Cost, DecompositionSettings, Explain, Incomplete, Null, Splits
from brainpid.config.cohorts import Columns, Target
from brainpid.config.models import ModelName
from brainpid.config.schema import Config
from brainpid.config.section import Name, Section
from brainpid.config.sources import Source, section_of


class ParticipantsSettings(Section):
    """What `brainpid participants` needs to know."""

    path: str
    columns: Columns = Columns()
    target: Target = Target()

    @classmethod
    def of(cls, config: Config, cohort: str) -> ParticipantsSettings:
        """Slice of one cohort's participants table."""
        block = config.cohorts[cohort]
        return cls(path=block.participants_path, columns=block.columns, target=config.target)


class IndexSettings(Section):
    """What `brainpid index` needs to know: the sources of images of one cohort."""

    bids: str | None = None
    sources: dict[Name, Source]

    @classmethod
    def of(cls, config: Config, cohort: str) -> IndexSettings:
        """Slice of one cohort's image files."""
        block = config.cohorts[cohort]
        return cls(bids=block.bids, sources={m: s for m, s in block.sources.items() if s.kind != "table"})


class ExtractSettings(Section):
    """What `brainpid extract` needs to know of one modality of one cohort."""

    source: Source
    bids: str | None = None
    participant_id: str = "participant_id"
    shards: int = 8
    settings: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, cohort: str, modality: str) -> ExtractSettings:
        """Slice of one modality's extraction; of a table nothing but the source counts."""
        block = config.cohorts[cohort]
        source = block.sources[modality]
        if source.kind == "table":
            return cls(source=source)
        section: Section = getattr(config.extraction, section_of(source, modality))
        return cls(
            source=source,
            bids=block.bids if source.kind == "nifti" else None,
            participant_id=block.columns.participant_id,
            shards=config.shards,
            settings=section.model_dump(mode="json"),
        )


class SplitSettings(Section):
    """What `brainpid split` needs to know."""

    cohorts: tuple[Name, ...]
    modalities: tuple[Name, ...]
    target: Target = Target()
    incomplete: Incomplete = "use"
    splits: Splits = Splits()

    @classmethod
    def of(cls, config: Config) -> SplitSettings:
        """Slice that decides who takes part and on which side."""
        return cls(
            cohorts=tuple(config.cohorts),
            modalities=config.modalities,
            target=config.target,
            incomplete=config.incomplete,
            splits=config.splits,
        )


class TrainSettings(Section):
    """What `brainpid train` needs to know; the hyperparameters are those of the model that is trained."""

    modalities: tuple[Name, ...]
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    group: str | None = None
    interval_coverage: float = 0.9
    pid: DecompositionSettings = DecompositionSettings()

    @classmethod
    def of(cls, config: Config, model: str) -> TrainSettings:
        """Slice of one model's training."""
        return cls(
            modalities=config.modalities,
            hyperparameters=getattr(config.hyperparameters, model).model_dump(mode="json"),
            seed=config.splits.seed,
            group=config.splits.group,
            interval_coverage=config.interval_coverage,
            pid=config.pid,
        )


class ExplainSettings(Section):
    """What `brainpid explain` needs to know."""

    modalities: tuple[Name, ...]
    seed: int = 0
    explain: Explain = Explain()

    @classmethod
    def of(cls, config: Config) -> ExplainSettings:
        """Slice of the importances of one fold; how many repeats there are is no matter of one."""
        return cls(
            modalities=config.modalities,
            seed=config.splits.seed,
            explain=config.explain.model_copy(update={"repeats": 1}),
        )


class NullSettings(Section):
    """What `brainpid null` needs to know."""

    modalities: tuple[Name, ...]
    seed: int = 0
    null: Null = Null()

    @classmethod
    def of(cls, config: Config) -> NullSettings:
        """Slice of the null of one cohort."""
        return cls(modalities=config.modalities, seed=config.splits.seed, null=config.null)


class AggregateSettings(Section):
    """What `brainpid aggregate` needs to know."""

    cohorts: tuple[Name, ...]
    modalities: tuple[Name, ...]
    models: tuple[ModelName, ...]
    costs: dict[Name, Cost] = Field(default_factory=dict)
    scheme: str = "kfold"
    pid: DecompositionSettings = DecompositionSettings()

    @classmethod
    def of(cls, config: Config) -> AggregateSettings:
        """Slice of the aggregation over folds and cohorts."""
        return cls(
            cohorts=tuple(config.cohorts),
            modalities=config.modalities,
            models=config.models,
            costs={modality: config.costs.get(modality, 1.0) for modality in config.modalities},
            scheme=config.splits.scheme,
            pid=config.pid,
        )


class ReportSettings(Section):
    """What `brainpid report` needs to know."""

    title: str = "Multimodal brain age"
    target: Target = Target()
    modalities: tuple[Name, ...]
    models: tuple[ModelName, ...]
    incomplete: Incomplete = "use"
    splits: Splits = Splits()
    interval_coverage: float = 0.9
    pid: DecompositionSettings = DecompositionSettings()
    null: Null = Null()
    explain: Explain = Explain()
    image_modalities: tuple[Name, ...] = ()

    @classmethod
    def of(cls, config: Config) -> ReportSettings:
        """Slice of the report."""
        sources = [(m, s.kind) for block in config.cohorts.values() for m, s in block.sources.items()]
        return cls(
            title=config.report.title,
            target=config.target,
            modalities=config.modalities,
            models=config.models,
            incomplete=config.incomplete,
            splits=config.splits,
            interval_coverage=config.interval_coverage,
            pid=config.pid,
            null=config.null,
            explain=config.explain,
            image_modalities=tuple(m for m in config.modalities if any(n == m and k != "table" for n, k in sources)),
        )
