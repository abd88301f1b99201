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
    assert "dwi_0 (the same value, 1, in all 45 people" in caplog.text
