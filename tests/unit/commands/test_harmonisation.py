"""Harmonisation from the configuration to the model's folder, the table of its cost, and people who are predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables, run_verb

from brainpid.cli import main
from brainpid.config.harmonisation_slice import HarmonisationSettings
from brainpid.config.harmonise import Harmonise
from brainpid.config.schema import load_config
from brainpid.config.slices import ExplainSettings
from brainpid.core.files import read_own_tsv
from brainpid.model.baselines.linear import Ridge
from brainpid.model.harmonised import Harmoniser
from brainpid.report.output_tables import OUTPUT_TABLES


def test_a_run_with_harmonised_features(tmp_path, capsys):
    tables = make_tables(60)
    sites = np.array(["s0", "s1", "s2"])[np.arange(60) % 3]
    tables["participants"]["site"] = sites
    for m in ("t1", "dwi"):
        tables[m].iloc[:, 1:] += 20.0 * (np.arange(60) % 3)[:, None]
    write_cohort(tmp_path / "a", tables)
    changes = {"models": ["ridge"], "null": {"permutations": 0}, "splits": {"folds": 2, "repeats": 1}}
    outs = {}
    for method in ("none", "location"):
        config = make_config(tmp_path, ["a"], tmp_path / method, harmonise={"method": method}, **changes)
        path = write_config(tmp_path / f"{method}.yaml", config)
        outs[method] = run_tables(path)
    files = {method: out / "folds/ridge/repeat-0_fold-0/harmonisation.npz" for method, out in outs.items()}
    assert [file.exists() for file in files.values()] == [False, True]
    mae = {method: read_own_tsv(out / "aggregate/accuracy.tsv")["mae"][0] for method, out in outs.items()}
    assert mae["location"] < mae["none"]
    # What a model of a fold says of the fold's people as new ones is what the fold says.
    out = tmp_path / "location"
    new = make_config(tmp_path, ["a"], out, **changes)
    options = ["--config", str(write_config(tmp_path / "new.yaml", new)), "--out", str(tmp_path / "p.tsv")]
    assert main(["predict", "--model", str(files["location"].parent), *options]) == 0
    known = read_own_tsv(files["location"].parent / "predictions.tsv").set_index("participant_id")
    found = pd.read_csv(tmp_path / "p.tsv", sep="\t").set_index("participant_id").loc[known.index]
    np.testing.assert_allclose(found["predicted_age"], known["predicted_age"], rtol=1e-4)
    assert known["site_seen"].eq("yes").all()
    config = load_config(tmp_path / "location.yaml")
    # What `explain` permutes are the features as the model sees them.
    fold = files["location"].parent
    place = ["--model", "ridge", "--folder", fold, "--repeat", 0, "--fold", 0, "--splits", out / "splits.tsv"]
    place += ["--participants", out / "participants.tsv", "--features", out / "features/a.h5"]
    place += ["--chosen", out / "features.tsv", "--out", tmp_path / "importance.tsv"]
    run_verb("explain", ExplainSettings.of(config), *place)
    assert (tmp_path / "importance.tsv").read_bytes() == (fold / "importance.tsv").read_bytes()
    files["location"].rename(tmp_path / "away.npz")
    run_verb("explain", ExplainSettings.of(config), *place)
    assert (tmp_path / "importance.tsv").read_bytes() != (fold / "importance.tsv").read_bytes()
    (tmp_path / "away.npz").rename(files["location"])
    run_verb(
        "harmonisation", HarmonisationSettings.of(config), "--participants", out / "participants.tsv",
        "--splits", out / "splits.tsv", "--features", out / "features/a.h5", "--chosen", out / "features.tsv",
        "--out", out / "aggregate/harmonisation.tsv",
    )  # fmt: skip
    cost = read_own_tsv(out / "aggregate/harmonisation.tsv")
    described = {table.path: [column.name for column in table.columns] for table in OUTPUT_TABLES}
    assert list(cost) == described["aggregate/harmonisation.tsv"]
    own = cost.set_index("quantity")
    assert own.loc["mae", "difference"] < 0
    np.testing.assert_allclose(own.loc["mae", "harmonised"], mae["location"], rtol=0.1)
    capsys.readouterr()
    settings = HarmonisationSettings.of(load_config(tmp_path / "none.yaml")).model_dump_json()
    refused = [
        "harmonisation",
        "--settings",
        settings,
        "--participants",
        "x",
        "--splits",
        "x",
        "--features",
        "x",
        "--chosen",
        "x",
    ]
    assert main([*refused, "--out", str(tmp_path / "x.tsv")]) == 2
    assert "'none' changes nothing" in " ".join(capsys.readouterr().err.split())


def test_predict_refuses_people_of_sites_that_are_not_known_where_that_was_asked_for(tmp_path, capsys):
    tables = make_tables(60)
    people = tables["participants"].assign(site=["one", "two"] * 30)
    X = {m: tables[m].drop(columns="participant_id") for m in ("t1", "dwi")}
    harmoniser = Harmoniser.fit(Harmonise(method="location", unseen="error"), X, people)
    own = harmoniser.apply(X, people["site"].tolist(), people["sex"].tolist())
    Ridge().fit(own, people["age"], sites=people["site"]).save(tmp_path / "model")
    harmoniser.save(tmp_path / "model")
    write_cohort(tmp_path / "new", tables)
    given = [f"{m}={tmp_path}/new/{m}.tsv" for m in ("t1", "dwi")]
    assert main(["predict", "--model", f"{tmp_path}/model", "--tables", *given, "--out", f"{tmp_path}/p.tsv"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "60 people are without a site, which the harmonisation of features has not seen" in told
    assert "expected those of one, two (harmonise.unseen: error)" in told


@pytest.mark.parametrize(("unseen", "code"), [("error", 2), ("none", 0)])
def test_that_a_small_site_may_be_refused_in_training_is_said_by_check(tmp_path, capsys, unseen, code):
    """A site of one person is tested as a whole in random folds."""
    tables = make_tables(60)
    tables["participants"]["site"] = ["alone"] + ["one", "two"] * 29 + ["one"]
    write_cohort(tmp_path / "a", tables)
    config = make_config(
        tmp_path, ["a"], tmp_path / "out", models=["ridge"], splits={"folds": 2, "repeats": 1},
        harmonise={"method": "location", "unseen": unseen},
    )  # fmt: skip
    path = write_config(tmp_path / "c.yaml", config)
    assert main(["check", "--config", str(path)]) == code
    said = " ".join(capsys.readouterr().err.split())
    words = (
        "all people of site(s) alone (1) are predicted, and the training has nobody of theirs: harmonise.unseen: error"
    )
    assert (words in said) == (unseen == "error")
