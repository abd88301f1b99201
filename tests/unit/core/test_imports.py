"""Classes that a user names are found as Python finds them, and known by version or by source."""

from __future__ import annotations

import sys

import pytest

from brainpid.core.errors import InputError
from brainpid.core.imports import foreign_code, import_class, import_function


def test_a_module_in_the_working_folder_is_found_last_and_known_by_its_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = tmp_path / "learners_of_mine.py"
    source.write_text("class Half:\n    part = 0.5\n")
    assert import_class("learners_of_mine.Half", "experts").part == 0.5
    before = foreign_code(["learners_of_mine.Half", "sklearn.linear_model.Ridge"])
    assert before.packages == ("scikit-learn",)
    assert list(before.digests) == ["learners_of_mine"]
    source.write_text("class Half:\n    part = 0.25\n")
    assert foreign_code(["learners_of_mine.Half"]).digests != before.digests
    (tmp_path / "numpy.py").write_text("raise ValueError")
    assert foreign_code(["numpy.ndarray"]).packages == ("numpy",)


def test_of_a_package_every_module_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = tmp_path / "package_of_mine"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "helper.py").write_text("number = 1\n")
    before = foreign_code(["package_of_mine.learner.Class"]).digests
    (folder / "helper.py").write_text("number = 2\n")
    assert foreign_code(["package_of_mine.learner.Class"]).digests != before


@pytest.mark.parametrize("name", ["Ridge", "sklearn..Ridge", "learners.py:Ridge"])
def test_what_is_no_dotted_name_is_refused(name):
    with pytest.raises(InputError, match=r"experts: expected a class by its module, such as sklearn.*, found '"):
        import_class(name, "experts")


def test_a_fault_in_a_module_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "faulty_of_mine.py").write_text("class :\n")
    with pytest.raises(InputError, match=r"'faulty_of_mine' of 'faulty_of_mine.A' cannot be imported: SyntaxError"):
        import_class("faulty_of_mine.A", "experts")
    with pytest.raises(InputError, match=r"no module 'absent_of_mine'"):
        foreign_code(["absent_of_mine.A"])


def test_a_function_is_imported_and_anything_else_refused():
    assert import_function("math.hypot", "function")(3, 4) == 5
    with pytest.raises(InputError, match=r"function: expected a function, found that 'math.pi' is a float"):
        import_function("math.pi", "function")
    with pytest.raises(InputError, match=r"function: expected a function by its module, such as my_features.thickness"):
        import_function("hypot", "function")
