"""`brainpid pool` on summaries of finished runs: what it writes, says and refuses."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables

from brainpid.cli import main


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    """Output folder of a run of two cohorts with ridge."""
    folder = tmp_path_factory.mktemp("pool")
    for name, n in (("a", 60), ("b", 50)):
        write_cohort(folder / name, make_tables(n))
    config = make_config(
        folder, ["a", "b"], folder / "out", models=["ridge"], splits={"folds": 2, "repeats": 1},
        hyperparameters={"ridge": {"alphas": 7}}, null={"permutations": 20, "folds": 2}, explain={"permutations": 0},
        final_model=False, reference_ages={"cohort": "b"},
    )  # fmt: skip
    return run_tables(write_config(folder / "c.yaml", config))


@pytest.fixture(scope="module")
def apart(joint, tmp_path_factory):
    """Summaries of its cohorts by themselves, as two sites would have them."""
    folder = tmp_path_factory.mktemp("sites")
    whole = json.loads((joint / "aggregate/pool.json").read_text())
    for cohort in whole["cohorts"]:
        path = folder / f"site_{cohort['name']}" / "aggregate/pool.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(whole | {"cohorts": [cohort]}))
    return folder


def pooled(*options):
    return main(["pool", *map(str, options)])


def refused(capsys, *options):
    """Message of a call that is refused as bad input."""
    assert pooled(*options) == 2
    return " ".join(capsys.readouterr().err.split())


def table(folder, name):
    return pd.read_csv(folder / f"aggregate/{name}.tsv", sep="\t", na_values="n/a")


def test_sites_apart_give_the_tables_of_the_joint_run(joint, apart, tmp_path, capsys):
    assert pooled(apart / "site_a", apart / "site_b/aggregate/pool.json", "--out", tmp_path) == 0
    assert "2 cohorts of 2 runs (110 people)" in capsys.readouterr().out
    for name in ("pooling", "accuracy"):
        pd.testing.assert_frame_equal(table(tmp_path, name), table(joint, name), rtol=1e-8, atol=1e-9)
    found, expected = table(tmp_path, "pid"), table(joint, "pid")
    changed = ["age_low", "age_high", "p_value"]
    pd.testing.assert_frame_equal(found.drop(columns=changed), expected.drop(columns=changed), rtol=1e-8, atol=1e-9)
    page = (tmp_path / "report.html").read_text()
    assert "110 people of 2 cohorts, none of whom is in these files." in page
    assert page.count("<svg") == 1
    assert (tmp_path / "figures/modalities.svg").is_file()


def test_what_was_pooled_can_be_pooled_further_and_renamed(apart, tmp_path, capsys):
    assert pooled(f"north={apart / 'site_a'}", apart / "site_b", "--out", tmp_path) == 0
    assert set(table(tmp_path, "accuracy")["cohort"]) == {"north", "b", "pooled"}
    message = refused(capsys, tmp_path, apart / "site_a", "--out", tmp_path / "more")
    assert "a of " in message
    assert "the same people are given twice" in message


def test_what_cannot_be_pooled_is_refused(apart, tmp_path, capsys):
    out = ("--out", tmp_path / "out")
    a = apart / "site_a"
    assert "the same run as" in refused(capsys, a, a / "aggregate/pool.json", *out)
    assert "expected the summary of a finished run, found none" in refused(capsys, a, tmp_path, *out)
    assert "needs 2 cohorts or more, found 1" in refused(capsys, a, *out)
    assert "'pooled' is the name of the rows that join all" in refused(capsys, f"pooled={a}", apart / "site_b", *out)
    other = tmp_path / "other.json"
    shutil.copy(apart / "site_b/aggregate/pool.json", other)
    content = json.loads(other.read_text())
    other.write_text(json.dumps(content | {"units": "months"}))
    assert "found months and years" in refused(capsys, a, other, *out)
    other.write_text(json.dumps(content | {"format": 99}))
    assert "expected a summary with format 2, found 99" in refused(capsys, a, other, *out)
    other.write_text(json.dumps({name: value for name, value in content.items() if name != "features"}))
    assert "other.json: key 'features' is missing" in refused(capsys, a, other, *out)


def test_information_for_reference_ages_stands_beside_the_other(joint):
    scores = pd.read_csv(joint / "reference/scores.tsv", sep="\t")
    about = json.loads((joint / "reference/ages.json").read_text())
    assert about["words"] == "as in the cohort b"
    assert about["cohorts"]["b"]["n_effective"] == pytest.approx(50, rel=0.05)
    pid = table(joint, "pid")
    rows = pid[(pid["estimator"] == "log_score_reference_ages") & (pid["scope"] == "all") & (pid["atom"] == "total")]
    for cohort, own in scores.groupby("cohort"):
        found = rows[(rows["cohort"] == cohort) & (rows["measure"] == "mmi")].iloc[0]
        assert found["bits"] == pytest.approx((own["weight"] @ own["log_score_t1+dwi"]) / own["weight"].sum())
        assert found["n"] == int(about["cohorts"][cohort]["n_effective"])
    assert (rows["cohort"] == "pooled").any()
