"""Features that tell nothing are left out, once and for all cohorts together."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.cohort.participants import FAIL, SUCCESS
from brainpid.core.errors import InputError
from brainpid.core.files import write_tsv
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.inclusion import FEATURE_COLUMNS, choose_features
from brainpid.features.matrix import read_chosen

NAN = np.nan


def summary(values, names=("x", "y", "z"), status=None, modality="t1") -> FeatureSummary:
    values = np.array(values, dtype=float)
    n = len(values)
    status = status or (SUCCESS,) * n
    labels = tuple(f"sub-{k}" for k in range(n))
    return FeatureBlock(modality, labels, names, ("mm",) * len(names), values, status, ("",) * n).summary()


def test_a_feature_counts_over_all_cohorts(caplog):
    """x differs between cohorts alone; y is the same everywhere; z has no value in the first cohort."""
    blocks = {
        ("a", "t1"): summary([[1, 5, NAN], [1, 5, NAN]]),
        ("b", "t1"): summary([[2, 5, 1], [2, NAN, 2], [9, 7, 9]], status=(SUCCESS, SUCCESS, FAIL)),
    }
    found = choose_features(blocks, ["t1"])
    assert list(found) == FEATURE_COLUMNS
    assert found["included"].tolist() == [True, False, True]
    assert found["n"].tolist() == [4, 3, 2]
    assert found["reason"].tolist() == ["", "the same value, 5, in all 3 people who have one", ""]
    assert "t1: 1 of 3 features tell nothing and are left out: y (the same value, 5" in caplog.text


def test_a_feature_without_any_value_is_left_out_of_a_cohort_and_of_all(caplog):
    alone = {("a", "t1"): summary([[1, 5, NAN], [2, 6, NAN]])}
    found = choose_features(alone, ["t1"])
    assert found.loc[~found["included"], ["feature", "reason"]].to_numpy().tolist() == [
        ["z", "no value in any of 2 people"]
    ]
    caplog.clear()
    choose_features({("a", "t1"): summary([[1, 5, 3], [2, 6, 4]])}, ["t1"])
    assert caplog.text == ""


def test_a_difference_that_storage_does_not_hold_is_none():
    """Values are stored in single precision: 1 and 1 + 1e-9 are one value in every training."""
    found = choose_features({("a", "t1"): summary([[1, 1, 1], [1 + 1e-9, 2, 3]])}, ["t1"])
    assert found["included"].tolist() == [False, True, True]


def test_what_is_chosen_is_what_is_read(tmp_path):
    blocks = {
        ("a", "t1"): summary([[1, 5, 1], [1, 6, 2]]),
        ("a", "dwi"): summary([[1, 5], [2, 6]], ("1", "NA"), modality="dwi"),
        ("b", "dwi"): summary(np.empty((2, 0)), (), modality="dwi"),  # images that are not extracted yet
    }
    write_tsv(tmp_path / "features.tsv", choose_features(blocks, ["dwi", "t1"]))
    assert read_chosen(tmp_path / "features.tsv", ["t1", "dwi"]) == {"t1": ["y", "z"], "dwi": ["1", "NA"]}
    with pytest.raises(InputError, match="no feature of fmri takes part"):
        read_chosen(tmp_path / "features.tsv", ["t1", "fmri"])


def test_a_modality_that_tells_nothing_and_cohorts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"t1: no feature differs between people: x \(the same value, 1, in all 2"):
        choose_features({("a", "t1"): summary([[1, NAN, 2], [1, NAN, 2]])}, ["t1"])
    with pytest.raises(InputError, match="must have the same features; only in one of them: w, z"):
        choose_features({("a", "t1"): summary([[1, 2, 3]]), ("b", "t1"): summary([[1, 2, 3]], ("x", "y", "w"))}, ["t1"])
