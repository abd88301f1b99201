"""Filters by entities of a file's name, as `entities` of a source has them."""

from __future__ import annotations

import re
from typing import Any

LONG_NAMES = {
    "acquisition": "acq",
    "ceagent": "ce",
    "direction": "dir",
    "reconstruction": "rec",
    "resolution": "res",
    "density": "den",
    "inversion": "inv",
    "description": "desc",
    "processing": "proc",
}
"""BIDS's own words for entities, by the key that stands in names."""
OTHER_KEYS = {
    "sub": "the participants table",
    "subject": "the participants table",
    "ses": "the key session",
    "session": "the key session",
    "task": "the key task",
    "space": "the key space",
    "suffix": "the kind of the source",
    "extension": "the kind of the source",
    "datatype": "the kind of the source",
}
"""What is decided elsewhere."""
_SCALAR = {"type": ["string", "integer", "null"]}
ENTITY_JSON = {
    "type": "object",
    "additionalProperties": {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR, "minItems": 1}]},
}
"""JSON schema of a filter."""


def entity_filter(given: Any) -> dict[str, tuple[str | None, ...]]:
    """Bring a filter to one form: by key the values that are allowed, the preferred one first.

    Raises
    ------
    ValueError
        Where it is no mapping, a key is no entity, or a value is none.
    """
    if not isinstance(given, dict):
        raise ValueError("expected a mapping such as {acq: mprage}")
    return {_key(key): tuple(_value(key, value) for value in _listed(key, values)) for key, values in given.items()}


def _key(key: Any) -> str:
    if key in OTHER_KEYS:
        raise ValueError(f"'{key}' is decided by {OTHER_KEYS[key]}")
    if key in LONG_NAMES:
        raise ValueError(f"'{key}' stands in names as '{LONG_NAMES[key]}'")
    if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z]+", key):
        raise ValueError(f"{key!r} is no entity; expected letters, such as acq, dir, rec, run, echo or desc")
    return key


def _listed(key: Any, values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        return [values]
    if not values or len(set(map(str, values))) < len(values):
        raise ValueError(f"'{key}': expected values, each once, found {list(values)}")
    return list(values)


def _value(key: Any, value: Any) -> str | None:
    if isinstance(value, bool):
        raise ValueError(f"'{key}': YAML reads no, yes, on and off as {str(value).lower()}; put the value in quotes")
    if value is None:
        return None
    if not isinstance(value, str | int):
        raise ValueError(f"'{key}': expected text, a whole number or null, found {value!r}")
    text = str(value)
    if not text or set("_/ ") & set(text) or text.startswith(f"{key}-"):
        raise ValueError(f"'{key}': expected the value alone, such as mprage of acq-mprage, found '{text}'")
    return text
