"""A list of exclusions through the verbs: who is on it is EXCLUDED, has no features, and moves nobody."""

from __future__ import annotations

from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.cli import main
from brainpid.core.files import read_own_tsv
from brainpid.features.store import read_features


def test_who_is_on_the_list_takes_no_part(tmp_path, capsys):
    write_cohort(tmp_path / "a", make_tables(60))
    listed = "participant_id\treason\tmodality\nsub-000\tstroke\t\n003\tmotion\tt1\n"
    (tmp_path / "exclude.tsv").write_text(listed)
    content = make_config(tmp_path, ["a"], tmp_path / "out", null={"permutations": 0}, final_model=False,
                          explain={"permutations": 0})  # fmt: skip
    before = read_own_tsv(run_tables(write_config(tmp_path / "c.yaml", content)) / "splits.tsv")
    content["cohorts"]["a"]["exclude"] = str(tmp_path / "exclude.tsv")
    path = write_config(tmp_path / "c.yaml", content)
    out = run_tables(path)
    people = read_own_tsv(out / "participants.tsv").set_index("participant_id")
    assert people.loc["sub-000", ["t1_status", "dwi_status", "reason"]].tolist() == [
        "EXCLUDED", "EXCLUDED", "EXCLUDED: stroke",
    ]  # fmt: skip
    assert people.loc["sub-003", ["t1_status", "t1_reason", "dwi_status"]].tolist() == ["EXCLUDED", "motion", "SUCCESS"]
    assert people["included"].sum() == 59
    block = read_features(out / "features/a.h5", "t1")
    assert block.present.sum() == 58
    predictions = read_own_tsv(out / "aggregate/predictions.tsv").set_index("participant_id")
    assert "sub-000" not in predictions.index
    assert set(predictions.loc["sub-003", "modalities"]) == {"dwi"}
    after = read_own_tsv(out / "splits.tsv")
    others = before[before["participant_id"] != "sub-000"].reset_index(drop=True)
    assert after.equals(others)

    capsys.readouterr()
    assert main(["check", "--config", str(path)]) == 0
    assert "1 x motion" in capsys.readouterr().out
    (tmp_path / "exclude.tsv").write_text("participant_id\treason\nnobody\tx\n")
    assert main(["check", "--config", str(path)]) == 2
    assert "sub-nobody is in no row of the participants table" in " ".join(capsys.readouterr().err.split())


def test_who_is_on_the_list_is_not_predicted_from_it_either(tmp_path):
    """`predict --config` leaves out what the list of new people leaves out."""
    write_cohort(tmp_path / "a", make_tables(60))
    write_cohort(tmp_path / "new", make_tables(6, 5))
    content = make_config(tmp_path, ["a"], tmp_path / "out", null={"permutations": 0}, explain={"permutations": 0})
    out = run_tables(write_config(tmp_path / "c.yaml", content))
    (tmp_path / "exclude.tsv").write_text("participant_id\treason\tmodality\nsub-000\tstroke\t\n003\tmotion\tt1\n")
    content = make_config(tmp_path, ["new"], tmp_path / "other")
    content["cohorts"]["new"]["exclude"] = str(tmp_path / "exclude.tsv")
    path = write_config(tmp_path / "n.yaml", content)
    table = tmp_path / "p.tsv"
    assert main(["predict", "--model", str(out / "final/ridge"), "--config", str(path), "--out", str(table)]) == 0
    found = read_own_tsv(table).set_index("participant_id")
    assert found["predicted_age"].isna().sum() == 1
    assert "stroke" in found.loc["sub-000", "reason"]
    assert found.loc["sub-003", "modalities"] == "dwi"
