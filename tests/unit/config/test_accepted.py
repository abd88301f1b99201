"""What a key accepts is said in words."""

from __future__ import annotations

import pytest

from brainpid.config.accepted import accepted


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "boolean"}, "`true`, `false`"),
        ({"const": "table", "type": "string"}, '`"table"`'),
        ({"type": "number", "minimum": -1, "maximum": 1}, "number >= -1, <= 1"),
        ({"type": ["string", "integer", "null"]}, "text or integer or null"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, "list of two or more of text"),
        ({"type": "array", "minItems": 2, "prefixItems": [{"type": "number"}] * 2}, "list of two: number, number"),
        ({"type": "object", "additionalProperties": {"minimum": 0, "type": "number"}}, "names, each with number >= 0"),
        ({"type": "object", "additionalProperties": True}, "keys and values"),
        ({"anyOf": [{"$ref": "#/$defs/AtlasFiles"}, {"type": "null"}]}, "keys of its own; or null"),
    ],
)
def test_words_of_a_schema(schema, words):
    assert accepted(schema) == words


def test_a_kind_that_has_no_words_is_an_error():
    with pytest.raises(KeyError):
        accepted({"type": "date"})
