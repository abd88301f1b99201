"""The schema, its description and the estimators' defaults stay together."""

from __future__ import annotations

import dataclasses
import inspect
from typing import get_args

import pytest
import yaml
from cohorts import ROOT, SHARED_DATA, make_config
from pydantic import BaseModel

from brainpid.config import Config, Hyperparameters, load_config, parse_config, parse_section
from brainpid.errors import InputError
from brainpid.imaging.bold_settings import BOLDSettings
from brainpid.imaging.diffusion import DWISettings
from brainpid.imaging.structural import T1Settings
from brainpid.models import MODELS
from brainpid.settings import TrainSettings
from brainpid.source_settings import DiffusionExtraction, FunctionalExtraction, StructuralExtraction


def all_keys(section: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Every key of the schema with its description."""
    keys = {}
    for name, field in section.model_fields.items():
        given = (field.annotation, *get_args(field.annotation))
        if name == "sources":  # a choice between kinds
            for kind in get_args(get_args(given[-1])[0]):
                keys |= {
                    f"{key} of {kind.__name__}": text
                    for key, text in all_keys(kind, f"{prefix}sources.<modality>.").items()
                }
            continue
        kinds = [kind for kind in given if isinstance(kind, type)]
        inner = [kind for kind in kinds if issubclass(kind, BaseModel)]
        placeholder = {"cohorts": ".<cohort>", "sources": ".<modality>"}.get(name, "")
        if inner:
            keys |= all_keys(inner[0], f"{prefix}{name}{placeholder}.")
        else:
            keys[f"{prefix}{name}"] = str(field.description)
    return keys


@pytest.mark.parametrize(("key", "description"), all_keys(Config).items())
def test_every_key_is_explained(key, description):
    lines = (ROOT / "config/README.md").read_text().splitlines()
    start = f"| `{key.split(' of ')[0]}` |"
    assert any(line.startswith(start) and description in line for line in lines)


@pytest.mark.parametrize("model", MODELS)
def test_defaults_are_those_of_the_estimator(model):
    section = Hyperparameters.model_fields[model].annotation
    declared = inspect.signature(MODELS[model].load_class().__init__).parameters
    defaults = {name: p.default for name, p in declared.items() if name not in ("self", "random_state")}
    assert section().model_dump() == defaults


@pytest.mark.parametrize(
    ("section", "settings"),
    [(StructuralExtraction, T1Settings), (DiffusionExtraction, DWISettings), (FunctionalExtraction, BOLDSettings)],
)
def test_defaults_are_those_of_the_extraction(section, settings):
    declared = {field.name: field.default for field in dataclasses.fields(settings)}
    own = {name: value for name, value in dict(section()).items() if name not in ("atlas", "raw_strategy")}
    assert own == declared


@pytest.mark.parametrize("path", [
    "config/config.yaml", "config/demo.yaml", "tests/configs/camcan_dev.yaml", "tests/configs/camcan_dev_fmri.yaml",
    "tests/configs/superconductivity.yaml",
])  # fmt: skip
def test_configurations_of_the_repository_are_valid(path):
    config = load_config(ROOT / path)
    if path.startswith("tests/") and SHARED_DATA.is_dir():
        for cohort in config.cohorts.values():
            assert (ROOT / cohort.participants).is_file()


def test_settings_survive_the_command_line(tmp_path):
    config = parse_config(make_config(tmp_path, ["a"], tmp_path, hyperparameters={"ridge": {"alphas": 7}}), "test")
    settings = TrainSettings.of(config, "ridge")
    assert settings.hyperparameters["alphas"] == 7
    text = settings.model_dump_json(exclude_defaults=True)
    assert parse_section(TrainSettings, yaml.safe_load(text), "test") == settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modalities": ["t1"]}, "modalities"),
        ({"modalities": ["t1", "t1"]}, "a name is given twice"),
        ({"modalities": ["t1", "dwi", "fmri"]}, "no cohort has a source for 'fmri'"),
        ({"modalities": ["t1", "d+wi"]}, "'d+wi' is not a plain name"),
        ({"target": {"range": [5, 1]}}, "low < high"),
        ({"splits": {"scheme": "leave_one_cohort_out"}}, "needs at least 2 cohorts, found 1"),
        ({"cohorts": {}}, "cohorts"),
        ({"models": ["mean", "ridge"]}, "'mean' has nothing to show"),
        ({"hyperparameters": {"ridge": {"log10_alpha_range": [2, 1]}}}, "low < high"),
    ],
)
def test_contradictions_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match="test: ") as error:
        parse_config(make_config(tmp_path, ["a"], tmp_path) | change, "test")
    assert message in str(error.value)


def test_unreadable_yaml(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a: [1, 2")
    with pytest.raises(InputError, match="not readable as YAML"):
        load_config(path)
    path.write_text("- 1")
    with pytest.raises(InputError, match="expected a mapping"):
        load_config(path)
