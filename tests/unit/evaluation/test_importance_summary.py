"""Importances over folds, and how far folds agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.evaluation.importance_summary import SUMMARY_COLUMNS, agreement, summarise


def fold(changes, effects, exact=1.0):
    """Two modalities, a region, a group and three features of one fold."""
    scopes = ["modality", "region", "modality", "group", *["feature"] * 3]
    return pd.DataFrame(
        {
            "modality": ["t1", "t1", "dwi", "dwi", "t1", "t1", "dwi"],
            "scope": scopes,
            "feature": [None, None, None, None, "gm", "wm", "fa"],
            "region": [None, "insula", None, None, "insula", "insula", None],
            "group": [None, None, None, "fa", None, None, "fa"],
            "units": [None] * 4 + ["mm^3", "mm^3", "1"],
            "n": 20,
            "change": [6.0, 5.0, 4.0, 3.0, *changes],
            "importance": [6.0, 5.0, 4.0, 3.0, *changes],
            "importance_sd": 0.1,
            "effect": [np.nan] * 4 + list(effects),
            "exact": [1.0, 1.0, 1.0, 1.0, exact, exact, 1.0],
        }
    )


def test_summary_over_folds():
    folds = [fold([3, 2, 1], [1, -1, 0.5]), fold([3, 1, 2], [3, -1, 0.5], 0.0), fold([6, 1, 2], [-1, -1, 0.5])]
    found = summarise(folds)
    assert list(found) == SUMMARY_COLUMNS
    assert found["scope"].tolist() == ["modality", "modality", "region", "group", *["feature"] * 3]
    assert found["modality"][:2].tolist() == ["t1", "dwi"]
    features = found[found["scope"] == "feature"].set_index("feature")
    assert features.index.tolist() == ["gm", "fa", "wm"]
    assert features.loc["gm", ["change", "rank", "rank_sd", "n_folds", "exact_folds"]].tolist() == [4, 1, 0, 3, 2]
    assert features["exact_folds"].tolist() == [2, 3, 2]
    assert features["group"].fillna("").tolist() == ["", "fa", ""]
    assert features.loc["gm", "effect"] == pytest.approx(1)
    assert features.loc["gm", "sign_agreement"] == pytest.approx(2 / 3)
    assert features.loc["wm", ["rank", "sign_agreement"]].tolist() == [pytest.approx(8 / 3), 1]
    assert summarise([]).empty


def test_a_feature_that_folds_group_otherwise_is_one_row():
    other = fold([3, 1, 2], [1, -1, 0.5])
    other["group"] = other["group"].replace("fa", "md")
    found = summarise([fold([3, 2, 1], [1, -1, 0.5]), other])
    features = found[found["scope"] == "feature"]
    assert features["n_folds"].tolist() == [2, 2, 2]
    assert features["group"].fillna("").tolist() == ["", "", "fa"]
    groups = found[found["scope"] == "group"]
    assert groups["group"].tolist() == ["fa", "md"]
    assert groups["n_folds"].tolist() == [1, 1]
    assert groups["change"].tolist() == [3, 3]


def test_agreement_is_the_mean_rank_correlation_of_features():
    folds = [fold([3, 2, 1], [1, 1, 1]), fold([3, 1, 2], [1, 1, 1]), fold([3, 2, 1], [1, 1, 1])]
    assert agreement(folds) == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert agreement(folds[:1]) is None
    assert agreement([]) is None
    without = [one.assign(importance=np.where(one["feature"] == "wm", np.nan, one["importance"])) for one in folds]
    assert agreement(without) == pytest.approx(1)  # of those that were looked at in every fold
