"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from brainpid.core.errors import InputError, did_you_mean

NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_]*$")


def _plain_name(name: str) -> str:
    """Names become column names, folder names and HDF5 groups, and are joined with '+'."""
    if not NAME.match(name):
        raise ValueError(f"'{name}' is not a plain name: expected a letter, then letters, digits or '_'")
    if name == "pooled":
        raise ValueError("'pooled' is the name of the rows that join all cohorts; choose another")
    return name


Name = Annotated[str, AfterValidator(_plain_name)]
Modalities = Annotated[tuple[Name, ...], Field(min_length=2)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused, and so are numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


SectionT = TypeVar("SectionT", bound=Section)


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
    kind = _given(section)
    for part in location:
        if get_origin(kind) in (Union, UnionType):  # the place of a source of one kind names that kind
            kind = next(choice for choice in get_args(kind) if part in get_args(choice.model_fields["kind"].annotation))
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _given(kind.model_fields[part].annotation)
        else:  # a mapping from names to sections
            kind = _given(get_args(kind)[-1])
    return list(kind.model_fields)


def _given(kind: Any) -> Any:
    """What an annotation holds where it is neither annotated nor null."""
    if get_origin(kind) is Annotated:
        return _given(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType) and type(None) in get_args(kind):
        return next(choice for choice in get_args(kind) if choice is not type(None))
    return kind
