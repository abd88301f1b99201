"""What `check` says of study designs."""

from __future__ import annotations

from cohorts import make_config, make_tables, write_cohort, write_config

from brainpid.cli import main


def test_check_says_who_is_trained_on(tmp_path, capsys, caplog):
    tables = make_tables(60)
    tables["participants"]["diagnosis"] = ["patient" if k % 4 == 0 else "control" for k in range(60)]
    tables["dwi"]["dwi_0"] = [float(k) if k % 4 == 0 else 1.0 for k in range(60)]
    write_cohort(tmp_path / "a", tables)
    content = make_config(tmp_path, ["a"], tmp_path / "out", train_on={"diagnosis": "control"})
    path = write_config(tmp_path / "c.yaml", content)
    assert main(["check", "--config", str(path)]) == 0
    told = capsys.readouterr().out
    assert "45 people are trained on (diagnosis: control)" in told
    assert "15 others are predicted and never trained on" in told
    assert "compared: diagnosis: patient (15 people) against control (45), of whom 15 and " in told
    assert "dwi_0 (the same value, 1, in all 45 people" in caplog.text


def test_check_says_what_cannot_be_compared_and_refuses_what_is_no_group(tmp_path, capsys):
    tables = make_tables(60)
    tables["participants"]["dx"] = ["case" if k < 6 else "control" for k in range(60)]
    tables["participants"]["code"] = [f"c{k}" for k in range(60)]
    write_cohort(tmp_path / "a", tables)
    for column, code, words in (
        ("dx", 0, "left out: dx: case (6 people) against control (54), of whom 6 and "),
        ("code", 2, "groups: column 'code' has 60 values"),
        ("none", 2, "expected a column 'none' (of groups)"),
    ):
        path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out", groups=[column]))
        assert main(["check", "--config", str(path)]) == code
        told = capsys.readouterr()
        assert words in " ".join((told.out + told.err).split())
