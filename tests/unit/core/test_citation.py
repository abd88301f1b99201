"""The citation that the program prints is that of CITATION.cff."""

from __future__ import annotations

import re

import pytest
import yaml
from cohorts import ROOT

from brainpid import __version__
from brainpid.cli import main
from brainpid.core.citation import apa, bibtex_entries
from brainpid.report.references import bibtex


def test_apa_and_bibtex_are_printed(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--citation"])
    printed = capsys.readouterr().out
    for reference in (*apa(), *bibtex_entries().values()):
        assert reference in printed
    assert apa()[1] == (
        "Ma, Z., & Yu, S. (2025). Explainable Multimodal Regression via Information Decomposition. arXiv:2512.22102."
    )
    assert f"(Version {__version__}) [Computer software]." in apa()[0]
    assert "author={{The brainpid developers}}" in bibtex_entries()["brainpid"]
    assert "author={Ma, Zhaozhao and Yu, Shujian}" in bibtex_entries()["MaYu2025"]


def test_every_entry_is_balanced_and_has_its_key():
    for key, entry in bibtex_entries().items():
        assert re.match(rf"@\w+{{{key}, ", entry)
        assert entry.count("{") == entry.count("}")


def test_its_version_is_that_of_the_program():
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


def test_the_report_has_the_same_entries():
    from report_pages import SETTINGS

    assert bibtex(SETTINGS).splitlines()[:2] == list(bibtex_entries().values())
