"""The configuration: a closed schema with defaults.

Every key is described in these sections and nowhere else; ``make docs`` writes them to ``config/README.md`` and
``config/schema.json``. An unknown key is an error that names the key and the nearest valid one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from brainpid.config.analysis import (
    ControlQuality,
    Controls,
    Cost,
    Coverage,
    DecompositionSettings,
    Explain,
    FinalModel,
    FinalModelChoice,
    Incomplete,
    Null,
    Report,
    Splits,
)
from brainpid.config.cohorts import Cohort, Shards, Target
from brainpid.config.designs import Groups, TrainOn, column_of
from brainpid.config.extraction import Extraction
from brainpid.config.harmonise import Harmonise
from brainpid.config.models import Hyperparameters, Models
from brainpid.config.paths import OutputPath
from brainpid.config.reference_ages import ReferenceAges
from brainpid.config.section import Modalities, Name, Section, parse_section
from brainpid.config.sources import TableSource
from brainpid.config.visits import PERSON, Visits
from brainpid.config.yaml_files import read_yaml
from brainpid.core.errors import did_you_mean
from brainpid.core.names import KEEP_PEOPLE, SEX, SITE, WITHOUT_LATENTS


class Config(Section):
    """The whole configuration."""

    output_dir: OutputPath = Field(description="folder that receives everything; made if absent")
    modalities: Modalities = Field(description="modalities to use, at least two")
    target: Target = Field(default_factory=Target, description="what is predicted")
    incomplete: Incomplete = Field(
        "use", description="people who lack a modality: use them wherever one modality is enough, or exclude them"
    )
    costs: dict[Name, Cost] = Field(
        {},
        description="cost of acquiring each modality, in any one unit, for the choice among subsets; 1 where not given",
    )
    cohorts: dict[Name, Cohort] = Field(min_length=1, description="the cohorts, by name")
    shards: Shards = Field(8, description="jobs per cohort and image modality; tables are read in one job")
    extraction: Extraction = Field(default_factory=Extraction, description="how images become features")
    splits: Splits = Field(default_factory=Splits, description="how people are divided into training and test")
    train_on: TrainOn | None = Field(
        None,
        description="who is trained on: a column of every cohort's participants table and the value or values of those "
        "people in it, such as `{diagnosis: control}`. All others are predicted by the folds' models, and nothing is "
        "learned from them; accuracy and information are of those who are trained on",
    )
    groups: Groups = Field(
        (),
        description="columns of every cohort's participants table whose groups are compared in brain-PAD, people of "
        "equal target, sex and site with each other; that of `train_on` by itself",
    )
    models: Models = Field(("pidreg", "ridge", "gradient_boosting"), description="models to train and compare")
    final_model: FinalModelChoice = Field(
        True,
        description="train the first model once more on everybody who takes part, for `brainpid predict`; "
        "`{share: true}` for one that can be passed on",
    )
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters, description="settings of each model")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="where the networks of `pidreg` are trained: `auto` takes a GPU where there is one. Predictions "
        "are the same up to rounding (1e-3), so that it is no reason to train again; `provenance.json` of each fold "
        "says which it was",
    )
    folds_per_job: int = Field(
        1,
        ge=1,
        description="folds of a model and repeat that are trained in one job, one after the other: for trainings "
        "of seconds, and for a GPU. Each has its own folder. With more than 1 no fold is made again alone: where a "
        "file of one is missing, those of its job are made again; another number by itself makes nothing again",
    )
    interval_coverage: Coverage = Field(0.9, description="nominal coverage of each person's interval")
    pid: DecompositionSettings = Field(default_factory=DecompositionSettings, description="the decomposition")
    reference_ages: ReferenceAges | None = Field(
        None,
        description="distribution of the target for which information is given besides, so that cohorts of other "
        "ranges compare and are pooled: `{range: [18, 90]}`, `{cohort: name}` or `{table: path, column: age}`; "
        "a cohort that has nobody in a part of it has no such rows",
    )
    null: Null = Field(default_factory=Null, description="the null of the decomposition")
    controls: Controls = Field(
        (),
        description="nuisance that information is also given beyond, as `given` in `aggregate/pid.tsv`: columns of the "
        "participants table (such as sex, icv_mm3), tables (`{table: motion.tsv, columns: [mean_fd]}`) and measures "
        "of images (`{quality: fmri, columns: [fd_mean_mm]}`). `site` is one by itself where a cohort has two",
    )
    harmonise: Harmonise = Field(
        default_factory=Harmonise, description="site effects that are taken from features, inside each fold"
    )
    explain: Explain = Field(default_factory=Explain, description="what predictions of the first model rest on")
    report: Report = Field(default_factory=Report, description="words on the report")

    _fewest_cohorts: ClassVar[int] = 2
    """To leave one out of."""

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        for field, own in (("modalities", self.modalities), ("cohorts", tuple(self.cohorts))):
            if len({name.lower() for name in own}) < len(set(own)):
                raise ValueError(
                    f"{field}: names of {list(own)} differ in capitals alone, and files of the one would be those of "
                    "the other on some disks"
                )
        self._refuse_joined_names()
        for field in ("modalities", "models"):
            names = getattr(self, field)
            if len(set(names)) < len(names):
                raise ValueError(f"{field}: a name is given twice in {list(names)}")
        if self.models[0] in WITHOUT_LATENTS:
            raise ValueError(f"models: the first is shown in detail, and '{self.models[0]}' has nothing to show")
        if self.shares_final_model:
            if self.models[0] != "pidreg":
                raise ValueError(
                    f"final_model.share: the file of '{self.models[0]}' keeps training people; only that of 'pidreg', "
                    "as the first of models, can be without them"
                )
            if keep := [name for name in self.hyperparameters.pidreg.experts or () if name in KEEP_PEOPLE]:
                raise ValueError(
                    f"final_model.share: '{keep[0]}' of hyperparameters.pidreg.experts keeps training people"
                )
            if own := self.hyperparameters.pidreg.foreign_classes:
                raise ValueError(
                    f"final_model.share: '{own[0]}' of hyperparameters.pidreg.experts may keep training people"
                )
        for cohort, block in self.cohorts.items():
            for modality in block.sources:
                if modality not in self.modalities:
                    hint = did_you_mean(modality, self.modalities)
                    raise ValueError(f"cohorts.{cohort}.sources.{modality}: not listed under modalities; {hint}")
        for modality in self.costs:
            if modality not in self.modalities:
                raise ValueError(
                    f"costs.{modality}: not listed under modalities; {did_you_mean(modality, self.modalities)}"
                )
        for modality in self.modalities:
            if not any(modality in block.sources for block in self.cohorts.values()):
                raise ValueError(f"modalities: no cohort has a source for '{modality}'")
        self._refuse_reserved_group()
        self._refuse_reserved_designs()
        self._refuse_visits_apart()
        self._refuse_unknown_reference()
        self._refuse_other_controls()
        if fault := self.harmonise.against(self.splits.schemes, self.shares_final_model):
            raise ValueError(fault)
        if "leave_one_cohort_out" in self.splits.schemes and len(self.cohorts) < self._fewest_cohorts:
            raise ValueError("splits.scheme: leave_one_cohort_out needs at least 2 cohorts, found 1")
        return self

    def _refuse_joined_names(self) -> None:
        """Refuse pairs of cohort and modality that are one name once they are joined, as logs and plots join them."""
        pairs: dict[str, tuple[str, str]] = {}
        for cohort, block in self.cohorts.items():
            for modality in block.sources:
                other = pairs.setdefault(f"{cohort}_{modality}", (cohort, modality))
                if other != (cohort, modality):
                    raise ValueError(
                        f"cohorts: '{other[0]}' with '{other[1]}' and '{cohort}' with '{modality}' are both called "
                        f"{cohort}_{modality}; rename a cohort or a modality"
                    )

    def _refuse_unknown_reference(self) -> None:
        """Refuse reference ages of no cohort, and out of the range of the target."""
        if self.reference_ages is None:
            return
        cohort, ends = self.reference_ages.cohort, self.reference_ages.range
        if cohort is not None and cohort not in self.cohorts:
            raise ValueError(
                f"reference_ages.cohort: '{cohort}' is not among cohorts; {did_you_mean(cohort, self.cohorts)}"
            )
        low, high = self.target.range
        if ends is not None and not (low <= ends[0] and ends[1] <= high):
            raise ValueError(f"reference_ages.range: {list(ends)} is not within target.range {[low, high]}")

    def _refuse_other_controls(self) -> None:
        """Refuse controls that are the target or a label, and measures of a modality that nobody has images of."""
        targets = {"age", self.target.column, *(block.columns.target for block in self.cohorts.values())}
        labels = {"participant_id", *(block.columns.participant_id for block in self.cohorts.values())}
        for control in self.controls:
            if control in labels:
                raise ValueError(f"controls: '{control}' is a person's label")
            if control in targets:
                raise ValueError(f"controls: '{control}' is the target")
            if isinstance(control, ControlQuality) and not any(
                control.quality in block.sources and block.sources[control.quality].kind != "table"
                for block in self.cohorts.values()
            ):
                raise ValueError(f"controls: no cohort has images of '{control.quality}', whose quality was asked for")

    def _refuse_reserved_group(self) -> None:
        """Refuse columns as groups that mean something else already, under whatever name a cohort has them."""
        group = self.splits.group
        if group is None:
            return
        columns = [block.columns for block in self.cohorts.values()]
        meanings: dict[str, set[str | None]] = {
            "a person's label, and every person is on one side of a split anyway; leave splits.group out": {
                "participant_id", *(own.participant_id for own in columns)
            },
            "the cohort; splits.scheme: leave_one_cohort_out keeps cohorts on one side": {"cohort"},
            "the target": {"age", self.target.column, *(own.target for own in columns)},
            "a column of the program's own tables; rename it in the participants table": {"target_reason"},
        }  # fmt: skip
        for meaning, names in meanings.items():
            if group in names:
                raise ValueError(f"splits.group: '{group}' is {meaning}")

    def _refuse_reserved_designs(self) -> None:
        """Refuse columns of designs that name a person or the target."""
        columns = [block.columns for block in self.cohorts.values()]
        names = {"participant_id", "cohort", "age", "target_reason", self.target.column}
        names |= {name for own in columns for name in (own.participant_id, own.target) if name is not None}
        for key, own in (("train_on", self.train_on or ()), ("groups", self.groups)):
            for column in own:
                if column in names:
                    raise ValueError(
                        f"{key}: '{column}' is the label, the cohort or the target; expected a column of groups, such "
                        "as diagnosis"
                    )

    def _refuse_visits_apart(self) -> None:
        """Refuse visits of one person on both sides of a split."""
        visits = [name for name, block in self.cohorts.items() if block.by_visits]
        if visits and self.splits.group is None:
            raise ValueError(
                f"cohorts.{visits[0]}: sessions: all needs splits.group, such as {PERSON} (whose visit a row is), so "
                "that nobody is trained on and tested at once"
            )

    def visits_of(self, cohort: str) -> Visits | None:
        """Where the visits of a cohort's people are told; None where no cohort of the study has a row a visit."""
        if not any(block.by_visits for block in self.cohorts.values()):
            return None
        block = self.cohorts[cohort]
        return Visits(bids=block.bids if block.by_visits else None, session=block.columns.session)

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns whose groups are compared: those of `groups`, and that of `train_on`."""
        own = column_of(self.train_on)
        return tuple(dict.fromkeys([*([own] if own is not None else []), *self.groups]))

    @property
    def shares_final_model(self) -> bool:
        """Whether the final model is to be passed on."""
        return isinstance(self.final_model, FinalModel) and self.final_model.share

    @property
    def own_base_learners(self) -> list[dict[str, Any]]:
        """Base learners of the user's own that models are trained with."""
        return self.hyperparameters.pidreg.own_base_learners if "pidreg" in self.models else []

    def used_columns(self, cohort: str) -> list[str]:
        """Further columns of a cohort's participants table that several steps need: of splits, training, divisors."""
        sources = self.cohorts[cohort].sources.values()
        divisors = [source.divide_by for source in sources if isinstance(source, TableSource)]
        names = [self.splits.group, column_of(self.train_on), *divisors]
        always = (SEX, SITE)
        return list(
            dict.fromkeys(name for name in names if name is not None and (name not in always or name in divisors))
        )

    @property
    def compared_alone(self) -> tuple[str, ...]:
        """Columns that the comparison of groups alone needs, and reads in the participants tables itself."""
        return tuple(name for name in self.groups if name not in (SEX, SITE, column_of(self.train_on)))


class PredictConfig(Config):
    """The configuration of people whom a fitted model predicts: one modality is enough, and so is one cohort.

    The model has its own modalities, splits and the like; what the file says of them is read and has no say.
    """

    modalities: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(description="modalities that people may have")
    _fewest_cohorts: ClassVar[int] = 1


def load_config(path: str | Path) -> Config:
    """Read and check a YAML configuration.

    Raises
    ------
    InputError
        Where the file is absent, is not YAML, or breaks the schema; the message lists every fault.
    """
    return parse_config(read_yaml(path), str(path))


def load_predict_config(path: str | Path) -> PredictConfig:
    """Read and check the configuration of people to predict; raises as `load_config` does."""
    return parse_section(PredictConfig, _named(read_yaml(path)), str(path))


def parse_config(content: Mapping[str, Any], origin: str) -> Config:
    """Check the content of a configuration; `origin` names it in messages."""
    return parse_section(Config, _named(content), origin)


def _named(content: Mapping[str, Any]) -> dict[str, Any]:
    """Content with names alone as keys: YAML reads the bare key null as no name at all."""
    return {"null" if key is None else key: value for key, value in content.items()}
