"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict

NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")


def _plain_name(name: str) -> str:
    """Names become column names, folder names and HDF5 groups, and are joined with '+'."""
    if not NAME.match(name):
        raise ValueError(f"'{name}' is not a plain name: expected a letter, then letters, digits or '_'")
    if name == "pooled":
        raise ValueError("'pooled' is the name of the rows that join all cohorts; choose another")
    return name


Name = Annotated[str, AfterValidator(_plain_name)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SectionT = TypeVar("SectionT", bound=Section)
