"""What `train` hands to a model and writes of it, with people who lack a modality."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from cohorts import make_config, make_tables, write_cohort, write_config
from fake_model import MeanOfReadings
from verbs import run_tables

from brainpid.cli import main
from brainpid.cohort.participants import SUCCESS
from brainpid.config.schema import parse_config
from brainpid.config.slices import TrainSettings
from brainpid.core.files import write_tsv
from brainpid.features.block import FeatureBlock
from brainpid.features.store import write_features
from brainpid.model.registry import MODELS, ModelEntry


def test_groups_reach_the_model(tmp_path, monkeypatch):
    """From the cohorts' sheets to `fit`, in the order of the training people; a missing label is a group of its own."""
    seen = {}

    class Spy(MeanOfReadings):
        def fit(self, X, y, groups=None, sites=None):
            seen.update(groups=groups, sites=sites, n=len(y))
            return super().fit(X, y, groups, sites)

    entry = ModelEntry("fake_model", "MeanOfReadings", "model.joblib", ("numpy",), "Fake")
    monkeypatch.setitem(MODELS, "mean", entry)
    monkeypatch.setattr("fake_model.MeanOfReadings", Spy)
    sheet = make_tables(20)["participants"].assign(
        cohort="a", site=["x", "y", "01", "z"] * 5, family=[None, *np.repeat(list("abcdefghi"), 2), "a"]
    )
    age = sheet["age"].to_numpy()
    blocks = [
        FeatureBlock(m, tuple(sheet["participant_id"]), ("x",), ("1",), reading[:, None], (SUCCESS,) * 20, ("",) * 20)
        for m, reading in {"t1": age, "dwi": age + np.random.default_rng(0).normal(0, 5, 20)}.items()
    ]
    write_features(tmp_path / "a.h5", "a", blocks, {})
    chosen = pd.DataFrame({"modality": ["t1", "dwi"], "feature": "x", "included": True})
    write_tsv(tmp_path / "features.tsv", chosen)
    write_tsv(tmp_path / "sheet.tsv", sheet)
    write_tsv(tmp_path / "participants.tsv", sheet[["participant_id", "cohort", "site", "age"]])
    role = np.where(np.arange(20) % 4 == 3, "test", "train")
    write_tsv(tmp_path / "splits.tsv", sheet[["participant_id", "cohort"]].assign(repeat=0, fold=0, role=role))
    config = make_config(tmp_path, ["a"], tmp_path, splits={"group": "family"})
    settings = TrainSettings.of(parse_config(config, "test"), "mean").model_dump_json()
    code = main(
        ["train", "--model", "mean", "--repeat", "0", "--fold", "0", "--participants", f"{tmp_path}/participants.tsv",
         "--splits", f"{tmp_path}/splits.tsv", "--features", f"{tmp_path}/a.h5", "--chosen",
         f"{tmp_path}/features.tsv", "--sheets", f"{tmp_path}/sheet.tsv",
         "--settings", settings, "--out", f"{tmp_path}/out"]
    )  # fmt: skip
    assert code == 0
    families = sheet["family"][role == "train"].reset_index(drop=True)
    assert seen["n"] == len(families) == len(seen["groups"])
    assert seen["sites"].tolist() == ["x", "y", "01"] * 5
    written = pd.read_csv(tmp_path / "out/predictions.tsv", sep="\t")
    assert written["site_seen"].tolist() == ["no"] * 5  # everybody of site z is tested
    same = families.to_numpy()[:, None] == families.to_numpy()[None]
    own = np.eye(len(families), dtype=bool)
    np.testing.assert_array_equal(seen["groups"][:, None] == seen["groups"][None], same | own)
    assert pd.read_csv(tmp_path / "out/predictions.tsv", sep="\t")["modalities"].eq("t1+dwi").all()


def test_the_published_recipe_is_trained_explained_saved_and_used(tmp_path):
    write_cohort(tmp_path / "a", make_tables(48))
    recipe = {"recipe": "paper", "members": 3, "epochs": 2, "hidden": [4], "latent_dim": 2, "head": []}
    more = {"models": ["pidreg"], "splits": {"folds": 2, "repeats": 1}, "null": {"permutations": 9}}
    more |= {"hyperparameters": {"pidreg": recipe}, "explain": {"permutations": 1}}
    out = run_tables(write_config(tmp_path / "c.yaml", make_config(tmp_path, ["a"], tmp_path / "out", **more)))
    fold = out / "folds/pidreg/repeat-0_fold-0"
    chosen = json.loads((fold / "provenance.json").read_text())["chosen"]
    assert (chosen["recipe"], chosen["expert_weights"]) == ("paper", {"network": 1, "head": 0})
    assert (fold / "importance.tsv").is_file()
    pairs = [f"{m}={tmp_path}/a/{m}.tsv" for m in ("t1", "dwi")]
    new = f"{tmp_path}/new.tsv"
    assert main(["predict", "--model", f"{out}/final/pidreg", "--tables", *pairs, "--out", new]) == 0
    assert pd.read_csv(new, sep="\t")["predicted_age"].notna().all()
