"""The rooms of the package: short modules, empty entrances, no way in by a face, and tests that mirror them.

Which room may import which is in `pyproject.toml`, and `make lint` asks it.
"""

from __future__ import annotations

import ast

import pytest
from cohorts import ROOT

PACKAGE = ROOT / "src/brainpid"
MODULES = sorted(PACKAGE.rglob("*.py"))
FACES = {"brainpid.pid": "pid/__init__.py", "brainpid.model": "model/__init__.py"}
WITH_CODE = {"__init__.py", "imaging/__init__.py", *FACES.values()}
MOST_LINES = 400


def place(path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_module_is_short_and_does_not_import_from_a_face(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            assert not FACES.keys() & {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module in FACES:
            room = PACKAGE / FACES[node.module].removesuffix("__init__.py")
            named = [alias.name for alias in node.names]
            assert all((room / f"{name}.py").is_file() or (room / name).is_dir() for name in named), node.lineno


def test_the_entrance_of_a_room_is_its_docstring():
    for path in PACKAGE.rglob("__init__.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), place(path)
        assert len(tree.body) == 1 or place(path) in WITH_CODE, place(path)


def test_folders_of_tests_are_those_of_the_package():
    for path in (ROOT / "tests/unit").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests/unit")
        assert (PACKAGE / folder).is_dir(), path
