"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.main import IncEx

from brainpid.config.paths import WITHOUT_PLACES
from brainpid.config.sentences import sentence
from brainpid.core.errors import InputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")


def _plain_name(name: str) -> str:
    """Names become column names, folder names and HDF5 groups, and are joined with '+'."""
    if not NAME.fullmatch(name):
        raise ValueError(f"'{name}' is not a plain name; expected a letter or digit, then letters, digits or '_'")
    if name == "pooled":
        raise ValueError("'pooled' is the name of the rows that join all cohorts; choose another")
    return name


Name = Annotated[str, AfterValidator(_plain_name)]
Modalities = Annotated[tuple[Name, ...], Field(min_length=2)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused, and so are numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def recorded(self, labels: IncEx | None = None) -> dict[str, Any]:
        """What results depend on, as plain values: without paths of input, and without these labels."""
        return self.model_dump(mode="json", context=WITHOUT_PLACES, exclude=labels)


SectionT = TypeVar("SectionT", bound=Section)


def parse_section(section: type[SectionT], content: Any, origin: str) -> SectionT:
    """Check `content` against a section and turn every fault into one sentence of an `InputError`."""
    try:
        return section.model_validate(content)
    except ValidationError as faults:
        sentences = [sentence(section, dict(fault)) for fault in faults.errors()]
        raise InputError(f"{origin}: " + "; ".join(sentences)) from faults
