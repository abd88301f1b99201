"""Classes and functions that a user names, such as ``sklearn.linear_model.Ridge``: where they are, what code they are.

They are looked for where Python looks, and last in the folder in which the program was started, as paths of a
configuration are.
"""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from brainpid.core.errors import InputError, did_you_mean

_FAULTS = (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError)
"""What importing a module raises that is absent or has a fault in it."""


class ForeignCode(NamedTuple):
    """What a result depends on besides the program: installed packages, by name, and digests of other modules."""

    packages: tuple[str, ...]
    digests: dict[str, str]


def import_class(name: str, origin: str) -> type[Any]:
    """Import a class by its dotted name; `origin` says where it is named, for messages.

    Raises
    ------
    InputError
        Where it cannot be imported or is no class.
    """
    found = _import(name, origin, "a class by its module, such as sklearn.linear_model.Ridge")
    if not isinstance(found, type):
        raise InputError(f"{origin}: expected a class, found that '{name}' is a {type(found).__name__}")
    return found


def import_function(name: str, origin: str) -> Callable[..., Any]:
    """Import a function by its dotted name; `origin` says where it is named, for messages.

    Raises
    ------
    InputError
        Where it cannot be imported or cannot be called.
    """
    found = _import(name, origin, "a function by its module, such as my_features.thickness")
    if not callable(found):
        raise InputError(f"{origin}: expected a function, found that '{name}' is a {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def _import(name: str, origin: str, expected: str) -> Any:
    """Import what a dotted name stands for."""
    module, _, kind = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        raise InputError(f"{origin}: expected {expected}, found '{name}'")
    _look_here_last()
    try:
        imported = import_module(module)
    except _FAULTS as fault:
        raise InputError(
            f"{origin}: the module '{module}' of '{name}' cannot be imported: {type(fault).__name__}: {fault}; "
            f"expected one that is installed beside the program or lies in {Path.cwd()}"
        ) from fault
    found = getattr(imported, kind, None)
    if found is None:
        raise InputError(f"{origin}: the module '{module}' has no '{kind}'; {did_you_mean(kind, dir(imported))}")
    return found


def foreign_code(names: Iterable[str]) -> ForeignCode:
    """Say what code the classes or functions with these dotted names are of; nothing is imported.

    Installed packages are known by their versions. Of modules elsewhere, which their user edits, the source counts:
    that of the module, or of every module of its package.

    Raises
    ------
    InputError
        Where a module is absent.
    """
    _look_here_last()
    installed = [Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")]
    packages, digests = [], {}
    for top in sorted({name.split(".")[0] for name in names}):
        spec = find_spec(top)
        if spec is None or spec.origin is None:
            raise InputError(f"there is no module '{top}'; expected it beside the program or in {Path.cwd()}")
        file = Path(spec.origin).resolve()
        own = packages_distributions().get(top, []) if any(file.is_relative_to(one) for one in installed) else []
        packages += own
        if not own:
            sources = sorted(file.parent.rglob("*.py")) if spec.submodule_search_locations else [file]
            digests[top] = hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    return ForeignCode(tuple(dict.fromkeys(packages)), digests)


def _look_here_last() -> None:
    """Let Python look into the working folder too, after everything else, so that nothing there hides a library."""
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)
