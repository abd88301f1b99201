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


def test_what_is_learned_is_doubted_by_those_who_are_trained_on(tmp_path, capsys):
    """24 people of each site, of whom 18 are controls."""
    tables = make_tables(48)
    tables["participants"]["site"] = [f"s{k % 2}" for k in range(48)]
    tables["participants"]["dx"] = ["case" if k % 8 < 2 else "control" for k in range(48)]
    write_cohort(tmp_path / "a", tables)
    changes = {"harmonise": {"method": "location"}, "train_on": {"dx": "control"}}
    path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out", **changes))
    assert main(["check", "--config", str(path)]) == 0
    assert "harmonise: 2 of 2 sites have fewer than 20 people" in " ".join(capsys.readouterr().out.split())


def test_a_table_of_controls_without_a_cohort_is_refused_before_anything_runs(tmp_path, capsys):
    for cohort in "ab":
        write_cohort(tmp_path / cohort, make_tables(40, prefix=f"sub-{cohort}"))
    make_tables(40, prefix="sub-a")["participants"].to_csv(tmp_path / "m.tsv", sep="\t", index=False)
    controls = [{"table": str(tmp_path / "m.tsv"), "columns": ["icv_mm3"]}]
    path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a", "b"], tmp_path / "out", controls=controls))
    assert main(["check", "--config", str(path)]) == 2
    assert "m.tsv: nobody of cohort 'b' has a value of icv_mm3" in " ".join(capsys.readouterr().err.split())


def test_a_site_of_one_person_has_no_sd_and_sites_in_two_spellings_are_said(tmp_path, capsys):
    tables = make_tables(40)
    tables["participants"]["site"] = ["1.0"] + ["1"] * 39
    write_cohort(tmp_path / "a", tables)
    path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out"))
    assert main(["check", "--config", str(path)]) == 0
    told = capsys.readouterr().out
    assert "nan" not in told
    assert "warning: sites have numbers in two spellings, which count as different sites: 1, 1.0" in told


def test_a_control_that_nobody_has_a_value_of_is_refused(tmp_path, capsys):
    tables = make_tables(40)
    tables["participants"]["motion"] = None
    write_cohort(tmp_path / "a", tables)
    path = write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out", controls=["sex", "motion"]))
    assert main(["check", "--config", str(path)]) == 2
    assert "controls: nobody who is trained on has a value of motion; leave it out" in capsys.readouterr().err
