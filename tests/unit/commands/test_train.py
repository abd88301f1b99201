"""What `train` hands to a model and writes of it, with people who lack a modality."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from cohorts import make_tables
from fake_model import MeanOfReadings

from brainpid.cli import main
from brainpid.cohort.participants import FAIL, SUCCESS
from brainpid.core.errors import InputError, NumericalError
from brainpid.core.files import write_tsv
from brainpid.evaluation.predictions import predict_table
from brainpid.features.block import FeatureBlock
from brainpid.features.matrix import read_matrix
from brainpid.features.store import write_features
from brainpid.model.age_bias import AgeBias
from brainpid.model.registry import ModelEntry

PEOPLE = pd.DataFrame(
    {"participant_id": ["sub-0", "sub-1", "sub-2"], "cohort": "a", "site": "s", "age": [30.0, 40, 50]}
)
X = {"t1": np.array([[31.0], [39], [np.nan]]), "dwi": np.array([[33.0], [np.nan], [52]])}


def table(X=X) -> pd.DataFrame:
    model = MeanOfReadings().fit(X, PEOPLE["age"])
    return predict_table(model, X, PEOPLE, AgeBias(0.0, 1.0), coverage=0.8)


def test_everybody_is_described_by_their_own_modalities():
    found = table()
    assert found["modalities"].tolist() == ["t1+dwi", "t1", "dwi"]
    np.testing.assert_allclose(found["predicted_age"], [32, 39, 52])
    np.testing.assert_allclose(found["brain_pad"], [2, -1, 2])
    np.testing.assert_allclose(found["subset_t1"], [31, 39, np.nan])
    np.testing.assert_allclose(found["subset_dwi"], [33, np.nan, 52])
    np.testing.assert_allclose(found["subset_t1+dwi"], [32, np.nan, np.nan])
    np.testing.assert_array_equal(found["latent_dwi"].isna(), [False, True, False])


def test_intervals_are_the_model_s_own():
    np.testing.assert_allclose(table()["pi_high"] - table()["pi_low"], [16, 32, 32])


def test_a_person_without_prediction_is_a_numerical_error():
    nothing = {modality: np.where(np.arange(3)[:, None] == 1, np.nan, block) for modality, block in X.items()}
    with (
        pytest.raises(NumericalError, match="1 of 3 people got no prediction"),
        pytest.warns(RuntimeWarning, match="empty slice"),
    ):
        table(nothing)


def features(cohort: str, modality: str, values: np.ndarray, status: tuple[str, ...]) -> FeatureBlock:
    labels = tuple(f"sub-{k}" for k in range(len(values)))
    reason = tuple("" if state == SUCCESS else "no head size" for state in status)
    return FeatureBlock(modality, labels, ("x", "icv"), ("1", "mm^3"), values, status, reason)


BOTH = {"t1": ["x", "icv"], "dwi": ["x", "icv"]}


def test_a_missing_modality_is_a_row_of_nan(tmp_path):
    """Also where something else stands in the row, and where the cohort has no source for the modality at all."""
    values = np.array([[1.0, 10], [2, 20]])
    ok, failed = (SUCCESS, SUCCESS), (SUCCESS, FAIL)
    write_features(tmp_path / "a.h5", "a", [features("a", "t1", values, failed), features("a", "dwi", values, ok)], {})
    write_features(tmp_path / "b.h5", "b", [features("b", "t1", values + 2, ok)], {})
    people = pd.DataFrame({"cohort": ["b", "a", "a"], "participant_id": ["sub-0", "sub-1", "sub-0"]})
    found = read_matrix([tmp_path / "a.h5", tmp_path / "b.h5"], people, BOTH)
    np.testing.assert_array_equal(found["t1"], [[3, 12], [np.nan, np.nan], [1, 10]])
    np.testing.assert_array_equal(found["dwi"], [[np.nan, np.nan], [2, 20], [1, 10]])
    with pytest.raises(InputError, match="has features of fmri"):
        read_matrix([tmp_path / "a.h5", tmp_path / "b.h5"], people, {"t1": ["x"], "fmri": ["x"]})
    with pytest.raises(InputError, match="t1 has no rows of sub-7"):
        read_matrix([tmp_path / "a.h5"], pd.DataFrame({"cohort": ["a"], "participant_id": ["sub-7"]}), {"t1": ["x"]})
    with pytest.raises(InputError, match="t1 has no feature y"):
        read_matrix([tmp_path / "a.h5"], people[people["cohort"] == "a"], {"t1": ["y", "x"]})
    one = read_matrix([tmp_path / "b.h5"], people.iloc[:1], {"t1": ["icv"]})
    np.testing.assert_array_equal(one["t1"], [[12]])
    assert one["t1"].dtype == float


def test_groups_reach_the_model(tmp_path, monkeypatch):
    """From the cohorts' sheets to `fit`, in the order of the training people; a missing label is a group of its own."""
    seen = {}

    class Spy(MeanOfReadings):
        def fit(self, X, y, groups=None):
            seen.update(groups=groups, n=len(y))
            return super().fit(X, y, groups)

    entry = ModelEntry("fake_model", "MeanOfReadings", "model.joblib", ("numpy",), "Fake")
    monkeypatch.setattr("brainpid.commands.train.MODELS", {"ridge": entry})
    monkeypatch.setattr("fake_model.MeanOfReadings", Spy)
    sheet = make_tables(20)["participants"].assign(cohort="a", family=[None, *np.repeat(list("abcdefghi"), 2), "a"])
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
    settings = json.dumps({"modalities": ["t1", "dwi"], "group": "family"})
    code = main(
        ["train", "--model", "ridge", "--repeat", "0", "--fold", "0", "--participants", f"{tmp_path}/participants.tsv",
         "--splits", f"{tmp_path}/splits.tsv", "--features", f"{tmp_path}/a.h5", "--chosen",
         f"{tmp_path}/features.tsv", "--sheets", f"{tmp_path}/sheet.tsv",
         "--settings", settings, "--out", f"{tmp_path}/out"]
    )  # fmt: skip
    assert code == 0
    families = sheet["family"][role == "train"].reset_index(drop=True)
    assert seen["n"] == len(families) == len(seen["groups"])
    same = families.to_numpy()[:, None] == families.to_numpy()[None]
    own = np.eye(len(families), dtype=bool)
    np.testing.assert_array_equal(seen["groups"][:, None] == seen["groups"][None], same | own)
    assert pd.read_csv(tmp_path / "out/predictions.tsv", sep="\t")["modalities"].eq("t1+dwi").all()
