"""What a key of the configuration accepts, in words, from its JSON schema: type, choices and range."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

KINDS = {"string": "text", "integer": "integer", "number": "number", "null": "null"}
BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
COUNTS = {1: "one", 2: "two"}


def accepted(schema: Mapping[str, Any]) -> str:
    """What a JSON schema accepts.

    Parameters
    ----------
    schema : mapping
        Schema of one key, draft 2020-12, of the kinds that sections are made of.

    Returns
    -------
    str
        Without a vertical bar, so that it can stand in a cell of a Markdown table.

    Examples
    --------
    >>> accepted({"type": "integer", "minimum": 2})
    'integer >= 2'
    >>> accepted({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, {"type": "null"}]})
    'number > 0, <= 1; or null'
    >>> accepted({"type": "array", "items": {"enum": ["mmi", "idep"], "type": "string"}, "minItems": 1})
    'list of one or more of `"mmi"`, `"idep"`'
    """
    if "anyOf" in schema:
        return "; or ".join(accepted(choice) for choice in schema["anyOf"])
    if "$ref" in schema or "oneOf" in schema:
        return "keys of its own"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(choice)}`" for choice in schema["enum"])
    kind = schema["type"]
    if isinstance(kind, list):
        return " or ".join(KINDS[name] for name in kind)
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "array":
        return _list(schema)
    if kind == "object":
        of = schema.get("additionalProperties")
        return f"names, each with {accepted(of)}" if isinstance(of, Mapping) else "keys and values"
    bounds = [f"{sign} {schema[name]:g}" for name, sign in BOUNDS.items() if name in schema]
    return " ".join([KINDS[kind], ", ".join(bounds)]).strip()


def _list(schema: Mapping[str, Any]) -> str:
    """A list of so many of the same, or of a fixed number."""
    fewest = schema.get("minItems", 0)
    if "prefixItems" in schema:
        return f"list of {COUNTS[fewest]}: {', '.join(accepted(item) for item in schema['prefixItems'])}"
    return f"list of {f'{COUNTS[fewest]} or more of ' if fewest else ''}{accepted(schema['items'])}"
