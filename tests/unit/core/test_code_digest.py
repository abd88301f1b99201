"""An edit of words reruns nothing; an edit of code reruns what reaches it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cohorts import ROOT

from brainpid.core import provenance

VERBS = sorted(path.stem for path in (ROOT / "src/brainpid/commands").glob("*.py") if path.stem != "__init__")
CONFIG_SLICES = """
import json, sys
sys.path.insert(0, sys.argv[1])
from test_slices import CONFIG, all_slices
from brainpid.config.schema import parse_config
import brainpid
assert brainpid.__file__.startswith(sys.argv[2])
found = all_slices(parse_config(CONFIG, "test"))
print(json.dumps({verb: section.model_dump(mode="json") for verb, section in found.items()}))
"""


@pytest.fixture
def copy(tmp_path, monkeypatch) -> Path:
    """A copy of the package, which digests are taken of."""
    target = tmp_path / "src/brainpid"
    shutil.copytree(ROOT / "src/brainpid", target, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "ROOT", target)
    provenance._read.cache_clear()
    provenance.code_digest.cache_clear()
    yield target
    provenance._read.cache_clear()
    provenance.code_digest.cache_clear()


def digests() -> dict[str, str]:
    """Digest of every verb."""
    provenance._read.cache_clear()
    provenance.code_digest.cache_clear()
    return {verb: provenance.code_digest(f"brainpid.commands.{verb}") for verb in VERBS}


def changed(edit: Callable[[], object]) -> set[str]:
    """Verbs whose digest an edit changes."""
    before = digests()
    edit()
    after = digests()
    return {verb for verb in VERBS if before[verb] != after[verb]}


def reaching(module: str) -> set[str]:
    return {verb for verb in VERBS if module in provenance.reachable_modules([f"brainpid.commands.{verb}"])}


class Reworded(ast.NodeTransformer):
    """Other words in every docstring and description, and a string after every assignment."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = "Other words."
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, ast.Expr(ast.Constant("What the field is."))]

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        self.generic_visit(node)
        return [node, ast.Expr(ast.Constant("What the name is."))]

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        self.generic_visit(node)
        if node.arg == "description" and isinstance(node.value, ast.Constant):
            node.value.value = "Another description."
        return node


def reword(package: Path) -> int:
    """Rewrite every module with other words and without its comments; returns how many differ."""
    n = 0
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        new = ast.unparse(ast.fix_missing_locations(Reworded().visit(ast.parse(text)))) + "\n# a remark\n"
        n += new != text
        path.write_text(new, encoding="utf-8")
    return n


def slice_dumps(package: Path) -> dict[str, object]:
    """What the rules' params hold, by the sections of a package."""
    tests = ROOT / "tests/unit/config"
    run = subprocess.run(
        [sys.executable, "-c", CONFIG_SLICES, str(tests), str(package)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(package.parent)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_words_change_no_digest_and_no_slice(copy):
    """Docstrings, those of attributes too, comments and layout of every module, and every description of a key."""
    before = slice_dumps(copy)
    assert changed(lambda: reword(copy)) == set()
    assert "Another description." in (copy / "config/schema.py").read_text()
    assert slice_dumps(copy) == before


def append(path: Path, text: str = "\n\nEDITED = True\n") -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.mark.parametrize("module", ["config.extraction", "config.slices", "config.section", "config.models"])
def test_the_configuration_is_its_values_and_not_its_code(copy, module):
    assert changed(lambda: append(copy / f"{module.replace('.', '/')}.py")) == set()
    assert reaching(f"brainpid.{module}") == set()


@pytest.mark.parametrize("module", ["cohort.splits", "core.names", "imaging.extracted", "report.glossary", "pid.atoms"])
def test_an_edit_of_code_changes_what_reaches_it(copy, module):
    expected = reaching(f"brainpid.{module}")
    assert expected
    assert changed(lambda: append(copy / f"{module.replace('.', '/')}.py")) == expected
    assert expected != set(VERBS)


def test_a_string_that_computes_is_code(copy):
    named = '\n\nWORD = "a string that is given a name"\n'
    assert changed(lambda: append(copy / "report/glossary.py", named)) == reaching("brainpid.report.glossary") != set()


def test_the_template_of_the_report_is_code_of_the_report_alone(copy):
    template = copy / "report/templates/report.html"
    assert changed(lambda: append(template, "<!-- another -->\n")) == {"report"}


def test_what_results_depend_on_is_outside_of_the_configuration():
    """The bands of the splits and the models without latents: an edit of them must rerun the verbs."""
    assert "split" in reaching("brainpid.cohort.splits")
    assert {"train", "aggregate"} <= reaching("brainpid.core.names")
