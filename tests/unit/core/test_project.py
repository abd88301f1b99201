"""Files of the project that are no modules are found in a checkout and in an installed wheel."""

from __future__ import annotations

import pytest
from cohorts import ROOT

from brainpid.core import project
from brainpid.core.errors import InputError
from brainpid.core.project import project_file, snakefile


def test_in_a_checkout_they_lie_at_its_top():
    assert snakefile() == ROOT / "Snakefile"
    assert project_file("config", "demo.yaml") == ROOT / "config/demo.yaml"


def test_in_a_wheel_they_lie_inside_the_package(tmp_path, monkeypatch):
    package = tmp_path / "lib/site-packages/brainpid"
    (package / "project").mkdir(parents=True)
    (package / "project/Snakefile").touch()
    monkeypatch.setattr(project, "PACKAGE_FOLDER", package)
    assert snakefile() == package / "project/Snakefile"
    with pytest.raises(InputError, match=r"project/config/demo\.yaml: a file of the project is neither there nor at"):
        project_file("config", "demo.yaml")
