"""The configuration: a closed schema with defaults, and the slice of it that each verb receives.

Every key is described here and nowhere else; ``make docs`` lists them in ``config/README.md``. An unknown key is an
error that names the key and the nearest valid one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from brainpid.errors import InputError, did_you_mean
from brainpid.model_settings import Hyperparameters
from brainpid.models import WITHOUT_LATENTS
from brainpid.section import Name, Section, SectionT
from brainpid.source_settings import Extraction, Source

ModelName = Literal[
    "pidreg", "ridge", "elastic_net", "svr", "gpr", "gradient_boosting", "random_forest", "stacking", "mlp", "mean"
]
Measure = Literal["mmi", "idep"]
EncoderName = Literal["ridge", "pls", "pidreg"]
Incomplete = Literal["use", "exclude"]
Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Target(Section):
    """What is predicted."""

    column: str = Field("age", description="column of the participants table that holds the target")
    units: str = Field("years", description="unit of the target, for labels")
    range: tuple[float, float] = Field((0.0, 120.0), description="plausible values; a value outside is an error")

    @model_validator(mode="after")
    def _ordered(self) -> Target:
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, found {list(self.range)}")
        return self


class Columns(Section):
    """Names of columns in a cohort's participants table, where they differ from the standard ones."""

    participant_id: str = Field("participant_id", description="column of the person's label")
    target: str | None = Field(None, description="column of the target, where it is not `target.column`")
    sex: str = Field("sex", description="column of sex; a table without it has sex n/a")
    site: str = Field("site", description="column of the site; a table without it is one site, named as the cohort")


class Cohort(Section):
    """People who were recruited together."""

    bids: str | None = Field(None, description="top of a BIDS dataset, for sources of kind nifti")
    participants: str | None = Field(
        None,
        description="TSV or CSV with participant_id and the target; sex and site if known; `<bids>/participants.tsv` "
        "by default",
    )
    columns: Columns = Field(default_factory=Columns, description="renames of columns")
    sources: dict[Name, Source] = Field(description="where each modality's features come from")

    @model_validator(mode="after")
    def _has_people(self) -> Cohort:
        if self.participants is None and self.bids is None:
            raise ValueError("give participants, or bids with a participants.tsv in it")
        if self.bids is None and any(source.kind == "nifti" for source in self.sources.values()):
            raise ValueError("a source of kind nifti needs bids, the top of the dataset")
        return self

    @property
    def participants_path(self) -> str:
        """Table of the participants."""
        return self.participants or f"{self.bids}/participants.tsv"


class Splits(Section):
    """How people are divided into training and test."""

    scheme: Literal["kfold", "leave_one_cohort_out"] = Field("kfold", description="how test sets are made")
    folds: int = Field(10, ge=2, description="number of folds of `kfold`")
    repeats: int = Field(5, ge=1, description="how often the folds are drawn anew")
    seed: int = Field(0, ge=0, description="seed of the folds and of everything that is random in training")
    group: str | None = Field(
        None, description="column of the participants table whose equal values stay on one side of every split"
    )


class Decomposition(Section):
    """What is decomposed and how it is reported."""

    measures: tuple[Measure, ...] = Field(("mmi", "idep"), min_length=1, description="measures to report")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="coverage of the intervals of bits and of accuracy")


class Null(Section):
    """The null of the decomposition: the target is permuted and the encoders are fitted anew."""

    permutations: int = Field(1000, ge=0, description="permutations of the target in each cohort; 0 for no p-values")
    encoder: EncoderName = Field("ridge", description="encoder that is fitted to each permutation")
    folds: int = Field(5, ge=2, description="cross-fitting folds of the null, drawn at random from `splits.seed`")


class Explain(Section):
    """What predictions of the first model rest on: permutation importance on each fold's test people."""

    permutations: int = Field(5, ge=0, description="permutations of each feature, region and modality; 0 for none")
    repeats: int = Field(1, ge=1, description="repeats of the folds whose models are asked")
    features: int = Field(
        1000,
        ge=1,
        description="most features of a modality that are permuted one by one; of more, those most correlated with the "
        "target among training people",
    )


class Report(Section):
    """Words on the report."""

    title: str = Field("Multimodal brain age", description="title of the HTML report")


class Config(Section):
    """The whole configuration."""

    output_dir: str = Field(description="folder that receives everything; made if absent")
    modalities: tuple[Name, ...] = Field(min_length=2, description="modalities to use, at least two")
    target: Target = Field(default_factory=Target, description="what is predicted")
    incomplete: Incomplete = Field(
        "use", description="people who lack a modality: use them wherever one modality is enough, or exclude them"
    )
    costs: dict[Name, Cost] = Field(
        {},
        description="cost of acquiring each modality, in any one unit, for the choice among subsets; 1 where not given",
    )
    cohorts: dict[Name, Cohort] = Field(min_length=1, description="the cohorts, by name")
    shards: int = Field(8, ge=1, description="jobs per cohort and image modality; tables are read in one job")
    extraction: Extraction = Field(default_factory=Extraction, description="how images become features")
    splits: Splits = Field(default_factory=Splits, description="how people are divided into training and test")
    models: tuple[ModelName, ...] = Field(
        ("pidreg", "ridge", "gradient_boosting"), min_length=1, description="models to train and compare"
    )
    final_model: bool = Field(
        True, description="train the first model once more on everybody who takes part, for `brainpid predict`"
    )
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters, description="settings of each model")
    interval_coverage: float = Field(0.9, gt=0, lt=1, description="nominal coverage of each person's interval")
    pid: Decomposition = Field(default_factory=Decomposition, description="the decomposition")
    null: Null = Field(default_factory=Null, description="the null of the decomposition")
    explain: Explain = Field(default_factory=Explain, description="what predictions of the first model rest on")
    report: Report = Field(default_factory=Report, description="words on the report")

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        for field in ("modalities", "models"):
            names = getattr(self, field)
            if len(set(names)) < len(names):
                raise ValueError(f"{field}: a name is given twice in {list(names)}")
        if self.models[0] in WITHOUT_LATENTS:
            raise ValueError(f"models: the first is shown in detail, and '{self.models[0]}' has nothing to show")
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
        if self.splits.scheme == "leave_one_cohort_out" and len(self.cohorts) < 2:
            raise ValueError("splits.scheme: leave_one_cohort_out needs at least 2 cohorts, found 1")
        return self

    @property
    def n_folds(self) -> int:
        """Number of test sets of one repeat."""
        return self.splits.folds if self.splits.scheme == "kfold" else len(self.cohorts)


def load_config(path: str | Path) -> Config:
    """Read and check a YAML configuration.

    Raises
    ------
    InputError
        Where the file is absent, is not YAML, or breaks the schema; the message lists every fault.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: the configuration file does not exist")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: not readable as YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a mapping of keys at the top, found {type(content).__name__}")
    return parse_config(content, str(path))


def parse_config(content: Mapping[str, Any], origin: str) -> Config:
    """Check the content of a configuration; `origin` names it in messages."""
    # YAML reads the bare key null as no name at all.
    named = {"null" if key is None else key: value for key, value in content.items()}
    return parse_section(Config, named, origin)


def parse_section(section: type[SectionT], content: Any, origin: str) -> SectionT:
    """Check `content` against a section and turn every fault into one sentence of an `InputError`."""
    try:
        return section.model_validate(content)
    except ValidationError as faults:
        sentences = [_sentence(section, dict(fault)) for fault in faults.errors()]
        raise InputError(f"{origin}: " + "; ".join(sentences)) from faults


def _sentence(section: type[Section], fault: dict[str, Any]) -> str:
    """Say one fault of a configuration with the key's whole path."""
    location = [str(part) for part in fault["loc"]]
    key = ".".join(location)
    if fault["type"] == "extra_forbidden":
        valid = _valid_keys(section, location[:-1])
        return f"unknown key '{key}'; {did_you_mean(location[-1], valid)}"
    if fault["type"] == "missing":
        return f"key '{key}' is missing"
    message = fault["msg"].removeprefix("Value error, ")
    if not location:
        return message
    return f"{key}: {message[0].lower()}{message[1:]}, found {fault['input']!r}"


def _valid_keys(section: type[Section], location: list[str]) -> list[str]:
    """Keys that the schema knows at a place of the configuration."""
    kind: Any = section
    for part in location:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        if get_origin(kind) in (Union, UnionType):  # the place of a source of one kind names that kind
            kind = next(choice for choice in get_args(kind) if part in get_args(choice.model_fields["kind"].annotation))
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[part].annotation
        else:  # a mapping from names to sections
            kind = get_args(kind)[-1]
    return list(kind.model_fields)
