"""Sections of the configuration about the analysis: splits, decomposition, null, importance, report."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from brainpid.config.section import Section

Measure = Literal["mmi", "idep"]


EncoderName = Literal["ridge", "pls", "pidreg"]


Incomplete = Literal["use", "exclude"]


Cost = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Splits(Section):
    """How people are divided into training and test."""

    scheme: Literal["kfold", "leave_one_cohort_out"] = Field("kfold", description="how test sets are made")
    folds: int = Field(10, ge=2, description="number of folds of `kfold`")
    repeats: int = Field(5, ge=1, description="how often the folds of `kfold` are drawn anew")
    seed: int = Field(0, ge=0, description="seed of the folds and of everything that is random in training")
    group: str | None = Field(
        None, description="column of the participants table whose equal values stay on one side of every split"
    )

    @property
    def n_repeats(self) -> int:
        """Number of different divisions: cohorts can be left out in one way only."""
        return self.repeats if self.scheme == "kfold" else 1


class DecompositionSettings(Section):
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


TARGET_BINS = 12
