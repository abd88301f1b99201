"""Harmonisation from the configuration to the model's folder, the table of its cost, and people who are predicted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from cohorts import make_config, make_tables, write_cohort, write_config
from verbs import run_tables, run_verb

from brainpid.cli import main
from brainpid.config.harmonisation_slice import HarmonisationSettings
from brainpid.config.schema import load_config
from brainpid.core.files import read_own_tsv
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
