"""The sheet that later steps read holds what is used of a participants table."""

from __future__ import annotations

import json

import pytest

from brainpid.cli import main
from brainpid.config.cohorts import Columns, Target
from brainpid.config.slices import ParticipantsSettings


@pytest.fixture
def sheet(tmp_path, capsys):
    """Run the verb on a table with a family, a head size and a remark: columns and units of the sheet, or the error."""

    def run(*options, units="years"):
        table = tmp_path / "p.tsv"
        table.write_text("participant_id\tage\tfamily\ticv\tnote\nsub-1\t40\t1\t1.5\tx\nsub-2\t50\t2\t1.6\ty\n")
        table.with_suffix(".json").write_text(
            json.dumps({"icv": {"Units": "L"}, "note": {"Units": "m"}, "age": {"Units": "months"}})
        )
        settings = ParticipantsSettings(
            visits=None, path=str(table), columns=Columns(), target=Target(units=units)
        ).model_dump_json()
        out = tmp_path / "out.tsv"
        code = main(["participants", "--cohort", "a", "--settings", settings, "--out", str(out), *options])
        if code:
            return " ".join(capsys.readouterr().err.split())
        return out.read_text().splitlines()[0].split("\t")[5:], json.loads(out.with_suffix(".json").read_text())

    return run


def test_columns_that_nothing_uses_are_not_kept(sheet):
    columns, units = sheet("--keep", "icv", "family")
    assert columns == ["family", "icv"]
    assert units == {"icv": {"Units": "L"}}
    assert sheet("--keep") == ([], {})
    assert sheet()[0] == ["family", "icv", "note"]


def test_a_used_column_that_is_not_there_is_named(sheet):
    said = sheet("--keep", "icw")
    assert "expected a column 'icw' (of splits.group, train_on or divide_by)" in said
    assert "did you mean 'icv'?" in said
    assert "expected a column 'hand' (of groups)" in sheet("--keep", "--expect", '["family", "hand"]')


def test_units_of_the_target_that_are_not_the_configuration_s_are_said(sheet, caplog):
    sheet(units="mo")
    assert "target.units" not in caplog.text
    sheet(units="years")
    assert "gives 'age' in months, and target.units is years" in caplog.text
