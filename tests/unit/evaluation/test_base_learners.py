"""Shares of base learners and what the folds chose."""

from __future__ import annotations

import numpy as np

from brainpid.evaluation.base_learners import COLUMNS, base_learner_table, choices

FOLDS = [
    {"expert_weights": {"Mine": 0.3, "head": 0.1, "kernel": 0.2, "network": 0.4}, "recipe": "compact",
     "feature_transform": "normal_scores", "pilot": {"fall": 0.01, "spread": 0.02}},
    {"expert_weights": {"Mine": 0.12, "boosting": 0.6, "head": 0.12, "network": 0.36}, "recipe": "expressive",
     "feature_transform": "none", "pilot": {"fall": 0.05, "spread": 0.04}},
]  # fmt: skip


def test_shares_are_means_over_all_folds_in_one_order():
    found = base_learner_table("pidreg", FOLDS)
    assert list(found) == COLUMNS
    assert found["base_learner"].tolist() == ["network", "kernel", "boosting", "Mine", "head"]
    np.testing.assert_allclose(found["share"], [0.35, 0.1, 0.25, 0.2, 0.1])
    np.testing.assert_allclose(found["share_min"], [0.3, 0, 0, 0.1, 0.1])
    assert found["folds_fitted"].tolist() == [2, 1, 1, 2, 2]
    assert base_learner_table("ridge", [{"target_transform": "none"}]).empty


def test_choices_are_counted_over_folds():
    found = choices(FOLDS)
    assert found["recipe"] == {"compact": 1, "expressive": 1}
    assert found["feature_transform"] == {"none": 1, "normal_scores": 1}
    np.testing.assert_allclose([found["pilot_fall"], found["pilot_spread"]], [0.03, 0.03])
    assert found["n_folds"] == 2
    assert choices([{"target_transform": "none"}]) == {}
