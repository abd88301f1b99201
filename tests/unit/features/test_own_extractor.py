"""A function of the user's own: what it gives is checked, and what it is made of is known."""

from __future__ import annotations

import sys

import pytest

from brainpid.config.section import parse_section
from brainpid.config.sources import ImportSource, settings_of
from brainpid.core.errors import ImageError, InputError
from brainpid.features.extractors import extractor_of
from brainpid.features.own_extractor import extract_files

HEAD = "from brainpid.imaging.extracted import Extracted\n"
GOOD = HEAD + "def read(files, k=1):\n    return Extracted({'a': k * float(open(files['x']).read())}, {'a': 'mm'})\n"


def source_of(folder, **changes):
    given = {"kind": "import", "path": str(folder), "files": {"x": "x.txt"}, "function": "features_of_mine.read"}
    return parse_section(ImportSource, given | changes, "sources.own")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the user's module into the working folder, to be imported anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "x.txt").write_text("2.5")

    def written(text):
        sys.modules.pop("features_of_mine", None)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        (tmp_path / "features_of_mine.py").write_text(text)

    yield written
    sys.modules.pop("features_of_mine", None)


def test_the_function_is_given_the_files_and_the_options(write, tmp_path):
    write(GOOD)
    made = extract_files({"x": str(tmp_path / "x.txt")}, source_of(tmp_path, options={"k": 2}))
    assert (made.values, made.units) == ({"a": 5.0}, {"a": "mm"})


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        ("{'a': 1.0}", "gives a dict; expected brainpid.imaging.extracted.Extracted"),
        ("Extracted({}, {})", "gives no feature"),
        ("Extracted({'a': 'high'}, {'a': '1'})", "gives a = 'high'; expected a number"),
        ("Extracted({'a': float('inf')}, {'a': '1'})", "gives a = inf; expected a number"),
        ("Extracted({'a': 1.0, 'b': 2.0}, {'a': '1'})", "gives no unit of b"),
    ],
)
def test_what_it_gives_is_checked(write, tmp_path, gives, words):
    write(f"{HEAD}def read(files):\n    return {gives}\n")
    with pytest.raises(ImageError, match=f"features_of_mine.read {words}"):
        extract_files({"x": "x.txt"}, source_of(tmp_path))


def test_an_edit_of_the_function_is_other_code(write, tmp_path):
    write(GOOD)
    source = source_of(tmp_path)
    before = extractor_of(source, "own")
    assert len(before.digests) == 1
    assert settings_of(source, "own", None) is source
    write(GOOD + "# another\n")
    assert extractor_of(source, "own").digests != before.digests
    with pytest.raises(InputError, match="no module 'features_of_nobody'"):
        extractor_of(source_of(tmp_path, function="features_of_nobody.read"), "own")


@pytest.mark.parametrize("pattern", ["/data/x.txt", "../sub-02/x.txt", " "])
def test_files_lie_below_the_person(tmp_path, pattern):
    with pytest.raises(InputError, match="does not lie below a participant's folder"):
        source_of(tmp_path, files={"x": pattern})
