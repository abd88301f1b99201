"""Where a result comes from: versions, settings, and a digest of the code that made it.

The digest of an entry point covers every module of this package that it imports, directly or not, found by reading
the source as a syntax tree: nothing is imported for it, so that it is cheap enough for the parsing of a Snakefile.
Docstrings and comments do not count; an edit that changes them reruns nothing.
"""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGE = "brainpid"
ROOT = Path(__file__).parents[1]


def code_digest(*entries: str) -> str:
    """Digest of the code that entry points reach, as 12 hexadecimal digits.

    Parameters
    ----------
    *entries : str
        Modules by dotted name, such as ``brainpid.commands.train``.

    Raises
    ------
    ModuleNotFoundError
        Where an entry is no module of this package.
    """
    digest = hashlib.sha256()
    for module in sorted(reachable_modules(entries)):
        digest.update(module.encode())
        digest.update(_read(module)[1].encode())
    return digest.hexdigest()[:12]


def reachable_modules(entries: Iterable[str]) -> set[str]:
    """Modules of this package that entry points import, directly or not, themselves included."""
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(_read(module)[0])
    return found


@cache
def _read(module: str) -> tuple[tuple[str, ...], str]:
    """Modules of this package that one module imports, and its code without docstrings."""
    tree = ast.parse(_source_file(module).read_text(encoding="utf-8"))
    imported: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = body[1:] if body else []
    own = [name for name in imported if name.split(".")[0] == PACKAGE and name != PACKAGE and _is_module(name)]
    return tuple(own), ast.dump(tree)


def _source_file(module: str) -> Path:
    """File of a module of this package."""
    path = ROOT.joinpath(*module.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    raise ModuleNotFoundError(f"{module} is no module of {PACKAGE}")


def _is_module(name: str) -> bool:
    """Whether a dotted name is a module of this package and not something inside one."""
    path = ROOT.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def record(entry: str, settings: Mapping[str, Any], packages: Iterable[str] = ("numpy",)) -> dict[str, Any]:
    """What to write beside a result: the code's digest, versions and settings.

    Parameters
    ----------
    entry : str
        Module whose code made the result.
    settings : mapping
        Settings that it was given; anything that JSON can hold.
    packages : iterable of str
        Libraries whose versions matter to the result.
    """
    return {
        "generated_by": {"name": PACKAGE, "version": version(PACKAGE), "code": code_digest(entry)},
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
        "settings": dict(settings),
    }


def _version(package: str) -> str:
    """Installed version of a library."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
