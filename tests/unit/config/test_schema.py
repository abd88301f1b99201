"""The schema, its description and the estimators' defaults stay together."""

from __future__ import annotations

import inspect

import pytest
import yaml
from cohorts import ROOT, SHARED_DATA, make_config

from brainpid.config.models import Hyperparameters
from brainpid.config.reference import reference
from brainpid.config.schema import load_config, parse_config
from brainpid.config.section import parse_section
from brainpid.config.slices import AggregateSettings, TrainSettings
from brainpid.core.errors import InputError
from brainpid.model.registry import MODELS


def test_every_key_is_explained():
    text = reference()
    assert (ROOT / "config/README.md").read_text() == text, "run make docs"
    assert "| None |" not in text
    assert '| `cohorts.<cohort>.sources.<modality>.kind` | required | `"table"` |' in text
    assert "| `interval_coverage` | `0.9` | number > 0, < 1 |" in text
    assert "| `extraction.functional.band_pass_hz` | `[0.01, 0.1]` | list of two: number, number; or null |" in text
    assert text.count("`extraction.functional.atlas.image`") == 1


@pytest.mark.parametrize("model", MODELS)
def test_defaults_are_those_of_the_estimator(model):
    section = Hyperparameters.model_fields[model].annotation
    elsewhere = ("self", "random_state", "share", "modalities", "device")
    declared = inspect.signature(MODELS[model].load_class().__init__).parameters
    defaults = {name: p.default for name, p in declared.items() if name not in elsewhere}
    assert section().model_dump() == defaults


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
    assert settings.hyperparameters.alphas == 7
    text = settings.model_dump_json()
    assert parse_section(TrainSettings.of_model("ridge"), yaml.safe_load(text), "test") == settings


def test_a_modality_without_a_cost_costs_one(tmp_path):
    config = parse_config(make_config(tmp_path, ["a"], tmp_path, costs={"dwi": 2.5}), "test")
    assert AggregateSettings.of(config).costs == {"t1": 1.0, "dwi": 2.5}


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
        ({"costs": {"dwu": 2}}, "costs.dwu: not listed under modalities; did you mean 'dwi'?"),
        (
            {"extraction": {"structural": {"atlas": {"imag": "a.nii", "labels": "a.tsv"}}}},
            "unknown key 'extraction.structural.atlas.imag'; did you mean 'image'?",
        ),
        ({"extraction": {"functional": {"scrub_fd_mm": 0}}}, "scrub_fd_mm: expected a number above 0, found 0"),
        ({"extraction": {"functional": {"strategy": "best"}}}, "strategy: expected 'none', '6P'"),
        ({"extraction": {"diffusion": {"max_b": float("inf")}}}, "max_b: expected a finite number, found inf"),
        ({"costs": {"dwi": -1}}, "costs.dwi: expected a number of at least 0, found -1"),
        ({"incomplete": "drop"}, "incomplete: expected 'use' or 'exclude', found 'drop'"),
        ({"extraction": {"functional": {"band_pass_hz": [0.1, 0.01]}}}, "band_pass_hz: expected [low, high] in Hz"),
        ({"extraction": {"functional": {"measures": [], "alff": False}}}, "measures, alff and reho are all off"),
        ({"extraction": {"functional": {"min_frames": 10}}}, "min_frames"),
        ({"splits": {"group": "participant_id"}}, "splits.group: 'participant_id' is a person's label"),
        ({"splits": {"group": "cohort"}}, "splits.group: 'cohort' is the cohort; splits.scheme: leave_one_cohort_out"),
        ({"splits": {"group": "age"}}, "splits.group: 'age' is the target"),
        ({"target": {"units": " "}}, "target.units: expected a text, such as points where there is no unit"),
        ({"controls": ["participant_id"]}, "controls: 'participant_id' is a person's label"),
        ({"splits": {"group": "score"}, "target": {"column": "score"}}, "splits.group: 'score' is the target"),
        ({"models": ["mean", "ridge"]}, "'mean' has nothing to show"),
        ({"hyperparameters": {"ridge": {"log10_alpha_range": [2, 1]}}}, "low < high"),
    ],
)
def test_contradictions_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match="test: ") as error:
        parse_config(make_config(tmp_path, ["a"], tmp_path) | change, "test")
    assert message in str(error.value)


def test_a_bare_null_is_the_section_of_that_name(tmp_path):
    """YAML reads the word without quotes as no name at all."""
    text = yaml.safe_dump(make_config(tmp_path, ["a"], tmp_path / "out")) + "null: {permutations: 19}\n"
    (tmp_path / "c.yaml").write_text(text)
    assert load_config(tmp_path / "c.yaml").null.permutations == 19


def test_a_cohort_and_a_modality_that_join_to_the_name_of_another_pair_are_refused(tmp_path):
    """Their logs would be one file."""
    config = make_config(tmp_path, ["a", "a_b"], tmp_path / "out", modalities=["b_t1", "t1"])
    for block in config["cohorts"].values():
        block["sources"] = {name: {"kind": "table", "path": "t.tsv"} for name in ("b_t1", "t1")}
    with pytest.raises(InputError, match="'a' with 'b_t1' and 'a_b' with 't1' are both called a_b_t1"):
        parse_config(config, "test")
