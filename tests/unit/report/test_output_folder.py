"""The output folder tells what each file is, and what of it BIDS does not know."""

from __future__ import annotations

import re

from brainpid.report.glossary import COLUMNS
from brainpid.report.output_folder import FILES, bidsignore, readme
from brainpid.report.output_tables import OUTPUT_TABLES

TEXT = readme("Ages of\n two | sites", "brainpid 1.2", "camcan", "t1")


def test_every_file_and_every_column_is_explained():
    lines = TEXT.splitlines()
    assert lines[0] == "# Ages of two | sites"
    assert lines[2].startswith("Output of brainpid 1.2: ")
    named = re.findall(r"^\| `([^`]+)` \| [^|]+ \|$", TEXT, flags=re.MULTILINE)
    assert named[0] == "report.html"
    assert set(FILES) < set(named)
    assert {table.path for table in OUTPUT_TABLES if " " not in table.path} < set(named)
    assert len(named) == len(set(named))
    columns = TEXT.partition("### aggregate/pid.tsv\n")[2].partition("\n### ")[0]
    for name, meaning in COLUMNS.items():
        assert re.search(rf"^\| `{name}` \|.*\| {re.escape(meaning)} \|$", columns, flags=re.MULTILINE), name


def test_the_example_names_a_cohort_and_a_modality():
    assert 'h5py.File("features/camcan.h5")' in TEXT
    assert 'file["t1"]' in TEXT
    assert 'sep="\\t"' in TEXT


def test_what_bids_does_not_know_is_ignored_and_nothing_else():
    lines = bidsignore().splitlines()
    assert lines == sorted(set(lines))
    assert {"/participants.tsv", "/report.html", "/aggregate", "/folds", "/features", "/features.tsv"} < set(lines)
    assert not {"/README.md", "/dataset_description.json", "/.bidsignore"} & set(lines)
