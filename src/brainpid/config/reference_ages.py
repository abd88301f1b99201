"""Section of the configuration about the ages that information is read for, so that cohorts compare."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from brainpid.config.paths import PathText
from brainpid.config.section import Name, Section


class ReferenceAges(Section):
    """Distribution of the target for which information is given besides, the same for all cohorts."""

    range: tuple[float, float] | None = Field(
        None, description="ends of a range, in the target's units, within which every value is as likely"
    )
    cohort: Name | None = Field(None, description="a cohort of `cohorts`, whose people's targets they are")
    table: PathText | None = Field(None, description="a table, of which a column holds the targets")
    column: str | None = Field(None, description="that column of the table")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in ("range", "cohort", "table") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of range, cohort and table, found {' and '.join(given) or 'none'}")
        if (self.table is None) != (self.column is None):
            raise ValueError("table and column go together: expected both or none")
        if self.range is not None and self.range[0] >= self.range[1]:
            raise ValueError(f"range must be [low, high] with low < high, found {list(self.range)}")
        return self

    @property
    def words(self) -> str:
        """What they are, for people."""
        if self.range is not None:
            return f"evenly from {self.range[0]:g} to {self.range[1]:g}"
        return f"as in the cohort {self.cohort}" if self.cohort is not None else f"as in the column {self.column}"
