"""A fault in a configuration, in the words of somebody who writes YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from brainpid.core.errors import did_you_mean, list_some

LONGEST = 80
"""Most characters of a value that a message shows."""
EXPECTED = {
    "string": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list, such as [a, b]",
    "list": "a list, such as [a, b]",
    "dict": "a mapping of keys",
    "model": "a mapping of keys",
    "mapping": "a mapping of keys",
    "finite": "a finite number",
}
"""What is expected, by the first word of the kind of fault."""
BOUNDS = {
    "greater_than": ("a number above", "gt"),
    "greater_than_equal": ("a number of at least", "ge"),
    "less_than": ("a number below", "lt"),
    "less_than_equal": ("a number of at most", "le"),
}


def sentence(section: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """Say one fault, as pydantic lists it, with the key's whole path."""
    location, kind = list(fault["loc"]), fault["type"]
    parts, _ = _place(section, location)
    key = ".".join(parts)
    if kind == "extra_forbidden":
        return f"unknown key '{key}'; {did_you_mean(parts[-1], _place(section, location[:-1])[1].model_fields)}"
    if kind in ("missing", "union_tag_not_found"):
        return f"key '{key if kind == 'missing' else f'{key}.kind'}' is missing"
    given = fault["input"]
    if kind == "invalid_key" or (location[-1:] == ["[key]"] and not isinstance(given, str)):
        return f"{'.'.join(parts[:-1]) or 'top level'}: expected names as keys, found {_found(given)}{_quote(given)}"
    if kind in ("value_error", "assertion_error"):
        message = fault["msg"].split(", ", 1)[1]
        return (
            message if not parts else f"{key}: {message}" + ("" if ", found" in message else f", found {_found(given)}")
        )
    quote = _quote(given) if kind == "string_type" else ""
    return f"{key}: expected {_expected(kind, fault.get('ctx', {}))}, found {_found(given)}{quote}"


def _expected(kind: str, given: Mapping[str, Any]) -> str:
    """What is expected in place of what has a kind of fault."""
    if kind == "literal_error":
        return str(given["expected"])
    if kind == "union_tag_invalid":
        return f"a kind of source: {given['expected_tags'].replace(chr(39), '')}"
    if kind in BOUNDS:
        words, bound = BOUNDS[kind]
        return f"{words} {given[bound]:g}"
    if kind in ("too_short", "too_long"):
        few = kind == "too_short"
        return f"at {'least' if few else 'most'} {given['min_length' if few else 'max_length']} of them"
    return EXPECTED.get(kind.split("_")[0], "another value; config/README.md says which")


def _found(given: Any) -> str:
    """A value as it stands in YAML, shortened."""
    if given is None:
        return "nothing"
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        text = repr(given)
    elif isinstance(given, Mapping):
        return f"a mapping with the keys {list_some(given, 4)}" if given else "an empty mapping"
    elif isinstance(given, list | tuple):
        text = f"[{', '.join(map(_found, given))}]"
    else:
        text = str(given)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _quote(given: Any) -> str:
    """Advice where YAML made something else of what was meant as a text."""
    if given is None:
        return ": YAML reads ~, null and an empty value as nothing; quote what is meant as a text, such as 'null'"
    if isinstance(given, bool):
        words = "yes, on and true" if given else "no, off and false"
        such = "'yes' or 'true'" if given else "'no' or 'false'"
        return f": YAML reads {words} without quotes as {str(given).lower()}; quote it, such as {such}"
    if isinstance(given, int | float | date):
        kind = "date" if isinstance(given, date) else "number (012 is 10, .nan is no number)"
        return f": YAML reads it without quotes as a {kind}; quote it, such as '{given}'"
    return ""


def _place(section: type[BaseModel], location: Sequence[str | int]) -> tuple[list[str], Any]:
    """Keys that lead to a place as the user writes them, and what the schema expects there."""
    holder = _given(section)
    keys: list[str] = []
    for part in location:
        if part == "[key]":
            continue
        if get_origin(holder) in (Union, UnionType):  # the place of a source of one kind names that kind, no key
            holder = next(choice for choice in get_args(holder) if part in get_args(_kind_of(choice)))
            continue
        keys.append(str(part))
        if isinstance(holder, type) and issubclass(holder, BaseModel):
            field = holder.model_fields.get(str(part))
            holder = None if field is None else _given(field.annotation)
        elif args := get_args(holder):  # a mapping from names to sections, or a list
            inner = [arg for arg in args if arg is not Ellipsis]
            holder = _given(inner[-1])
    return keys, holder


def _kind_of(choice: type[BaseModel]) -> Any:
    """What the key `kind` of a section may be."""
    return choice.model_fields["kind"].annotation


def _given(kind: Any) -> Any:
    """What an annotation holds where it is neither annotated nor null."""
    if get_origin(kind) is Annotated:
        return _given(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType) and type(None) in get_args(kind):
        return _given(next(choice for choice in get_args(kind) if choice is not type(None)))
    return kind
