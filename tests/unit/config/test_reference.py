"""The JSON schema says what the sections say, and editors find it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cohorts import ROOT
from jsonschema import Draft202012Validator

from brainpid.config.reference import _sections, json_schema, schema_text
from brainpid.config.schema import Config
from brainpid.config.section import Section

SHIPPED = sorted([*ROOT.glob("config/*.yaml"), *ROOT.glob("tests/configs/*.yaml")])
HEAD = "# yaml-language-server: $schema="


def valid(content: Any) -> bool:
    return Draft202012Validator(json_schema()).is_valid(content)


def all_sections(section: type[Section] = Config) -> set[type[Section]]:
    inner = {kind for field in section.model_fields.values() for kind in _sections(field.annotation)}
    return {section}.union(*(all_sections(kind) for kind in inner))


def test_the_schema_on_disk_is_that_of_the_sections():
    assert (ROOT / "config/schema.json").read_text() == schema_text(), "run make docs"
    Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_configurations_name_the_schema_and_keep_it(path):
    first = path.read_text().splitlines()[0]
    assert first.startswith(HEAD)
    named = path.parent / first.removeprefix(HEAD)
    assert named.resolve() == ROOT / "config/schema.json"
    Draft202012Validator(json.loads(named.read_text())).validate(yaml.safe_load(path.read_text()))


def test_all_configurations_are_looked_at():
    assert {path.name for path in SHIPPED} >= {"config.yaml", "demo.yaml", "camcan_dev.yaml"}


@pytest.mark.parametrize(
    "change",
    [
        {"splitz": {"folds": 3}},
        {"splits": {"fold": 3}},
        {"splits": {"folds": 1}},
        {"models": ["ridge", "rigde"]},
        {"modalities": ["t1"]},
        {"hyperparameters": {"ridge": {"alpha": 3}}},
        {"extraction": {"structural": {"atlas": {"image": "a.nii"}}}},
        {"cohorts": {"a": {"bids": "b", "sources": {"t1": {"kind": "nifty"}}}}},
        {"cohorts": {"a": {"bids": "b", "sources": {"t1": {"kind": "nifti", "path": "x"}}}}},
    ],
)
def test_the_schema_refuses_what_the_sections_refuse(change):
    content = yaml.safe_load(Path(ROOT / "config/demo.yaml").read_text())
    assert valid(content)
    assert not valid(content | change)


def test_every_key_has_a_description():
    for section in all_sections():
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"
    schema = json_schema()
    for name, kind in ({"Config": schema} | schema["$defs"]).items():
        for key, found in kind.get("properties", {}).items():
            assert found.get("description"), f"{name}.{key}"
