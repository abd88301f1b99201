"""Sections of the configuration about people: the target, and the cohorts with their tables and sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from brainpid.config.paths import PathText
from brainpid.config.section import Name, Section
from brainpid.config.sources import Source, TableSource

Shards = Annotated[int, Field(ge=1)]


class TargetValues(Section):
    """What is predicted, without its label."""

    column: str = Field("age", description="column of the participants table that holds the target")
    range: tuple[float, float] = Field((0.0, 120.0), description="plausible values; one outside is unknown")
    replace: dict[str, float | None] = Field(
        {},
        description="cells of the column and the target that they stand for, such as `{89+: 89}`; null for unknown",
    )

    @field_validator("replace", mode="before")
    @classmethod
    def _keys_are_cells(cls, given: Any) -> Any:
        """Keys are texts of cells, whatever YAML makes of them."""
        return {str(key): value for key, value in given.items()} if isinstance(given, Mapping) else given

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.range[0] >= self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, found {list(self.range)}")
        for cell, value in self.replace.items():
            if value is not None and not self.range[0] <= value <= self.range[1]:
                raise ValueError(f"replace: '{cell}' stands for {value:g}, outside of range {list(self.range)}")
        return self


def _some_text(text: str) -> str:
    """Refuse a text of spaces alone, of which labels would say nothing."""
    if not text.strip():
        raise ValueError("expected a text, such as points where there is no unit")
    return text


class Target(TargetValues):
    """What is predicted."""

    units: Annotated[str, AfterValidator(_some_text)] = Field(
        "years", description="unit of the target, for labels, such as points where it has none of its own"
    )

    def values(self) -> TargetValues:
        """Everything but the label."""
        return TargetValues(column=self.column, range=self.range, replace=self.replace)


class Columns(Section):
    """Names of columns in a cohort's participants table, where they differ from the standard ones."""

    participant_id: str = Field("participant_id", description="column of the person's label")
    target: str | None = Field(None, description="column of the target, where it is not `target.column`")
    sex: str = Field("sex", description="column of sex; a table without it has sex n/a")
    session: str = Field(
        "session_id", description="column of the session, where `sessions: all` and the table has one row a visit"
    )
    site: str = Field("site", description="column of the site; a table without it is one site, named as the cohort")


class Cohort(Section):
    """People who were recruited together."""

    bids: PathText | None = Field(None, description="top of a BIDS dataset, for sources of kind nifti")
    participants: PathText | None = Field(
        None,
        description="TSV or CSV with participant_id and the target; sex and site if known; `<bids>/participants.tsv` "
        "by default",
    )
    columns: Columns = Field(default_factory=Columns, description="renames of columns")
    sources: dict[Name, Source] = Field(description="where each modality's features come from")
    exclude: PathText | None = Field(
        None,
        description="TSV or CSV of people who are left out: participant_id, reason, and modality where it is that "
        "alone; they are EXCLUDED with the reason",
    )

    @model_validator(mode="after")
    def _has_people(self) -> Cohort:
        if self.participants is None and self.bids is None:
            raise ValueError("give participants, or bids with a participants.tsv in it")
        if self.bids is None and any(source.kind == "nifti" for source in self.sources.values()):
            raise ValueError("a source of kind nifti needs bids, the top of the dataset")
        self._refuse_mixed_visits()
        return self

    def _refuse_mixed_visits(self) -> None:
        """Refuse sources of which some have a row a visit and others a row a person, or one visit in particular."""
        kinds = {name: source.sessions for name, source in self.sources.items() if not isinstance(source, TableSource)}
        if len(set(kinds.values())) > 1:
            one, other = (next(name for name, own in kinds.items() if own == kind) for kind in ("all", "first"))
            raise ValueError(f"sources.{one} has sessions: all and sources.{other} has not; expected it of all or none")
        for name, source in self.sources.items():
            if kinds.get(name) == "all" and getattr(source, "session", None) is not None:
                raise ValueError(f"sources.{name}: session names one visit, and sessions: all takes every one")

    @property
    def by_visits(self) -> bool:
        """Whether every visit is a row of its own."""
        return any(not isinstance(source, TableSource) and source.sessions == "all" for source in self.sources.values())

    @property
    def participants_path(self) -> str:
        """Table of the participants."""
        return self.participants or f"{self.bids}/participants.tsv"

    @property
    def data_folder(self) -> str:
        """The BIDS dataset, or the folder of the participants table."""
        return self.bids or str(Path(self.participants_path).parent)
