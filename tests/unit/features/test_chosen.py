"""Features that tell nothing, or that a cohort lacks, are left out, for all cohorts together."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.cohort.participants import FAIL, SUCCESS
from brainpid.core.errors import InputError
from brainpid.core.files import write_tsv
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.chosen import FEATURE_COLUMNS, choose_features, without_chosen
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
    with pytest.raises(InputError, match=r"1 of the 3 of cohort 'a' are in all. .* lacking in a: v, w; b: y, z"):
        choose_features({("a", "t1"): summary([[1, 2, 3]]), ("b", "t1"): summary([[1, 2, 3]], ("x", "v", "w"))}, ["t1"])


def test_features_that_a_cohort_lacks_are_left_out_of_all(caplog):
    """Columns may come in another order; what is left out has the number of its people, and no unit is compared."""
    blocks = {
        ("a", "t1"): summary([[1, 2, 3, 4], [5, 6, 7, 8]], ("x", "y", "z", "v")),
        ("b", "t1"): summary([[30, 10, 20], [31, 11, 21], [32, 12, 22]], ("z", "x", "w")),
        ("c", "t1"): summary([[1, 2, 3]], ("w", "x", "z")),
    }
    found = choose_features(blocks, ["t1"])
    told = found[["feature", "n", "included", "reason"]].to_numpy().tolist()
    assert sorted(told) == [
        ["v", 2, False, "only in cohort a"],
        ["w", 4, False, "only in cohort b, c"],
        ["x", 6, True, ""],
        ["y", 2, False, "only in cohort a"],
        ["z", 6, True, ""],
    ]
    assert [row[0] for row in told if row[0] in "xyzv"] == ["x", "y", "z", "v"]
    assert "t1: 3 of 5 features are not in all cohorts and are left out; lacking in a: w; b, c: y, v" in caplog.text


def test_a_person_with_nothing_but_what_another_cohort_lacks_fails():
    values = np.array([[1, 2, 3], [4, 5, 6], [NAN, NAN, 9]])
    labels = tuple(f"sub-{k}" for k in range(3))
    own = FeatureBlock("t1", labels, ("x", "y", "z"), ("mm",) * 3, values, (SUCCESS,) * 3, ("",) * 3)
    blocks = {("b", "t1"): summary([[1, 2], [2, 3]], ("y", "x")), ("a", "t1"): own.summary()}
    found = without_chosen(blocks, choose_features(blocks, ["t1"]), lambda cohort, modality: own)
    assert found["a", "t1"].status == (SUCCESS, SUCCESS, FAIL)
    assert found["b", "t1"].status == (SUCCESS, SUCCESS)


def test_who_has_values_of_left_out_features_alone_fails_alone():
    """y is the same in everybody; sub-2 has nothing but y. Values are asked for only where somebody may be so."""
    asked = []

    def values_of(cohort, modality):
        asked.append((cohort, modality))
        return FeatureBlock(modality, labels, ("x", "y"), ("mm",) * 2, values, (SUCCESS,) * 4, ("",) * 4)

    labels, values = tuple(f"sub-{k}" for k in range(4)), np.array([[1, 5], [2, 5], [NAN, 5], [3, 5]])
    blocks = {("a", "t1"): values_of("a", "t1").summary(), ("b", "t1"): summary([[1, 5], [2, 5]], ("x", "y"))}
    asked.clear()
    found = without_chosen(blocks, choose_features(blocks, ["t1"]), values_of)
    assert asked == [("a", "t1")]
    assert found["a", "t1"].status == (SUCCESS, SUCCESS, FAIL, SUCCESS)
    assert found["a", "t1"].reason[2] == "no value of any of the 1 features of t1 that differ between people"
    assert found["b", "t1"] is blocks["b", "t1"]
