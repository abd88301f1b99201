"""Libraries of others in front of those that the program was installed with.

Modules of a site set PYTHONPATH, and `pip install --user` fills a folder that some Pythons look into first. An older
library there is imported without a word. What is there is read from the names of folders alone, before anything but
Python's own library is imported: nothing found there is run, be it broken or not.
"""

from __future__ import annotations

import os
import platform
import re
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, MutableMapping
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from brainpid.core.errors import InputError, list_some

PROGRAM = "brainpid"
METADATA = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)(-py[\d.]+)?\.(dist-info|egg-info)")
HARMLESS = frozenset({"antigravity", "idlelib", "lib2to3", "test", "this", "turtle", "turtledemo"})
"""Modules of Python's own library that no library imports."""


class Shadow(NamedTuple):
    """A library that stands before the one that the program was installed with.

    Attributes
    ----------
    entry : str
        Folder that it is in.
    library : str
    there, here : str
        Its version, and that of the other.
    """

    entry: str
    library: str
    there: str
    here: str


def shadows(entries: Iterable[str]) -> list[Shadow]:
    """Libraries in folders that would be imported in place of those that the program was installed with.

    Those of which the version is the same count as the same. Where the program is not installed in this Python's own
    folder, nobody knows which libraries are its own, and nothing is found.

    Parameters
    ----------
    entries : iterable of str
        Folders that are looked into before the environment's own.
    """
    own = _own_folders()
    if not any(_libraries(folder).get(PROGRAM) for folder in own):
        return []
    return [
        shadow
        for entry in entries
        if not any(os.path.realpath(entry or ".") == os.path.realpath(folder) for folder in own)
        for shadow in _shadows_in(entry)
    ]


def without_shadowing(pythonpath: str) -> tuple[str, list[str]]:
    """Take the entries out of a PYTHONPATH that hold other versions of libraries of this environment.

    Returns
    -------
    str
        The others, in their order; empty where none is left.
    list of str
        A sentence about each entry that was taken out.
    """
    entries = pythonpath.split(os.pathsep) if pythonpath else []
    found = shadows(entries)
    dropped = dict.fromkeys(shadow.entry for shadow in found)
    sentences = [f"PYTHONPATH: {entry or 'the working folder'} is left out, {_said(found, entry)}" for entry in dropped]
    return os.pathsep.join(entry for entry in entries if entry not in dropped), sentences


def take_out_shadows(environ: MutableMapping[str, str]) -> list[str]:
    """Change an environment so that a process that is started in it meets no shadows.

    Where it is that of this process, what is imported from now on meets none either.

    Parameters
    ----------
    environ : mapping
        ``os.environ``, or a copy of it.

    Returns
    -------
    list of str
        A sentence about each folder that is left out.
    """
    before = environ.get("PYTHONPATH", "")
    kept, sentences = without_shadowing(before)
    left = set(before.split(os.pathsep)) - set(kept.split(os.pathsep)) if sentences else set()
    if sentences:
        environ["PYTHONPATH"] = kept
    if not environ.get("PYTHONPATH", "nothing to take out"):
        del environ["PYTHONPATH"]
    own = _users_folder()
    if own and (found := shadows([own])):
        environ["PYTHONNOUSERSITE"] = "1"
        sentences.append(f"{own} of the user is left out, {_said(found, own)}")
        left.add(own)
    if environ is os.environ:
        sys.path[:] = [entry for entry in sys.path if entry not in left]
    return sentences


def refuse_shadowing() -> None:
    """Raise where libraries of others would be imported in place of those that the program was installed with.

    Raises
    ------
    InputError
        Which names the folder, its libraries, and both versions of each.
    """
    pythonpath = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    advice = dict.fromkeys(
        pythonpath.split(os.pathsep) if pythonpath else [],
        "it is in PYTHONPATH: unset that, or unload the module that sets it",
    )
    if own := _users_folder():
        advice.setdefault(own, "they are the user's own: set PYTHONNOUSERSITE=1")
    if found := shadows(advice):
        entry = found[0].entry
        raise InputError(
            f"{entry or 'the working folder'} is looked into before the program's own libraries, "
            f"{_said(found, entry)}; {advice[entry]}"
        )


def _users_folder() -> str:
    """Folder that `pip install --user` fills, where this Python looks into it; else empty."""
    own = site.getusersitepackages() if site.ENABLE_USER_SITE else ""
    return own if own in sys.path else ""


def _said(found: Iterable[Shadow], entry: str) -> str:
    """What an entry holds."""
    return "it has " + list_some(f"{s.library} {s.there} (here {s.here})" for s in found if s.entry == entry)


def _own_folders() -> list[str]:
    """Folders that this Python's libraries are installed in."""
    return list(dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))))


def _shadows_in(entry: str) -> Iterator[Shadow]:
    """Libraries of one folder that stand before others."""
    here = {name: version for folder in _own_folders() for name, version in _libraries(folder).items()}
    there = _libraries(entry)
    for module in sorted((sys.stdlib_module_names - HARMLESS) & _modules(entry).keys()):
        yield Shadow(entry, module, "of unknown version", f"Python {platform.python_version()}")
    common = there.keys() & here.keys()
    own = {name for folder in _own_folders() for name in _modules(folder)}
    if not common and not own & _modules(entry).keys():
        return  # as nearly always; what follows reads files
    needed = _needed()
    for name in sorted(common & needed.keys()):
        if there[name] != here[name]:
            yield Shadow(entry, name, there[name], here[name])
    modules = {module for module, is_whole in _modules(entry).items() if is_whole} & own
    for name in sorted(needed.keys() - there.keys()):
        if modules & _top_level(needed[name]):
            yield Shadow(entry, name, "of unknown version", here.get(name, needed[name].version))


@cache
def _names(folder: str) -> list[str]:
    """What lies in a folder; nothing where it cannot be listed, since nothing can be imported from there either."""
    try:
        return os.listdir(folder or ".")
    except OSError:
        return []


def _libraries(folder: str) -> dict[str, str]:
    """Versions of the libraries that are installed in a folder, by their names in one spelling."""
    found = (METADATA.fullmatch(name) for name in _names(folder))
    return {_spelt(match["name"]): match["version"] for match in found if match}


def _spelt(name: str) -> str:
    """Name of a library in one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def _modules(folder: str) -> dict[str, bool]:
    """Modules in a folder, and whether each is one: a folder without an `__init__` is passed over for a later one."""
    found: dict[str, bool] = {}
    for name in _names(folder):
        stem, _, ending = name.partition(".")
        if stem.isidentifier() and ending:
            if ending == "py" or name.endswith((".so", ".pyd")):
                found[stem] = True
        elif stem.isidentifier() and name != "__pycache__":
            place = Path(folder or ".", name)
            if not found.get(stem) and (place / "__init__.py").is_file():
                found[stem] = True
    return found


@cache
def _needed() -> dict[str, Distribution]:
    """The libraries that the program needs, directly or not, by their names in one spelling."""
    installed: dict[str, Distribution] = {}
    for found in distributions(path=_own_folders()):
        installed.setdefault(_spelt(found.metadata["Name"]), found)
    needed: dict[str, Distribution] = {}
    waiting = [PROGRAM]
    while waiting:
        name = waiting.pop()
        if name in installed and name not in needed:
            needed[name] = installed[name]
            requirements = [text for text in needed[name].requires or [] if "extra ==" not in text]
            waiting += [_spelt(re.match(r"[\w.-]+", text)[0]) for text in requirements]  # type: ignore[index]
    return {name: found for name, found in needed.items() if name not in (PROGRAM, "pip", "setuptools", "wheel")}


def _top_level(library: Distribution) -> set[str]:
    """Modules that a library installs."""
    if (text := library.read_text("top_level.txt")) is not None:
        return set(text.split())
    tops = {Path(path).parts[0] for path in library.files or []}
    return {top.partition(".")[0] for top in tops if not top.endswith((".dist-info", ".data"))} - {"", "__pycache__"}
