"""What `init` makes of groups and of lists of exclusions."""

from __future__ import annotations

import pandas as pd
import yaml
from cohorts import make_tables, write_cohort

from brainpid.cli import main
from brainpid.features.draft_designs import list_of_exclusions, training_groups


def test_columns_that_tell_controls_from_others():
    own = pd.DataFrame({"Diagnosis": ["HC", "AD", None], "group": ["a", "b", "b"], "sex": ["F", "M", "M"]})
    assert training_groups([own]) == {"Diagnosis": "HC"}
    assert training_groups([own, own.drop(columns="Diagnosis")]) == {}
    assert training_groups([own.assign(Diagnosis="HC")]) == {}


def test_init_writes_both(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tables = make_tables(40)
    tables["participants"]["dx_group"] = ["healthy control" if k % 3 else "MS" for k in range(40)]
    write_cohort(tmp_path / "study", tables)
    assert list_of_exclusions(tmp_path / "study/participants.tsv") is None
    (tmp_path / "study/exclude.tsv").write_text("participant_id\treason\n000\tstroke\n")
    assert main(["init", "study"]) == 0
    text = (tmp_path / "study.yaml").read_text()
    assert "# train_on: {dx_group: healthy control}" in text
    assert yaml.safe_load(text)["cohorts"]["study"]["exclude"] == "study/exclude.tsv"
    assert main(["check", "--config", "study.yaml"]) == 0
    assert "1 x stroke" in capsys.readouterr().out
