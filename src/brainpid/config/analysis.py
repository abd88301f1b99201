"""Sections of the configuration about the analysis: splits, decomposition, null, importance, report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from brainpid.config.paths import PathText
from brainpid.config.section import Name, Section, parse_section
from brainpid.core.errors import InputError
from brainpid.core.names import Measure

EncoderName = Literal["ridge", "pls", "pidreg"]
Incomplete = Literal["use", "exclude"]
Cost = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]
Scheme = Literal["kfold", "leave_one_cohort_out", "leave_one_site_out"]
Coverage = Annotated[float, Field(gt=0, lt=1)]


def _one_or_several(value: Any) -> Any:
    """Read a list of one scheme as that scheme, and say a fault in one sentence and not for each form of the key."""
    names = list(value) if isinstance(value, list | tuple) else [value]
    known = get_args(Scheme)
    if not names or any(name not in known for name in names):
        raise ValueError(f"expected {', '.join(map(repr, known[:-1]))} or {known[-1]!r}, or a list of them")
    if len(set(names)) < len(names):
        raise ValueError("expected each scheme once")
    return names[0] if len(names) == 1 else tuple(names)


Schemes = Annotated[Scheme | tuple[Scheme, ...], BeforeValidator(_one_or_several)]


def schemes_of(given: Schemes) -> tuple[Scheme, ...]:
    """Schemes in the order in which they are given, the one that is shown in detail first."""
    return given if isinstance(given, tuple) else (given,)


class Splits(Section):
    """How people are divided into training and test."""

    scheme: Schemes = Field(
        "kfold",
        description="how test sets are made: random folds, or each cohort or each site (column `columns.site`) left "
        "out in its turn. A list trains on several; the first is shown in detail, and `transfer.tsv` sets them side "
        "by side. A site is what has one name, also where two cohorts have it; people without a site are tested "
        "together, by models that saw nobody of their cohort, and train none that are tested on it",
    )
    folds: int = Field(10, ge=2, description="number of folds of `kfold`")
    repeats: int = Field(5, ge=1, description="how often the folds of `kfold` are drawn anew")
    seed: Seed = Field(0, description="seed of the folds and of everything that is random in training")
    group: str | None = Field(
        None,
        description="column of the participants table whose equal values stay on one side of every split, are permuted "
        "as wholes by the null, and cluster the standard errors of information",
    )

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """All schemes, the one that is shown in detail first."""
        return schemes_of(self.scheme)

    def repeats_of(self, scheme: Scheme) -> int:
        """Number of different divisions: cohorts and sites can be left out in one way only."""
        return self.repeats if scheme == "kfold" else 1

    @property
    def n_repeats(self) -> int:
        """Number of different divisions of the first scheme."""
        return self.repeats_of(self.schemes[0])


class ControlTable(Section):
    """Nuisance columns of a table of their own, such as motion."""

    table: PathText = Field(description="TSV or CSV keyed by participant_id, of every cohort's people; with a column "
                            "`cohort` where labels of two cohorts are equal")  # fmt: skip
    columns: tuple[str, ...] = Field(min_length=1, description="its columns")

    @property
    def name(self) -> str:
        """What stands in `given`: the name of the file without its ending."""
        return PurePath(self.table).stem


class ControlQuality(Section):
    """Nuisance columns among the quality measures of the images of a modality."""

    quality: Name = Field(description="modality whose `quality/<modality>.tsv` it is")
    columns: tuple[str, ...] = Field(min_length=1, description="its columns, such as `fd_mean_mm`")

    @property
    def name(self) -> str:
        """What stands in `given`."""
        return f"{self.quality}_quality"


def _column_or_section(value: Any) -> Any:
    """Read a mapping by the key that tells its kind, so that a fault is said in one sentence."""
    if not isinstance(value, Mapping):
        return value
    kind: type[ControlTable] | type[ControlQuality] = ControlQuality if "quality" in value else ControlTable
    try:
        return parse_section(kind, value, "controls")
    except InputError as fault:
        raise ValueError(str(fault).removeprefix("controls: ")) from fault


Control = Annotated[str | ControlTable | ControlQuality, BeforeValidator(_column_or_section)]


def control_name(control: str | ControlTable | ControlQuality) -> str:
    """What a control is called in `given`: a column by its name."""
    return control if isinstance(control, str) else control.name


def _plain_controls(controls: tuple[Any, ...]) -> tuple[Any, ...]:
    """Names are joined with '+', and each is one control."""
    names = [control_name(one) for one in controls]
    for name in names:
        if "+" in name or not name.strip():
            raise ValueError(f"'{name}' is no name of a control; expected one without '+'")
        if names.count(name) > 1:
            raise ValueError(f"'{name}' is given twice; give all columns of a table in one entry")
    return controls


Controls = Annotated[tuple[Control, ...], AfterValidator(_plain_controls)]


class DecompositionSettings(Section):
    """What is decomposed and how it is reported."""

    measures: tuple[Measure, ...] = Field(("mmi", "idep"), min_length=1, description="measures to report")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="coverage of the intervals of bits and of accuracy")
    heterogeneity: float = Field(
        0.15,
        gt=0,
        description="scale in bits of the half-normal prior on the standard deviation of an information between "
        "cohorts: half of all are then below 0.1 and 19 of 20 below 0.3 bits, which is what cohorts of other scanners "
        "and somewhat other ages differ by. Two or three cohorts cannot tell, and their pooled interval rests on it; "
        "larger where their ranges of age differ much",
    )


class Null(Section):
    """The null of the decomposition: targets are permuted, modalities drawn given the others, encoders fitted anew."""

    permutations: int = Field(
        1000,
        ge=0,
        description="permutations of the target in each cohort, for what all modalities tell, and draws of each "
        "modality given all the others, for what it adds; 0 for no p-values",
    )
    encoder: EncoderName = Field(
        "ridge",
        description="encoder that is fitted to each of them within the cohort, and whose bits are tested. `ridge` is "
        "fitted to all at once (of the modality that is drawn, to its 100 leading components at most); others are "
        "fitted one by one, all modalities together, which takes permutations x folds x (1 + modalities) fits",
    )
    folds: int = Field(5, ge=2, description="cross-fitting folds of the null, drawn at random from `splits.seed`")


class Explain(Section):
    """What predictions of the first model rest on: permutation importance on each fold's test people."""

    permutations: int = Field(
        5, ge=0, le=100, description="permutations of each feature, group and modality; 0 for none"
    )
    repeats: int = Field(1, ge=1, description="repeats of the folds whose models are asked")
    folds: int | None = Field(
        None, ge=1, description="how many folds of each of these repeats are asked, the first ones; null for all"
    )
    features: int = Field(
        30,
        ge=0,
        description="most features, of all modalities together, that the model is read for one by one, those with the "
        "largest changes; the others have what its slopes say. The model is read at most 300 times a modality in all",
    )


class FinalModel(Section):
    """A final model that is more than trained."""

    share: bool = Field(
        False,
        description="whether it is to be passed on, of `pidreg` alone: base learners that keep training people are "
        "left out, and nothing of a single person is saved but sorted sizes of errors and single values of features",
    )


def _switch_or_section(value: Any) -> Any:
    """Read a mapping as a section, so that a fault in it is said in one sentence and not for each form of the key."""
    if isinstance(value, bool | FinalModel):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("expected true, false or a mapping with the key 'share'")
    try:
        return parse_section(FinalModel, value, "final_model")
    except InputError as fault:
        raise ValueError(str(fault).removeprefix("final_model: ")) from fault


FinalModelChoice = Annotated[bool | FinalModel, BeforeValidator(_switch_or_section)]


class Report(Section):
    """Words on the report."""

    title: str = Field("Multimodal brain age", description="title of the HTML report")
