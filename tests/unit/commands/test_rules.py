"""What the rules of the workflow hold: each the code and the settings of the verb it calls, and of no other.

Snakemake reruns a job whose params changed. Real dry runs (`tests/workflow`) show that it does; here is which keys and
which modules change the params of which verb.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from cohorts import ROOT, make_config

from brainpid.config import slices
from brainpid.config.harmonisation_slice import HarmonisationSettings
from brainpid.config.schema import parse_config
from brainpid.core.provenance import reachable_modules
from brainpid.model.registry import MODELS

LOOP = re.compile(r"^for TRAINING in trainings\(\):\n((?:\n|    .*\n)+)", flags=re.MULTILINE)


def rules_of(text: str) -> list[tuple[str, str]]:
    """Rules by name; the rule that stands in a loop is called by its first name."""
    plain = LOOP.sub(lambda loop: dedent(loop[1]).replace("rule:", "rule train_baseline:"), text)
    return re.findall(r"^rule (\w+):\n((?:\n|    .*\n)+)", plain, flags=re.MULTILINE)


RULES = {
    name: block
    for file in sorted((ROOT / "workflow/rules").glob("*.smk"))
    for name, block in rules_of(file.read_text())
}
VERBS = {rule: re.search(r"\bbrainpid (\w+) ", block[block.index("    shell:") :])[1] for rule, block in RULES.items()}
ENTRIES = (
    {
        verb: [f"brainpid.commands.{verb}"]
        for verb in (
            "participants",
            "index",
            "extract",
            "collect",
            "quality",
            "split",
            "leakage",
            "null",
            "rescore",
            "aggregate",
            "groups",
            "report",
        )
    }
    | {
        f"{verb} {model}": [f"brainpid.commands.{verb}", MODELS[model].module]
        for verb in ("train", "explain", "final")
        for model in ("pidreg", "ridge")
    }
    | {"harmonisation": ["brainpid.commands.harmonisation", MODELS["ridge"].module]}
)
"""Modules whose code each verb's digest is of; the extractor and the encoder of a null left out."""
MODELS_ALL = {"train pidreg", "explain pidreg", "final pidreg", "train ridge", "explain ridge", "final ridge"}
PIDREG = {name for name in MODELS_ALL if name.endswith("pidreg")}


def test_there_is_a_rule_for_every_step():
    assert len(RULES) == 17  # and train_pidreg, which stands in one loop with train_baseline
    assert set(VERBS.values()) == {name.split()[0] for name in ENTRIES}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_holds_the_code_and_the_settings_of_its_verb(rule):
    block, verb = RULES[rule], VERBS[rule]
    params = block[block.index("    params:") : block.index("    shell:")]
    assert re.findall(r'code_digest\(\s*"brainpid\.commands\.(\w+)"', params) == [verb]
    slice_of = {"final": "Train", "collect": None, "quality": None}.get(verb, verb.capitalize())
    assert re.findall(r"given\(\s*(?:lambda config: )?(?:slices\.)?(\w+)Settings\.of", params) == (
        [slice_of] if slice_of else []
    )
    assert ("--settings {params.settings:q}" in block) == bool(slice_of)
    needs_model = verb in ("train", "explain", "final", "rescore", "harmonisation")
    assert bool(re.search(r"MODELS\[[^\]]+(\[0\])?\]\.module", params)) == needs_model


@pytest.mark.parametrize(
    ("module", "verbs"),
    [
        ("model.pidreg.network.penalties", PIDREG),
        ("model.baselines.base", {"train ridge", "explain ridge", "final ridge", "harmonisation"}),
        ("report.figures", {"report"}),
        ("crossfit.null", {"null", "aggregate", "report"}),
        (
            "evaluation.decomposition",
            {*MODELS_ALL, "null", "aggregate", "report"} - {"explain pidreg", "explain ridge"},
        ),
        ("evaluation.importance", {"explain pidreg", "explain ridge", "aggregate"}),
        ("evaluation.importance_summary", {"aggregate"}),
        ("evaluation.correlated", {"explain pidreg", "explain ridge"}),
        ("evaluation.selection", {"aggregate", "report"}),
        (
            "features.store",
            set(ENTRIES) - {"participants", "index", "quality", "rescore", "aggregate", "groups", "report"},
        ),
        ("cohort.finding", {"index", "extract"}),
    ],
)
def test_an_edit_of_a_module_concerns_the_verbs_that_reach_it(module, verbs):
    reached = {name for name, entries in ENTRIES.items() if f"brainpid.{module}" in reachable_modules(entries)}
    assert reached == verbs


def held(config: dict[str, Any]) -> dict[str, list[str]]:
    """What every verb receives of a configuration with one table and one image modality in two cohorts."""
    checked = parse_config(config, "c.yaml")
    cohorts, sources = list(checked.cohorts), [(c, m) for c, block in checked.cohorts.items() for m in block.sources]
    found = {
        "participants": [slices.ParticipantsSettings.of(checked, cohort) for cohort in cohorts],
        "index": [slices.IndexSettings.of(checked, cohort) for cohort in cohorts],
        "extract table": [slices.ExtractSettings.of(checked, *place) for place in sources if place[1] == "dwi"],
        "extract image": [slices.ExtractSettings.of(checked, *place) for place in sources if place[1] == "t1"],
        "split": [slices.SplitSettings.of(checked)],
        "train pidreg": [slices.TrainSettings.of(checked, "pidreg")],
        "train ridge": [slices.TrainSettings.of(checked, "ridge")],
        "explain": [slices.ExplainSettings.of(checked)],
        "null": [slices.NullSettings.of(checked)],
        "aggregate": [slices.AggregateSettings.of(checked)],
        "report": [slices.ReportSettings.of(checked)],
        "harmonisation": [HarmonisationSettings.of(checked)],
    }
    return {verb: [section.model_dump_json() for section in sections] for verb, sections in found.items()}


def configuration() -> dict[str, Any]:
    config = make_config(Path("data"), ["a", "b"], Path("out"), models=["pidreg", "ridge"])
    for block in config["cohorts"].values():
        block["sources"]["t1"] = {"kind": "freesurfer", "path": "fs"}
    return config


@pytest.mark.parametrize(
    ("key", "value", "verbs"),
    [
        ("output_dir", "elsewhere", set()),
        ("final_model", False, set()),
        ("device", "cpu", set()),
        ("folds_per_job", 2, set()),
        ("shards", 4, {"extract image"}),
        ("explain.permutations", 2, {"explain", "report"}),
        ("explain.repeats", 2, {"report"}),
        ("report.title", "Another", {"report"}),
        ("costs", {"dwi": 3}, {"aggregate"}),
        ("null.permutations", 19, {"null", "report"}),
        ("hyperparameters", {"ridge": {"alphas": 5}}, {"train ridge", "harmonisation"}),
        ("hyperparameters", {"pidreg": {"members": 3}}, {"train pidreg"}),
        ("hyperparameters", {"svr": {"epsilon": 0.2}}, set()),
        ("interval_coverage", 0.8, {"train pidreg", "train ridge", "aggregate", "report"}),
        ("pid.confidence", 0.9, {"train pidreg", "train ridge", "aggregate", "report", "harmonisation"}),
        ("incomplete", "exclude", {"split", "report"}),
        ("splits.folds", 3, {"split", "report"}),
        ("splits.seed", 1, {"split", "train pidreg", "train ridge", "explain", "null", "report", "harmonisation"}),
        (
            "splits.group",
            "family",
            {"split", "train pidreg", "train ridge", "null", "aggregate", "report", "harmonisation"},
        ),
        ("target.units", "months", {"participants", "aggregate", "report"}),
        ("extraction.structural.divide_by_icv", True, {"extract image"}),
        ("extraction.diffusion.max_b", 900, set()),
        ("cohorts.a.sources.dwi.drop", ["dwi_1"], {"extract table"}),
        ("cohorts.a.sources.t1.path", "fs7", {"extract image", "index"}),
        ("cohorts.a.columns.sex", "gender", {"participants"}),
        (
            "harmonise",
            {"method": "location"},
            {"train pidreg", "train ridge", "aggregate", "report", "harmonisation"},
        ),
    ],
)
def test_a_key_concerns_the_verbs_that_receive_it(key, value, verbs):
    before, changed = held(configuration()), configuration()
    *parents, last = key.split(".")
    place = changed
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    after = held(changed)
    assert {verb for verb in before if after[verb] != before[verb]} == verbs
