"""`final --share` writes a model that can be passed on, and new people are predicted with it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from cohorts import make_config, make_tables

from brainpid.cli import main
from brainpid.cohort.participants import SUCCESS
from brainpid.config.schema import parse_config
from brainpid.config.slices import TrainSettings
from brainpid.core.files import write_tsv
from brainpid.features.block import FeatureBlock
from brainpid.features.store import write_features

QUICK = {"members": 2, "epochs": 2, "hidden": [4]}


@pytest.fixture
def final(tmp_path):
    """Train the final model of a small cohort; exit code."""
    tables = make_tables(60)
    sheet = tables["participants"].assign(cohort="a", included=True)
    write_tsv(tmp_path / "participants.tsv", sheet)
    labels, blocks, chosen = tuple(sheet["participant_id"]), [], []
    for m in ("t1", "dwi"):
        values = tables[m].drop(columns="participant_id")
        blocks.append(
            FeatureBlock(
                m, labels, tuple(values), ("1",) * values.shape[1], values.to_numpy(), (SUCCESS,) * 60, ("",) * 60
            )
        )
        chosen += [(m, name, True) for name in values]
        write_tsv(tmp_path / f"{m}.tsv", tables[m])
    write_tsv(tmp_path / "features.tsv", pd.DataFrame(chosen, columns=["modality", "feature", "included"]))
    write_features(tmp_path / "a.h5", "a", blocks, {})

    def run(model: str, *options: str) -> int:
        content = make_config(tmp_path, ["a"], tmp_path / "out", models=[model], hyperparameters={"pidreg": QUICK})
        settings = TrainSettings.of(parse_config(content, "test"), model).model_dump_json()
        return main(
            ["final", "--model", model, "--participants", f"{tmp_path}/participants.tsv", "--features",
             f"{tmp_path}/a.h5", "--chosen", f"{tmp_path}/features.tsv", "--settings", settings,
             "--out", f"{tmp_path}/final", *options]
        )  # fmt: skip

    return run


@pytest.mark.parametrize("share", [False, True])
def test_what_keeps_people_is_there_only_where_it_was_not_to_be_shared(final, tmp_path, share):
    assert final("pidreg", *["--share"] * share) == 0
    content = torch.load(tmp_path / "final/model.pt", weights_only=True)
    assert ("kernel" in content["fitted"]["base_learners"]) is not share
    assert ("out_of_fold_prediction_" in content["kept"]) is not share
    assert json.loads((tmp_path / "final/provenance.json").read_text())["share"] is share
    pairs = [f"{m}={tmp_path}/{m}.tsv" for m in ("t1", "dwi")]
    assert main(["predict", "--model", f"{tmp_path}/final", "--tables", *pairs, "--out", f"{tmp_path}/new.tsv"]) == 0
    found = pd.read_csv(tmp_path / "new.tsv", sep="\t")
    assert np.isfinite(found[["predicted_age", "predicted_age_corrected", "pi_low", "pi_high"]]).all(axis=None)


def test_a_model_that_keeps_people_cannot_be_shared(final, tmp_path, capsys):
    assert final("ridge", "--share") == 2
    assert "--share: the file of 'ridge' keeps training people" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "final").exists()
