"""The verb at the end of a run finds its tables and the truth by the configuration alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from cohorts import write_config

from brainpid.cli import main
from brainpid.core.files import write_tsv


def test_three_sentences_come_from_a_run_s_folder(tmp_path, capsys):
    sources = {m: {"kind": "table", "path": str(tmp_path / f"{m}.tsv")} for m in ("t1", "dwi")}
    config = {
        "output_dir": str(tmp_path / "out"),
        "modalities": ["t1", "dwi"],
        "cohorts": {"a": {"participants": str(tmp_path / "data/participants.tsv"), "sources": sources}},
        "models": ["ridge"],
    }
    write_config(tmp_path / "c.yaml", config)
    accuracy = {"cohort": ["a"], "scheme": "kfold", "model": "ridge", "modalities": "t1+dwi", "n": 40, "mae": 5.0}
    write_tsv(tmp_path / "out/aggregate/accuracy.tsv", pd.DataFrame(accuracy | {"mae_ci_low": 4.0, "mae_ci_high": 6.0}))
    rows = [
        {"scope": "one_vs_rest", "modalities": m, "atom": atom, "bits": bits}
        for m in ("t1", "dwi")
        for atom, bits in (("total", 1.0), ("alone", 0.5), ("added", -0.001))
    ]
    pid = pd.DataFrame(rows).assign(cohort="a", model="ridge", estimator="log_score", measure="mmi")
    write_tsv(tmp_path / "out/aggregate/pid.tsv", pid.assign(ci_low=np.nan, ci_high=np.nan))
    every = {"scope": "all", "modalities": "t1+dwi", "atom": "total", "bits": 1.25}
    truth = {"decomposition": {"mmi": [every, *(row | {"bits": row["bits"] + 0.25} for row in rows)]}}
    (tmp_path / "data").mkdir()
    (tmp_path / "data/truth.json").write_text(json.dumps(truth))
    assert main(["summary", str(tmp_path / "c.yaml")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Accuracy: Ridge misses the age of held-out people by 5.0 years [4.0, 6.0]")
    assert "tell 1.00 bits, truth 1.25 of age; t1 alone 0.50 bits, truth 0.75 and beyond the others 0.00 bits" in said
    assert said.endswith(f"tables in {tmp_path}/out/aggregate.")


def test_a_run_that_is_not_finished_is_named(tmp_path, capsys):
    table = {"kind": "table", "path": "x.tsv"}
    cohorts = {"a": {"participants": "p.tsv", "sources": {"t1": table, "dwi": table}}}
    config = {"output_dir": str(tmp_path / "out"), "modalities": ["t1", "dwi"], "cohorts": cohorts, "models": ["ridge"]}
    write_config(tmp_path / "c.yaml", config)
    assert main(["summary", str(tmp_path / "c.yaml")]) == 2
    assert "accuracy.tsv" in capsys.readouterr().err
