"""Where a result comes from: versions, settings, and a digest of the code that made it.

The digest of an entry point covers every module of this package that it imports, directly or not, found by reading
the source as a syntax tree: nothing is imported for it, so that it is cheap enough for the parsing of a Snakefile.
A file of the package that a module names, such as a template, counts as code of that module. Docstrings, those of
attributes too, and comments do not count; an edit that changes them reruns nothing. Neither do the modules of the
configuration: its values are what a result depends on, and every step records those.
"""

from __future__ import annotations

import ast
import hashlib
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from brainpid.core.errors import list_some

PACKAGE = "brainpid"
CONFIGURATION = f"{PACKAGE}.config"
ROOT = Path(__file__).parents[1]


@cache
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
        digest.update(_read(module).code.encode())
        for path in _read(module).files:
            digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()[:12]


def reachable_modules(entries: Iterable[str]) -> set[str]:
    """Modules of this package that entry points import, directly or not, themselves included.

    Those of the configuration are left out, and so is what they import.
    """
    found: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module not in found and module != CONFIGURATION and not module.startswith(f"{CONFIGURATION}."):
            found.add(module)
            waiting.extend(_read(module).imported)
    return found


class _Module(NamedTuple):
    """Modules of this package that one module imports, its code without docstrings, and files that it names."""

    imported: tuple[str, ...]
    code: str
    files: tuple[str, ...]


class _WithoutDocstrings(ast.NodeTransformer):
    """Drop every statement that is nothing but a string: it computes nothing."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node


@cache
def _read(module: str) -> _Module:
    """Read one module."""
    tree = _WithoutDocstrings().visit(ast.parse(_source_file(module).read_text(encoding="utf-8")))
    imported: list[str] = []
    files: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_file(node.value):
            files.add(node.value)
    own = [name for name in imported if name.split(".")[0] == PACKAGE and name != PACKAGE and _is_module(name)]
    return _Module(tuple(own), ast.dump(tree), tuple(sorted(files)))


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


def _is_file(text: str) -> bool:
    """Whether a string of the code is the path of a file of this package, below its top."""
    path = PurePosixPath(text)
    inside = len(path.parts) > 1 and ".." not in path.parts and not path.is_absolute()
    return inside and len(text) < 256 and (ROOT / path).is_file()  # no file system has longer names


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
        "versions": versions(packages),
        "settings": dict(settings),
    }


def mixed_versions(records: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say which libraries, Python and the program among them, had different versions where results were made.

    Parameters
    ----------
    records : mapping of str to mapping
        What `record` gave, by what a sentence calls the result.

    Examples
    --------
    >>> one, other = ({"versions": {"numpy": version}} for version in ("2.3.5", "1.26.4"))
    >>> mixed_versions({"fold 0": one, "fold 1": other, "fold 2": one})
    ['numpy 1.26.4 (fold 1), 2.3.5 (the others)']
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name, content in records.items():
        program = content.get("generated_by", {}).get("version")
        own = {PACKAGE: program, "python": content.get("python"), **content.get("versions", {})}
        for library, number in own.items():
            if number is not None:
                found.setdefault(library, {}).setdefault(str(number), []).append(name)
    sentences = []
    for library, by_version in found.items():
        if len(by_version) > 1:
            *fewer, most = sorted(by_version, key=lambda number: (len(by_version[number]), number))
            told = [f"{number} ({list_some(by_version[number], 5)})" for number in fewer]
            sentences.append(f"{library} {', '.join(told)}, {most} (the others)")
    return sentences


def trained_with(records: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Versions of this program, Python and libraries by which results were made, several of one joined by commas.

    Examples
    --------
    >>> trained_with([{"python": "3.11.7", "versions": {"numpy": one}} for one in ("2.3.5", "1.26.4")])
    {'numpy': '1.26.4, 2.3.5', 'python': '3.11.7'}
    """
    found: dict[str, set[str]] = {}
    for content in records:
        program = {PACKAGE: content.get("generated_by", {}).get("version"), "python": content.get("python")}
        for library, number in {**program, **content.get("versions", {})}.items():
            if number is not None:
                found.setdefault(library, set()).add(str(number))
    return {library: ", ".join(sorted(found[library])) for library in sorted(found)}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions of libraries, by name."""
    return {name: _version(name) for name in packages}


@cache
def _version(package: str) -> str:
    """Installed version of a library."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
