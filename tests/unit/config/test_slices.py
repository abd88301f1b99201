"""A slice holds every value that its verb uses; one setting changes the slices that depend on it and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brainpid.config import slices
from brainpid.config.extraction import DiffusionExtraction
from brainpid.config.schema import Config, parse_config
from brainpid.config.section import Section, parse_section
from brainpid.core.errors import InputError

MODELS = ("pidreg", "ridge", "mean")
CONFIG: dict[str, Any] = {
    "output_dir": "out",
    "modalities": ["t1", "dwi", "fmri", "tab"],
    "cohorts": {
        cohort: {
            "bids": cohort,
            "sources": {
                "t1": {"kind": "freesurfer" if cohort == "b" else "nifti"} | ({"path": "fs"} if cohort == "b" else {}),
                "dwi": {"kind": "nifti"},
                "fmri": {"kind": "fmriprep", "path": f"{cohort}/fmriprep"},
                "tab": {"kind": "table", "path": f"{cohort}.tsv"},
            },
        }
        for cohort in ("a", "b")
    },
    "models": list(MODELS),
}


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """A configuration with some keys replaced, however deep."""
    both = {k: merged(base[k], v) for k, v in change.items() if isinstance(v, dict) and isinstance(base.get(k), dict)}
    return base | change | both


def all_slices(config: Config) -> dict[str, Section]:
    """Every slice that the rules make of a configuration."""
    found: dict[str, Section] = {}
    for cohort, block in config.cohorts.items():
        found[f"participants {cohort}"] = slices.ParticipantsSettings.of(config, cohort)
        found[f"index {cohort}"] = slices.IndexSettings.of(config, cohort)
        found |= {f"extract {cohort} {m}": slices.ExtractSettings.of(config, cohort, m) for m in block.sources}
    found |= {f"train {model}": slices.TrainSettings.of(config, model) for model in config.models}
    return found | {
        "split": slices.SplitSettings.of(config),
        "explain": slices.ExplainSettings.of(config),
        "null": slices.NullSettings.of(config),
        "aggregate": slices.AggregateSettings.of(config),
        "report": slices.ReportSettings.of(config),
    }


def dumps(change: dict[str, Any]) -> dict[str, str]:
    """What the rules' params hold."""
    found = all_slices(parse_config(merged(CONFIG, change), "test"))
    return {verb: json.dumps(section.recorded(), sort_keys=True) for verb, section in found.items()}


T1 = {"extract a t1", "extract b t1"}
DWI = {"extract a dwi", "extract b dwi"}
FMRI = {"extract a fmri", "extract b fmri"}
IMAGES = T1 | DWI | FMRI
TRAIN = {f"train {model}" for model in MODELS}
PEOPLE = {"participants a", "participants b"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"output_dir": "elsewhere"}, set()),
        ({"final_model": False}, set()),
        ({"shards": 4}, IMAGES),
        ({"target": {"range": [0, 100]}}, PEOPLE | {"split", "aggregate", "report"}),
        ({"cohorts": {"a": {"columns": {"sex": "gender"}}}}, {"participants a"}),
        ({"cohorts": {"a": {"columns": {"participant_id": "id"}}}},
         {"participants a", "extract a t1", "extract a dwi", "extract a fmri"}),
        ({"cohorts": {"a": {"sources": {"t1": {"session": "1"}}}}}, {"index a", "extract a t1"}),
        ({"cohorts": {"a": {"sources": {"tab": {"divide_by": "icv"}}}}}, {"extract a tab", "report"}),
        ({"extraction": {"structural": {"n4": False}}}, T1),
        ({"extraction": {"structural": {"atlas": {"image": "a.nii", "labels": "a.tsv"}}}}, T1),
        ({"extraction": {"diffusion": {"atlas": {"image": "a.nii", "labels": "a.tsv"}}}}, DWI | {"report"}),
        ({"extraction": {"diffusion": {"resolution": 5}}}, DWI),
        ({"extraction": {"functional": {"reho": True}}}, FMRI),
        ({"incomplete": "exclude"}, {"split", "report"}),
        ({"costs": {"dwi": 2}}, {"aggregate"}),
        ({"controls": ["sex"]}, {"aggregate", "null"}),
        ({"splits": {"folds": 5}}, {"split", "report"}),
        ({"splits": {"seed": 1}}, TRAIN | {"split", "explain", "null", "report"}),
        ({"splits": {"group": "family"}}, TRAIN | {"split", "null", "aggregate", "report"}),
        ({"splits": {"scheme": "leave_one_cohort_out"}}, {"split", "aggregate", "report"}),
        ({"hyperparameters": {"ridge": {"alphas": 7}}}, {"train ridge"}),
        ({"hyperparameters": {"pidreg": {"members": 3}}}, {"train pidreg"}),
        ({"hyperparameters": {"svr": {"epsilon": 0.2}}}, set()),
        ({"interval_coverage": 0.8}, TRAIN | {"aggregate", "report"}),
        ({"pid": {"measures": ["mmi"]}}, TRAIN | {"aggregate", "report"}),
        ({"null": {"permutations": 19}}, {"null", "report"}),
        ({"explain": {"permutations": 2}}, {"explain", "report"}),
        ({"explain": {"repeats": 2}}, {"report"}),
        ({"explain": {"folds": 1}}, {"report"}),
        ({"reference_ages": {"range": [20, 60]}}, {"report"}),  # and rescore, which there is with it alone
        ({"report": {"title": "Another"}}, {"report"}),
    ],
)  # fmt: skip
def test_a_setting_changes_the_slices_that_depend_on_it(change, expected):
    before, after = dumps({}), dumps(change)
    assert {verb for verb in before if before[verb] != after[verb]} == expected


def test_a_default_that_is_written_out_changes_nothing():
    """The whole values are compared, so that 1500 and 1500.0 must be one."""
    config = parse_config(CONFIG, "test")
    assert dumps(config.model_dump(mode="json")) == dumps({})


def test_slices_survive_the_command_line():
    for verb, section in all_slices(parse_config(CONFIG, "test")).items():
        content = json.loads(json.dumps(section.model_dump(mode="json")))
        kind = slices.TrainSettings.of_model(verb.split()[1]) if verb.startswith("train") else type(section)
        assert parse_section(kind, content, "test") == section


def test_no_field_of_a_slice_has_a_default():
    """It would be a second declaration, and a value that no params hold."""
    for verb, section in all_slices(parse_config(CONFIG, "test")).items():
        fields = type(section).model_fields
        assert all(field.is_required() for field in fields.values()), verb
        content = section.model_dump(mode="json")
        for name in fields:
            with pytest.raises(InputError, match=f"key '{name}' is missing"):
                parse_section(type(section), {k: v for k, v in content.items() if k != name}, "test")


@pytest.mark.parametrize(
    ("verb", "place", "value", "message"),
    [
        ("train ridge", ["hyperparameters", "alphas"], 1, "hyperparameters.alphas: expected a number of at least 2"),
        ("train ridge", ["hyperparameters", "alpha"], 1, "unknown key 'hyperparameters.alpha'; did you mean 'alphas'"),
        (
            "train pidreg",
            ["hyperparameters", "dropout"],
            1.5,
            "dropout: expected a number of at most 0.99",
        ),
        ("train ridge", ["seed"], -1, "seed: expected a number of at least 0"),
        ("train ridge", ["interval_coverage"], 1.0, "interval_coverage: expected a number below 1"),
        ("extract a t1", ["shards"], 0, "shards: expected a number of at least 1"),
        ("extract a t1", ["structural", "resolution"], 0, "structural.resolution: expected a number of at least 1"),
        ("extract a t1", ["structural", "max_b"], 1, "unknown key 'structural.max_b'"),
        ("extract a fmri", ["functional", "strategy"], "7P", "functional.strategy: expected 'none'"),
        ("extract a fmri", ["source", "kind"], "fmri", "source"),
        ("split", ["splits", "folds"], 1, "splits.folds: expected a number of at least 2"),
        ("split", ["modalities"], ["t1"], "modalities"),
        ("aggregate", ["scheme"], "loco", "scheme: expected 'kfold', 'leave_one_cohort_out' or"),
        ("aggregate", ["costs", "t1"], -1, "costs.t1: expected a number of at least 0"),
        ("report", ["models"], [], "models"),
    ],
)
def test_ranges_are_checked_where_a_slice_is_read(verb, place, value, message):
    section = all_slices(parse_config(CONFIG, "test"))[verb]
    content = section.model_dump(mode="json")
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(InputError) as fault:
        parse_section(type(section), content, "--settings")
    assert message in str(fault.value)


def test_an_extraction_is_given_the_section_of_its_source_alone():
    found = slices.ExtractSettings.of(parse_config(CONFIG, "test"), "a", "dwi")
    assert found.diffusion == DiffusionExtraction()
    assert found.structural is found.functional is None
    table = slices.ExtractSettings.of(parse_config(CONFIG, "test"), "a", "tab")
    assert {name for name, value in table if value is not None} == {"source"}


def test_places_are_settings_and_no_values():
    """Of what lies there the content counts, so that data may move; everything else is a value."""
    atlas = {"functional": {"atlas": {"image": "a/atlas.nii.gz", "labels": "a/atlas.tsv"}}}
    moved = {"functional": {"atlas": {"image": "b/atlas.nii.gz", "labels": "b/atlas.tsv"}}}
    places = {
        "cohorts": {
            "a": {"bids": "elsewhere", "sources": {"tab": {"path": "x/a.tsv"}, "fmri": {"path": "x/fmriprep"}}}
        },
        "output_dir": "other",
    }
    assert dumps({"extraction": atlas}) == dumps({"extraction": moved} | places)
    config = parse_config(merged(CONFIG, places), "test")
    assert '"path":"x/fmriprep"' in slices.ExtractSettings.of(config, "a", "fmri").model_dump_json()


def test_the_report_knows_the_atlas_of_modalities_that_every_cohort_cuts_by_one():
    change = {"extraction": {"diffusion": {"atlas": {"image": "a.nii", "labels": "a.tsv"}}}}
    mixed = merged(CONFIG, change)
    assert list(all_slices(parse_config(mixed, "test"))["report"].atlases) == ["dwi", "fmri"]  # t1 of b is FreeSurfer's
    sources = mixed["cohorts"]["b"]["sources"] | {"t1": {"kind": "nifti"}}
    same = merged(mixed, {"cohorts": {"b": {"bids": "b", "sources": sources}}})
    same["cohorts"]["b"]["sources"] = sources
    found = all_slices(parse_config(same, "test"))["report"].atlases
    assert {name: (own.tissue, own.files is not None) for name, own in found.items()} == {
        "t1": ("gray", False),
        "dwi": ("white", True),
        "fmri": ("gray", False),
    }
