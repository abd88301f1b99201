"""Libraries of others before the program's own are found by names alone, left out of jobs, and refused by verbs."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from brainpid.core import environment
from brainpid.core.environment import refuse_shadowing, shadows, take_out_shadows, without_shadowing
from brainpid.core.errors import InputError

HERE = version("scikit-learn")


@pytest.fixture
def entry(tmp_path):
    """A folder with files of these names, as an entry of PYTHONPATH."""

    def make(*files: str, folder: str = "lib") -> str:
        for file in files:
            path = tmp_path / folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("raise SyntaxError('broken')\n")
        return str(tmp_path / folder)

    return make


@pytest.mark.parametrize(
    ("files", "library", "there"),
    [
        (["scikit_learn-1.0.dist-info/METADATA", "sklearn/__init__.py"], "scikit-learn", "1.0"),
        (["scikit_learn-1.0-py3.11.egg-info/PKG-INFO"], "scikit-learn", "1.0"),
        (["sklearn/__init__.py"], "scikit-learn", "of unknown version"),
        (["typing_extensions.py"], "typing-extensions", "of unknown version"),
        (["enum.py"], "enum", "of unknown version"),
        (["yaml/__init__.py"], "pyyaml", "of unknown version"),
    ],
)
def test_another_version_is_found(entry, files, library, there):
    folder = entry(*files)
    assert [(shadow.entry, shadow.library, shadow.there) for shadow in shadows([folder])] == [(folder, library, there)]


@pytest.mark.parametrize(
    "files",
    [
        [f"scikit_learn-{HERE}.dist-info/METADATA", "sklearn/__init__.py"],
        ["brainpid/__init__.py", "brainpid.egg-info/PKG-INFO", "brainpid-0.0.dist-info/METADATA"],
        ["pytest-1.0.dist-info/METADATA", "pip-1.0.dist-info/METADATA", "wheel/__init__.py"],
        ["lab_tools/__init__.py", "lab_tools-3.dist-info/METADATA", "notes.txt", "sklearn.txt", "test/__init__.py"],
        ["numpy/readme.txt"],
    ],
)
def test_what_is_nobodys_place_stays(entry, files):
    folder = entry(*files)
    assert without_shadowing(folder) == (folder, [])


def test_entries_are_told_apart(entry, tmp_path):
    bad, good = entry("scikit_learn-1.0.dist-info/METADATA"), entry("lab.py", folder="lab")
    kept, sentences = without_shadowing(f"{good}:{bad}:{tmp_path}/nowhere")
    assert kept == f"{good}:{tmp_path}/nowhere"
    assert sentences == [f"PYTHONPATH: {bad} is left out, it has scikit-learn 1.0 (here {HERE})"]
    assert without_shadowing("") == ("", [])


def test_where_the_program_is_not_installed_nothing_is_its_own(entry, monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "_own_folders", lambda: [str(tmp_path)])
    assert shadows([entry("scikit_learn-1.0.dist-info/METADATA")]) == []


def test_an_environment_is_changed_where_needed(entry):
    bad, good = entry("scikit_learn-1.0.dist-info/METADATA"), entry("lab.py", folder="lab")
    for before, after in ((f"{bad}:{good}", good), (bad, None), (good, good), (None, None)):
        environ = {} if before is None else {"PYTHONPATH": before}
        assert len(take_out_shadows(environ)) == (before or "").count(bad)
        assert environ.get("PYTHONPATH") == after


def test_packages_of_the_user_are_named(entry, monkeypatch):
    own = entry("scikit_learn-1.0.dist-info/METADATA")
    monkeypatch.setattr(environment, "_users_folder", lambda: own)
    with pytest.raises(InputError, match=r"scikit-learn 1.0 .*PYTHONNOUSERSITE=1"):
        refuse_shadowing()
    environ = {}
    assert len(take_out_shadows(environ)) == 1
    assert environ == {"PYTHONNOUSERSITE": "1"}


def test_a_verb_refuses_before_it_imports_what_is_broken(entry):
    """Every module there ends in an error once it is imported."""
    bad = entry("numpy/__init__.py", "pandas/__init__.py", "pydantic/__init__.py", "yaml/__init__.py")
    given = os.environ | {"PYTHONPATH": os.pathsep.join([bad, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "brainpid.cli"]
    done = subprocess.run([*command, "check"], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    message = " ".join(done.stderr.split())
    assert f"error: {bad} is looked into before the program's own libraries" in message
    assert f"numpy of unknown version (here {version('numpy')})" in message
    assert message.endswith("unset that, or unload the module that sets it")
    assert subprocess.run([*command, "--version"], env=given, capture_output=True, check=False).returncode == 0
