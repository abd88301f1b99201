"""`brainpid split`: who and which features take part, from names, statuses and ranges alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import make_tables

from brainpid.cli import main
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.files import read_own_tsv, write_tsv
from brainpid.features.block import FeatureBlock
from brainpid.features.hdf5 import Reader
from brainpid.features.store import write_features


@pytest.fixture
def split(tmp_path, monkeypatch):
    """Split two cohorts of 30 people whose families are given; the tables that are written, by name."""

    def run(families: dict[str, list[str]], **splits):
        for seed, (cohort, labels) in enumerate(families.items()):
            tables = make_tables(30, seed)
            people = tables["participants"]
            sheet = pd.DataFrame({"participant_id": people["participant_id"], "cohort": cohort, "site": "s",
                                  "age": people["age"], "sex": "F", "family": labels})  # fmt: skip
            write_tsv(tmp_path / f"{cohort}.tsv", sheet)
            blocks = []
            for modality in ("t1", "dwi"):
                values = tables[modality].iloc[:, 1:].to_numpy(copy=True)
                values[:, 0] = 7 if modality == "t1" else np.nan
                names, n = tuple(tables[modality].columns[1:]), len(values)
                ids = tuple(people["participant_id"])
                blocks.append(
                    FeatureBlock(modality, ids, names, ("1",) * len(names), values, ("SUCCESS",) * n, ("",) * n)
                )
            write_features(tmp_path / f"{cohort}.h5", cohort, blocks, {})
        settings = SplitSettings(
            cohorts=tuple(families), modalities=("t1", "dwi"), target=Target(), incomplete="use", train_on=None,
            splits=Splits(group="family", **splits),
        )  # fmt: skip
        monkeypatch.delattr(Reader, "array")  # the values themselves are not needed
        out = {name: tmp_path / f"out_{name}.tsv" for name in ("participants", "splits", "features")}
        options = [f"--out-{name}={path}" for name, path in out.items()]
        code = main(
            ["split", "--participants", *(str(tmp_path / f"{cohort}.tsv") for cohort in families), "--features",
             *(str(tmp_path / f"{cohort}.h5") for cohort in families), "--settings",
             settings.model_dump_json(), *options]
        )  # fmt: skip
        assert code == 0
        return {name: read_own_tsv(path) for name, path in out.items()}

    return run


def test_families_that_look_like_numbers_are_told_apart(split):
    """Family 12 of one cohort is neither 012 nor 12.0 of the other; only family 7 is in both."""
    own = [f"{k:03d}" for k in range(30)]
    other = [f"{k}.0" for k in range(30)]
    other[3] = "007"
    found = split({"a": own, "b": other}, scheme="leave_one_cohort_out")["splits"]
    trained = found[found["role"] == "train"]
    assert trained.groupby("fold")["cohort"].value_counts().to_dict() == {(0, "b"): 29, (1, "a"): 29}
    assert "sub-003" not in set(trained.loc[trained["fold"] == 0, "participant_id"])
    assert "sub-007" not in set(trained.loc[trained["fold"] == 1, "participant_id"])
    assert set(found["repeat"]) == {0}


def test_people_of_one_family_share_a_fold(split):
    labels = [f"0{k // 2}" if k % 4 < 2 else f"{k // 2}" for k in range(30)]
    found = split({"a": labels, "b": labels}, folds=3, repeats=2)["splits"]
    tests = found[found["role"] == "test"].copy()
    tests["family"] = [labels[int(label.removeprefix("sub-"))] for label in tests["participant_id"]]
    assert len(tests[["repeat", "family", "fold"]].drop_duplicates()) == len(
        tests[["repeat", "family"]].drop_duplicates()
    )


def test_features_that_tell_nothing_are_written_down(split):
    own = [str(k) for k in range(30)]
    found = split({"a": own, "b": own}, folds=2, repeats=1)["features"]
    assert len(found) == 9
    left_out = found[~found["included"]]
    assert left_out["feature"].tolist() == ["t1_0", "dwi_0"]
    assert left_out["reason"].tolist() == [
        "the same value, 7, in all 60 people who have one",
        "no value in any of 60 people",
    ]
    assert left_out["n"].tolist() == [60, 0]
