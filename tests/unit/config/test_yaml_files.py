"""Files of the configuration: a key that is given twice would overrule the first without a word."""

from __future__ import annotations

import pytest

from brainpid.config.yaml_files import read_yaml
from brainpid.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 3: the key 'a' is given again, after line 1"),
        ("top:\n  t1: {path: x}\n  dwi: 1\n  t1: {path: y}\n", "line 4: the key 't1' is given again, after line 2"),
        ("a: {b: 1, b: 1}\n", "line 1: the key 'b' is given again, after line 1"),
        ("list:\n- {a: 1}\n- {a: 1, 'a': 2}\n", "the key 'a' is given again"),
        ("a: [1, 2", "not readable as YAML"),
        ("a: 2020-13-45\n", "not readable as YAML"),
        ("- 1", "expected a mapping of keys at the top, found list"),
        ("", "expected a mapping of keys at the top, found NoneType"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_yaml(path)
    assert message in str(error.value)


def test_anchors_may_be_overruled_and_names_return_at_other_places(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("base: &base {path: x, kind: table}\na:\n  <<: *base\n  path: y\nb: {path: z}\n")
    assert read_yaml(path)["a"] == {"path": "y", "kind": "table"}


def test_json_with_tabs_is_read_and_a_key_twice_refused(tmp_path):
    path = tmp_path / "c.json"
    path.write_text('{\n\t"a": {"b": 1}\n}')
    assert read_yaml(path) == {"a": {"b": 1}}
    path.write_text('{"a": {"b": 1, "b": 2}}')
    with pytest.raises(InputError, match="the key 'b' is given twice"):
        read_yaml(path)
