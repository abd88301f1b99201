"""Bad input ends with exit code 2 and one paragraph that names the file, the place, what was expected and found."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config

from brainpid.cli import main


@pytest.fixture
def check(tmp_path, capsys):
    """Run `brainpid check` on a cohort whose tables or configuration were spoilt; return its exit code and message."""

    def run(spoil=None, n=60, **changes):
        tables = make_tables(n)
        if spoil is not None:
            spoil(tables)
        write_cohort(tmp_path / "a", tables)
        config = make_config(tmp_path, ["a"], tmp_path / "out")
        for key, value in changes.items():
            *parents, last = key.split("__")
            place = config
            for parent in parents:
                place = place[parent]
            place[last] = value
        code = main(["check", "--config", str(write_config(tmp_path / "c.yaml", config))])
        assert not (tmp_path / "out").exists()
        return code, " ".join(capsys.readouterr().err.split())

    return run


def test_a_valid_cohort_passes(check):
    assert check() == (0, "")


def test_unknown_key_names_the_nearest(check):
    code, message = check(splits__fold=3)
    assert code == 2
    assert "unknown key 'splits.fold'; did you mean 'folds'?" in message
    assert "c.yaml" in message


def test_unknown_model(check):
    code, message = check(models=["ridge", "pidrge"])
    assert code == 2
    assert "models.1" in message
    assert "'pidrge'" in message


def test_missing_file(check):
    code, message = check(cohorts__a__participants="nowhere.tsv")
    assert (code, message) == (2, "error: nowhere.tsv: the file does not exist")


def test_missing_age_column(check):
    def spoil(tables):
        tables["participants"] = tables["participants"].rename(columns={"age": "Age"})

    code, message = check(spoil)
    assert code == 2
    assert "participants.tsv: expected a column 'age' (the target, in years)" in message
    assert "did you mean 'Age'?" in message


def test_age_in_months(check):
    def spoil(tables):
        tables["participants"]["age"] *= 12

    code, message = check(spoil)
    assert code == 2
    assert "expected years from 0 to 120" in message
    assert "are these months?" in message


def test_an_age_that_cannot_be_read_is_one_persons_matter(check, caplog):
    def spoil(tables):
        tables["participants"]["age"] = tables["participants"]["age"].astype(object)
        tables["participants"].loc[[0, 3], "age"] = ["89+", -7]

    code, _ = check(spoil)
    assert code == 0
    assert "line 2 (sub-000): '89+' is no number in years, line 5 (sub-003): '-7' lies outside 0 to 120" in caplog.text


def test_ids_that_match_nobody_are_listed(check):
    def spoil(tables):
        tables["t1"].loc[[4, 9], "participant_id"] = ["sub-x1", "x2"]

    code, message = check(spoil)
    assert code == 2
    assert "t1.tsv: 2 of 60 labels are not in the participants table of cohort 'a': sub-x1, sub-x2" in message


@pytest.mark.parametrize("table", ["participants", "dwi"])
def test_duplicate_ids(check, table):
    def spoil(tables):
        tables[table].loc[7, "participant_id"] = "002"

    code, message = check(spoil)
    assert code == 2
    assert f"{table}.tsv: participant_id must be unique, found more than once: sub-002 (lines 4, 9)" in message


def test_text_in_a_feature_names_line_and_column(check):
    def spoil(tables):
        tables["dwi"]["dwi_2"] = tables["dwi"]["dwi_2"].astype(object)
        tables["dwi"].loc[10, "dwi_2"] = "0,51"

    code, message = check(spoil)
    assert code == 2
    assert "dwi.tsv: line 12 (sub-010), column 'dwi_2': expected a number or n/a, found '0,51'" in message


def test_infinite_feature(check):
    def spoil(tables):
        tables["dwi"].loc[10, "dwi_2"] = np.inf

    code, message = check(spoil)
    assert code == 2
    assert "column 'dwi_2': expected a finite number, found inf" in message


def test_features_that_tell_nothing_are_left_out(check, caplog):
    def spoil(tables):
        tables["t1"]["t1_3"] = 4.0
        tables["t1"]["t1_0"] = np.nan

    assert check(spoil)[0] == 0
    assert "t1: 2 of 5 features tell nothing and are left out: t1_0 (no value in any of 60 people), " in caplog.text
    assert "t1_3 (the same value, 4, in all 60 people who have one)" in caplog.text


def test_a_modality_whose_features_all_tell_nothing(check):
    def spoil(tables):
        tables["t1"].iloc[:, 1:] = 4.0

    code, message = check(spoil)
    assert code == 2
    assert "t1: no feature differs between people: t1_0 (the same value, 4, in all 60 people who have one)" in message


def test_one_person_and_a_table_without_rows_are_said_in_words(check):
    code, message = check(n=1)
    assert code == 2
    assert "t1: no feature differs between people: t1_0 (known of one person alone)" in message

    def spoil(tables):
        tables["dwi"] = tables["dwi"].iloc[:0]

    code, message = check(spoil)
    assert code == 2
    assert "dwi: nobody has it in any cohort: cohort 'a': 60 x no row in" in message
    assert "dwi.tsv, which has none" in message


def test_bytes_that_are_no_text_are_not_printed(check, tmp_path):
    def spoil(tables):
        tables["t1"] = tables["t1"].rename(columns={"participant_id": "PK\x03\x04", "t1_0": "\x01"})

    code, message = check(spoil)
    assert code == 2
    assert (
        "expected a column 'participant_id' (the label of each person), found what is no text: is it a table?"
        in message
    )


def test_a_feature_that_is_the_target_is_told(check, capsys, monkeypatch):
    said = []
    monkeypatch.setattr("rich.console.Console.print", lambda self, text, **options: said.append(str(text)))

    def spoil(tables):
        tables["t1"]["t1_2"] = 12 * tables["participants"]["age"]

    assert check(spoil)[0] == 0
    (told,) = [one for one in said if one.startswith("LEAK:")]
    assert "t1_2 (rank correlation 1.000, 60 people)" in told
    assert "a feature is nearly a function of age" in told


def test_an_output_folder_that_cannot_be_used(check, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    code, message = check(output_dir=str(tmp_path / "file"))
    assert code == 2
    assert message.endswith(f"cannot be made: {tmp_path}/file is a file or a broken link, and no folder")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    code, message = check()
    assert code == 2
    assert f"cannot be written into: {tmp_path} is not writable for this user" in message


@pytest.mark.parametrize(("free", "code", "words"), [
    (1000, 2, "and a run leaves about"), (3_000_000, 0, ""), (10**9, 0, ""),
])  # fmt: skip
def test_a_disk_without_room_is_refused(check, monkeypatch, free, code, words):
    monkeypatch.setattr("brainpid.commands.check.free_bytes_for", lambda folder, key: free)
    found, message = check()
    assert found == code
    assert words in message


def test_drop_leaves_a_bad_feature_out(check):
    def spoil(tables):
        tables["t1"]["t1_3"] = np.nan

    assert check(spoil, cohorts__a__sources__t1__drop=["*_3"])[0] == 0


def test_drop_that_matches_nothing(check):
    code, message = check(cohorts__a__sources__t1__drop=["nothing*"])
    assert code == 2
    assert "drop: 'nothing*' matches no column" in message


def test_fewer_people_than_folds(check):
    code, message = check(n=15, splits__folds=10)
    assert code == 2
    assert "15 people take part, which is too few for 10 folds" in message


def test_too_few_people_to_train_a_fold(check):
    code, message = check(n=12)
    assert code == 2
    assert (
        "repeat 0, fold 0: 4 training people have every modality (t1, dwi); expected at least 10 for ridge" in message
    )
    assert check(n=24)[0] == 0


def test_too_few_people_to_decompose(check):
    code, message = check(n=4, splits__folds=2)
    assert code == 2
    assert "cohort 'a': n = 4 people who take part have every modality, which is too few to decompose d = 2" in message
    assert "at least 2.5 people a modality" in message


def test_modality_with_nobody(check):
    def spoil(tables):
        tables["dwi"] = tables["dwi"].iloc[:0]

    code, message = check(spoil)
    assert code == 2
    assert "dwi: nobody has it in any cohort: cohort 'a': 60 x no row in" in message


def test_column_named_twice(check, tmp_path):
    def spoil(tables):
        tables["dwi"].columns = ["participant_id", "x", "y", "x", "z"]

    code, message = check(spoil)
    assert code == 2
    assert "dwi.tsv: line 1 names a column twice: x" in message


def test_ragged_line(check, tmp_path, capsys):
    check()
    path = tmp_path / "a" / "dwi.tsv"
    lines = path.read_text().splitlines()
    lines[5] += "\t1\t2\t3"
    path.write_text("\n".join(lines))
    capsys.readouterr()
    assert main(["check", "--config", str(tmp_path / "c.yaml")]) == 2
    assert "dwi.tsv: line 6 has 8 cells, the header 5" in " ".join(capsys.readouterr().err.split())


def test_unknown_divisor(check):
    code, message = check(cohorts__a__sources__t1__divide_by="icv")
    assert code == 2
    assert "divide_by 'icv' is no column of the participants table" in message


def test_every_fault_of_a_configuration_is_said_at_once(check):
    code, message = check(splits__folds=1, splits__seeds=3, models=[])
    assert code == 2
    for key in ("splits.folds", "splits.seeds", "models"):
        assert key in message


def test_numbers_that_may_stand_for_nothing_are_said(check, caplog):
    def spoil(tables):
        tables["t1"].loc[[5, 9], "t1_2"] = -9999
        tables["dwi"].loc[[7, 3], "dwi_0":] = 0

    assert check(spoil)[0] == 0
    assert "t1.tsv: column 't1_2': -9999 stands in 2 of 60 people, first sub-005" in caplog.text
    assert "dwi.tsv: column 'dwi_0' (and in 3 more columns): 0 stands in 2 of 60 people, first sub-003" in caplog.text


def test_labels_that_lead_elsewhere_are_refused(check):
    def spoil(tables):
        tables["participants"].loc[4, "participant_id"] = "../../x"

    code, message = check(spoil)
    assert code == 2
    assert "participants.tsv: line 6: '../../x' is no label of a person" in message


def test_brackets_of_a_path_are_shown_as_they_are(tmp_path, capsys):
    """They look like markup of the terminal, of which a closing one without an opening one is an error."""
    folder = tmp_path / "x [/red]"
    tables = make_tables(60)
    tables["t1"] = tables["t1"].drop(index=7)
    write_cohort(folder / "a", tables)
    config = make_config(folder, ["a"], tmp_path / "out")
    assert main(["check", "--config", str(write_config(tmp_path / "c.yaml", config))]) == 0
    assert "[/red]" in "".join(capsys.readouterr().out.replace("│", "").split())
