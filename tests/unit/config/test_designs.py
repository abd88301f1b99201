"""Who is trained on and which groups are compared, as the configuration says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohorts import make_config

from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError

CONFIG = make_config(Path("data"), ["a", "b"], Path("out"))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"diagnosis": "control"}, ("control",)),
        ({"diagnosis": ["HC", " sib "]}, ("HC", "sib")),
        ({"diagnosis": 0}, ("0",)),
    ],
)
def test_one_column_and_its_values_as_texts(given, expected):
    config = parse_config(CONFIG | {"train_on": given, "groups": ["sex", "diagnosis"]}, "test")
    assert config.train_on == {"diagnosis": expected}
    assert config.compared == ("diagnosis", "sex")
    assert config.used_columns("b") == ["diagnosis"]
    assert parse_config(CONFIG, "test").compared == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train_on": {"diagnosis": True}}, "train_on: diagnosis: expected texts as they stand in the table; quote"),
        ({"train_on": "control"}, "train_on: expected one column and its value or values"),
        ({"train_on": {"a": "x", "b": "y"}}, "expected one column"),
        ({"train_on": {"a": []}}, "expected a value or several"),
        ({"train_on": {"a": ["x", "x"]}}, "a value is given twice"),
        ({"train_on": {"age": "30"}}, "train_on: 'age' is the label, the cohort or the target"),
        ({"groups": ["participant_id"]}, "groups: 'participant_id' is the label"),
        ({"groups": ["a", "a"]}, "groups: a column is given twice"),
    ],
)
def test_what_is_no_design(change, words):
    with pytest.raises(InputError, match=words):
        parse_config(CONFIG | change, "test")
