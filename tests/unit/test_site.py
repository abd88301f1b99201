"""The generated reference has a line for every key, command and column, and every page can be reached."""

from __future__ import annotations

import re
import shlex
import sys

import numpy as np
import pytest
import yaml
from cohorts import ROOT

from brainpid.cli import VERBS, whole_parser
from brainpid.config.reference import _sections
from brainpid.config.schema import Config, parse_config
from brainpid.report.output_tables import OUTPUT_TABLES

DOCS = ROOT / "docs"
BUILT = ("_generated", "examples", "gallery", "_templates")


@pytest.fixture(scope="module")
def pages():
    """The module that makes the generated pages."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        import reference_pages
    finally:
        sys.path.pop(0)
    return reference_pages


@pytest.fixture(scope="module")
def pictures():
    """The module that draws the pictures of the pages that explain."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        import pictures
    finally:
        sys.path.pop(0)
    return pictures


@pytest.fixture(scope="module")
def parser():
    """The parser with the options of every verb."""
    return whole_parser()


def keys_of(section):
    """Keys of a section that hold values themselves, and of the sections in it."""
    for name, field in section.model_fields.items():
        inner = _sections(field.annotation)
        if not inner:
            yield name, field
        for kind in inner:
            yield from keys_of(kind)


def test_every_key_has_a_line_with_what_it_accepts(pages):
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.+?) \| (.+?) \| (.+) \|$", pages.configuration())
    found = [(key, meaning) for key, _, _, meaning in rows]
    wanted = [(name, field.description) for name, field in keys_of(Config)]
    assert len(wanted) > 150
    assert not set(wanted) - set(found)
    assert ("interval_coverage", "`0.9`", "number > 0, < 1") in [row[:3] for row in rows]


def test_a_kind_of_source_is_a_heading_of_its_own(pages):
    text = pages.configuration()
    assert "\n## Kind `table`\n\nBelow `cohorts.<cohort>.sources.<modality>`. A table of features" in text
    assert "\n## `splits`\n\nHow people are divided into training and test.\n" in text


def test_every_command_is_there_and_what_rules_call_stands_apart(pages):
    by_hand, _, of_rules = pages.command_line().partition("Steps of the workflow")
    for verb in VERBS:
        assert (f":path: {verb}\n" in by_hand) != (f":path: {verb}\n" in of_rules), verb
    for verb in ("run", "init", "check", "pid", "predict"):
        assert f":path: {verb}\n" in by_hand
    for verb in ("extract", "train", "aggregate", "report"):
        assert f":path: {verb}\n" in of_rules


def test_patterns_in_help_texts_are_no_markup(pages):
    (verbs,) = (action.choices for action in pages.parser_in_words()._actions if action.dest == "verb")
    assert r"sub-\*/anat/\*_T1w.nii.gz" in verbs["init"].description


def test_every_column_has_a_line_with_type_and_unit(pages):
    text = pages.output_columns()
    for table in OUTPUT_TABLES:
        part = text.partition(table.path)[2].partition("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` | {column.kind} | {column.unit} | " in part, (table.path, column.name)
    assert "| `bits` | number | bits | Estimate in bits" in text


def test_every_page_is_listed_above_it():
    paths = [path for path in DOCS.rglob("*.*") if path.suffix in (".md", ".rst")]
    own = [path.relative_to(DOCS) for path in paths if not {*BUILT, "api"} & set(path.relative_to(DOCS).parts)]
    listed = {"index"}
    for page in own:
        for block in re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL):
            entries = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / entry).as_posix() for entry in entries}
    assert listed == {page.with_suffix("").as_posix() for page in own} | {"examples/index"}


def test_links_between_pages_lead_somewhere():
    for page in DOCS.rglob("*.md"):
        if set(BUILT) & set(page.relative_to(DOCS).parts):
            continue
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text()):
            if "_generated" not in target:
                assert (page.parent / target).exists(), (page.name, target)


def commands():
    """Lines of code blocks that start the program, of the pages and the README, without comments."""
    found = []
    for page in [ROOT / "README.md", DOCS / "index.md", *sorted(DOCS.glob("*/*.md"))]:
        if set(BUILT) & set(page.relative_to(ROOT).parts):
            continue
        in_block = False
        for line in map(str.strip, page.read_text().splitlines()):
            if line.startswith("```"):
                in_block = not in_block
            elif in_block and line.startswith("brainpid "):
                found.append(pytest.param(line.partition(" #")[0], id=f"{page.stem}: {line[:50]}"))
    return found


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_pages_have_these_options(line, parser):
    parser.parse_args(shlex.split(line)[1:])


def test_a_configuration_by_hand_is_valid():
    block = re.search(r"(?s)   ```yaml\n(.*?)```", (DOCS / "start/by_hand.md").read_text())
    config = parse_config(yaml.safe_load(block[1]), "by_hand.md")
    assert config.cohorts["my_cohort"].sources["t1"].divide_by == "icv_mm3"


def test_intervals_that_decisions_rest_on_are_among_the_measured():
    told = re.findall(r"\[[-+0-9.]+, [-+0-9.]+\]", (DOCS / "inside/decisions.md").read_text())
    measured = (ROOT / "benchmarks/RESULTS.md").read_text().replace("+", "")
    assert len(told) >= 3
    assert not [interval for interval in told if interval not in measured]


def test_the_textbook_cases_are_what_the_page_says(pictures):
    assert pictures.atoms("unique", "mmi") == pytest.approx(
        {"unique t1": 0.4857, "unique dwi": 0, "redundant": 0, "synergy": 0}, abs=1e-4
    )
    assert pictures.atoms("copy", "idep")["redundant"] == pytest.approx(0.4857, abs=1e-4)
    suppressor = pictures.atoms("suppressor", "idep")
    # The part of T1 that is not wrong: R2 = .49 / (1 - .36) from both, .49 from T1.
    assert suppressor["synergy"] == pytest.approx(0.5 * np.log2(0.51 / (1 - 0.49 / 0.64)), abs=1e-9)
    own = pictures.atoms("own", "mmi")
    assert own["unique dwi"] == pytest.approx(0, abs=1e-12)
    assert own["redundant"] == pytest.approx(-0.5 * np.log2(0.75), abs=1e-9)


def test_noise_is_read_as_information_in_sample_alone(pictures, monkeypatch):
    monkeypatch.setattr(pictures, "FEATURES", (120,))
    monkeypatch.setattr(pictures, "SEEDS", 2)
    (inside,), (outside,) = pictures.in_sample_readings()
    assert inside == pytest.approx(0.58, abs=0.06)
    assert abs(outside) < 0.03
