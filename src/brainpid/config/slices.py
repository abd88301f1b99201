"""The slice of the configuration that each verb receives.

A verb sees its own slice and nothing else, so that an unrelated key can neither change its result nor rerun it. No
field has a default: a slice holds every value that the verb uses, as the configuration has it, within the same ranges.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import SerializeAsAny, create_model
from pydantic.main import IncEx

from brainpid.config.analysis import (
    Controls,
    Cost,
    Coverage,
    DecompositionSettings,
    Explain,
    Incomplete,
    Null,
    Schemes,
    Seed,
    Splits,
)
from brainpid.config.cohorts import Columns, Shards, Target, TargetValues
from brainpid.config.designs import TrainOn, trained_in_words
from brainpid.config.extraction import (
    DiffusionExtraction,
    Extraction,
    FunctionalExtraction,
    StructuralExtraction,
)
from brainpid.config.harmonise import Harmonise
from brainpid.config.models import Hyperparameters, Members, Models, ModelSettings
from brainpid.config.paths import PathText
from brainpid.config.people_tables import PeopleTable, tables_of_controls, tables_of_groups
from brainpid.config.reference_ages import ReferenceAges
from brainpid.config.report_inputs import ReportAtlas, ReportInput, report_atlas, report_inputs
from brainpid.config.schema import Config
from brainpid.config.section import Modalities, Name, Section
from brainpid.config.sources import Source, section_of
from brainpid.config.visits import Visits


class ParticipantsSettings(Section):
    """What `brainpid participants` needs to know."""

    path: PathText
    columns: Columns
    target: Target
    visits: Visits | None

    @classmethod
    def of(cls, config: Config, cohort: str) -> ParticipantsSettings:
        """Slice of one cohort's participants table."""
        block = config.cohorts[cohort]
        return cls(
            path=block.participants_path, columns=block.columns, target=config.target, visits=config.visits_of(cohort)
        )


class IndexSettings(Section):
    """What `brainpid index` needs to know: the sources of images of one cohort."""

    bids: PathText | None
    sources: dict[Name, Source]

    @classmethod
    def of(cls, config: Config, cohort: str) -> IndexSettings:
        """Slice of one cohort's image files."""
        block = config.cohorts[cohort]
        return cls(bids=block.bids, sources={m: s for m, s in block.sources.items() if s.kind != "table"})


class ExtractSettings(Section):
    """What `brainpid extract` needs to know of one modality of one cohort.

    Of a table nothing but the source counts. Of images, one section of `extraction` does, that of the source; the
    others are null, and all where a function of one's own reads them.
    """

    source: Source
    bids: PathText | None
    participant_id: str | None
    visits: Visits | None
    shards: Shards | None
    structural: StructuralExtraction | None
    diffusion: DiffusionExtraction | None
    functional: FunctionalExtraction | None

    @classmethod
    def of(cls, config: Config, cohort: str, modality: str) -> ExtractSettings:
        """Slice of one modality's extraction."""
        block = config.cohorts[cohort]
        source = block.sources[modality]
        sections = dict.fromkeys(Extraction.model_fields)
        if source.kind == "table":
            return cls(source=source, bids=None, participant_id=None, visits=None, shards=None, **sections)
        name = section_of(source, modality)
        return cls(
            source=source,
            bids=block.bids if source.kind == "nifti" else None,
            participant_id=block.columns.participant_id,
            visits=config.visits_of(cohort),
            shards=config.shards,
            **sections | ({} if name is None else {name: getattr(config.extraction, name)}),
        )


class SplitSettings(Section):
    """What `brainpid split` needs to know."""

    cohorts: tuple[Name, ...]
    modalities: Modalities
    target: TargetValues
    incomplete: Incomplete
    splits: Splits
    train_on: TrainOn | None

    @classmethod
    def of(cls, config: Config) -> SplitSettings:
        """Slice that decides who takes part and on which side."""
        return cls(
            cohorts=tuple(config.cohorts),
            modalities=config.modalities,
            target=config.target.values(),
            incomplete=config.incomplete,
            splits=config.splits,
            train_on=config.train_on,
        )


class LimitSettings(Section):
    """What `brainpid split` has to know of later steps, to refuse before anything is trained what they would refuse.

    No number depends on it: it stands in the command and not among a rule's params, so that another model reruns
    nothing that was made.
    """

    models: Models
    members: Members
    own_weights: bool = False
    interval_coverage: Coverage
    known_sites_only: bool = False

    @classmethod
    def of(cls, config: Config) -> LimitSettings:
        """Slice of what sets the fewest people of a training, and of what sites."""
        return cls(
            models=config.models,
            members=config.hyperparameters.pidreg.members,
            own_weights=config.hyperparameters.pidreg.own_weights,
            interval_coverage=config.interval_coverage,
            known_sites_only=config.harmonise.used and config.harmonise.unseen == "error",
        )


class TrainSettings(Section):
    """What `brainpid train` and `brainpid final` need to know; `of_model` gives the class of one model."""

    modalities: Modalities
    hyperparameters: SerializeAsAny[ModelSettings]
    seed: Seed
    group: str | None
    interval_coverage: Coverage
    pid: DecompositionSettings
    harmonise: Harmonise

    def recorded(self, labels: IncEx | None = None) -> dict[str, Any]:
        """As of every section; what was trained before features could be harmonised is not trained again."""
        found = super().recorded(labels)
        return found if self.harmonise.used else {name: own for name, own in found.items() if name != "harmonise"}

    @classmethod
    @cache
    def of_model(cls, model: str) -> type[TrainSettings]:
        """Give the class whose hyperparameters are those of one model, by which a slice is read."""
        section: Any = Hyperparameters.model_fields[model].annotation
        return create_model(f"{cls.__name__}_{model}", __base__=cls, hyperparameters=(section, ...))

    @classmethod
    def of(cls, config: Config, model: str) -> TrainSettings:
        """Slice of one model's training."""
        return cls.of_model(model)(
            modalities=config.modalities,
            hyperparameters=getattr(config.hyperparameters, model),
            seed=config.splits.seed,
            group=config.splits.group,
            interval_coverage=config.interval_coverage,
            pid=config.pid,
            harmonise=config.harmonise,
        )


class ExplainSettings(Section):
    """What `brainpid explain` needs to know."""

    modalities: Modalities
    seed: Seed
    explain: Explain

    @classmethod
    def of(cls, config: Config) -> ExplainSettings:
        """Slice of the importances of one fold; how many folds and repeats there are is no matter of one."""
        return cls(
            modalities=config.modalities,
            seed=config.splits.seed,
            explain=config.explain.model_copy(update={"repeats": 1, "folds": None}),
        )


class NullSettings(Section):
    """What `brainpid null` needs to know."""

    modalities: Modalities
    seed: Seed
    group: str | None
    null: Null
    controls: Controls
    people: dict[Name, PeopleTable]

    @classmethod
    def of(cls, config: Config) -> NullSettings:
        """Slice of the null of one cohort."""
        return cls(
            modalities=config.modalities,
            seed=config.splits.seed,
            group=config.splits.group,
            null=config.null,
            controls=config.controls,
            people=tables_of_controls(config),
        )


class RescoreSettings(Section):
    """What `brainpid rescore` needs to know."""

    modalities: Modalities
    models: Models
    target_units: str
    target_range: tuple[float, float]
    reference_ages: ReferenceAges

    @classmethod
    def of(cls, config: Config) -> RescoreSettings:
        """Slice of the information for reference ages."""
        if config.reference_ages is None:
            raise ValueError("no reference ages are configured")
        return cls(
            modalities=config.modalities,
            models=config.models,
            target_units=config.target.units,
            target_range=config.target.range,
            reference_ages=config.reference_ages,
        )


class AggregateSettings(Section):
    """What `brainpid aggregate` needs to know; every modality has its cost."""

    cohorts: tuple[Name, ...]
    modalities: Modalities
    models: Models
    costs: dict[Name, Cost]
    scheme: Schemes
    group: str | None
    target_column: str
    target_units: str
    target_range: tuple[float, float]
    interval_coverage: Coverage
    pid: DecompositionSettings
    controls: Controls
    people: dict[Name, PeopleTable]
    harmonised: str
    trained_on: str

    @classmethod
    def of(cls, config: Config) -> AggregateSettings:
        """Slice of the aggregation over folds and cohorts."""
        return cls(
            cohorts=tuple(config.cohorts),
            modalities=config.modalities,
            models=config.models,
            costs={modality: config.costs.get(modality, 1.0) for modality in config.modalities},
            scheme=config.splits.scheme,
            group=config.splits.group,
            target_column=config.target.column,
            target_units=config.target.units,
            target_range=config.target.range,
            interval_coverage=config.interval_coverage,
            pid=config.pid,
            controls=config.controls,
            people=tables_of_controls(config),
            harmonised=config.harmonise.words,
            trained_on=trained_in_words(config.train_on),
        )


class GroupsSettings(Section):
    """What `brainpid groups` needs to know."""

    cohorts: tuple[Name, ...]
    models: Models
    compared: tuple[str, ...]
    train_on: TrainOn | None
    group: str | None
    seed: Seed
    confidence: float
    alone: tuple[str, ...]
    people: dict[Name, PeopleTable]

    @classmethod
    def of(cls, config: Config) -> GroupsSettings:
        """Slice of the comparison of groups."""
        return cls(
            cohorts=tuple(config.cohorts),
            models=config.models,
            compared=config.compared,
            train_on=config.train_on,
            group=config.splits.group,
            seed=config.splits.seed,
            confidence=config.pid.confidence,
            alone=config.compared_alone,
            people=tables_of_groups(config),
        )


class ReportSettings(Section):
    """What `brainpid report` needs to know."""

    title: str
    target: Target
    modalities: Modalities
    models: Models
    incomplete: Incomplete
    splits: Splits
    interval_coverage: Coverage
    pid: DecompositionSettings
    null: Null
    explain: Explain
    inputs: dict[Name, dict[Name, ReportInput]]
    image_modalities: tuple[Name, ...]
    atlases: dict[Name, ReportAtlas]
    data_folders: dict[Name, PathText]
    reference_ages: ReferenceAges | None
    train_on: TrainOn | None
    compared: tuple[str, ...]
    harmonise: Harmonise

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
            inputs={cohort: report_inputs(block.sources) for cohort, block in config.cohorts.items()},
            image_modalities=tuple(m for m in config.modalities if any(n == m and k != "table" for n, k in sources)),
            atlases={m: atlas for m in config.modalities if (atlas := report_atlas(config, m)) is not None},
            data_folders={name: block.data_folder for name, block in config.cohorts.items()},
            reference_ages=config.reference_ages,
            train_on=config.train_on,
            compared=config.compared,
            harmonise=config.harmonise,
        )
