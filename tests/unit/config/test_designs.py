"""Who is trained on and which groups are compared, as the configuration says it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cohorts import ROOT, make_config

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


def by_visits(**changes: object) -> dict:
    """Images of which every session is a row in cohort a, and a row a person in cohort b."""
    a = {"bids": "a", "sources": {m: {"kind": "nifti", "sessions": "all"} for m in ("t1", "dwi")}}
    return CONFIG | {"cohorts": CONFIG["cohorts"] | {"a": a}, "splits": {"folds": 2, "group": "person"}} | changes


def test_visits_of_every_cohort():
    config = parse_config(by_visits(), "test")
    assert config.visits_of("a").bids == "a"
    assert config.visits_of("b").bids is None
    assert parse_config(CONFIG, "test").visits_of("a") is None


@pytest.mark.parametrize(
    ("source", "splits", "words"),
    [
        ({}, {"folds": 2}, "cohorts.a: sessions: all needs splits.group, such as person"),
        ({"sessions": "first"}, {"group": "person"}, "sources.t1 has sessions: all and sources.dwi has not"),
        ({"session": "1"}, {"group": "person"}, "sources.dwi: session names one visit"),
    ],
)
def test_visits_that_do_not_fit(source, splits, words):
    given = by_visits(splits=splits)
    given["cohorts"]["a"]["sources"]["dwi"] |= source
    with pytest.raises(InputError, match=words):
        parse_config(given, "test")


def test_the_configurations_of_the_page_are_valid():
    text = (ROOT / "docs/start/designs.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"(?s)```yaml\n(.*?)```", text)]
    assert len(blocks) == 3
    train, exclude, visits = blocks
    assert parse_config(CONFIG | train, "page").compared == ("diagnosis", "medication")
    own = exclude["cohorts"]["my_cohort"]
    cohort = CONFIG["cohorts"]["a"] | own
    assert parse_config(CONFIG | {"cohorts": {"my_cohort": cohort}}, "page").cohorts["my_cohort"].exclude
    assert parse_config(CONFIG | visits, "page").visits_of("my_cohort").bids == "data/my_cohort"
