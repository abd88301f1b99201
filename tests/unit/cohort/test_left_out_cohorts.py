"""Leaving one cohort out: one way of doing it, and no relative of a tested person in the training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.groups import group_codes
from brainpid.cohort.participants import SUCCESS
from brainpid.cohort.splits import make_splits
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError
from brainpid.features.training_sets import refuse_untrainable

N = 24


def people() -> pd.DataFrame:
    """Three cohorts of eight people with both modalities."""
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(N)],
            "cohort": np.repeat(["a", "b", "c"], 8),
            "site": "s",
            "age": np.linspace(20, 80, N),
            "included": True,
            "t1_status": SUCCESS,
            "dwi_status": SUCCESS,
        }
    )


def settings(**splits: object) -> SplitSettings:
    chosen = Splits(scheme="leave_one_cohort_out", group="family", **splits)
    return SplitSettings(
        cohorts=("a", "b", "c"),
        modalities=("t1", "dwi"),
        target=Target(),
        incomplete="use",
        train_on=None,
        splits=chosen,
    )


def test_who_shares_a_group_with_a_tested_person_is_not_trained_on(caplog):
    caplog.set_level("INFO", logger="brainpid")
    families = pd.Series([f"own {k}" for k in range(N)], dtype=object)
    families[[0, 8, 9]] = "012"  # one of a, two of b
    families[[10, 16]] = "12"  # one of b, one of c
    families[[1, 17]] = None  # nobody's family
    table = make_splits(people(), families, settings())
    left_out = {
        fold: sorted(set(people()["participant_id"]) - set(rows["participant_id"]))
        for fold, rows in table.groupby("fold")
    }
    assert left_out == {0: ["sub-8", "sub-9"], 1: ["sub-0", "sub-16"], 2: ["sub-10"]}
    named = table.merge(people().assign(family=families.fillna(people()["participant_id"])))
    for _, rows in named.groupby("fold"):
        sides = {role: set(own["family"]) for role, own in rows.groupby("role")}
        assert not sides["train"] & sides["test"]
    assert (table[table["role"] == "test"]["participant_id"].value_counts() == 1).all()
    assert table[table["role"] == "test"]["participant_id"].nunique() == N
    assert "fold 0: 2 people of other cohorts share a group (family) with people of 'a'" in caplog.text


def test_nobody_is_left_for_training_where_everybody_is_related():
    families = pd.Series(np.tile(np.arange(8), 3))  # the same eight people in three cohorts
    table = make_splits(people(), families, settings())
    assert set(table["role"]) == {"test"}
    with pytest.raises(InputError, match=r"fold 0: 0 training people have every modality .* at least 4\. Use fewer"):
        refuse_untrainable(people(), group_codes(families), table, ["t1", "dwi"], None)


def test_there_is_one_repeat_whatever_the_configuration_says():
    assert Splits(repeats=5).n_repeats == 5
    assert Splits(scheme="leave_one_cohort_out").n_repeats == 1
    one = make_splits(people(), None, settings(repeats=1))
    pd.testing.assert_frame_equal(make_splits(people(), None, settings(repeats=5)), one)
    assert set(one["repeat"]) == {0}
