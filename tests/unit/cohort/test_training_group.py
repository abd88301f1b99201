"""Folds of a study that trains on a part of its people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.splits import make_splits
from brainpid.cohort.training_group import (
    OTHER,
    TEST,
    TRAIN,
    TRAINED,
    in_training_group,
    training_group,
    training_in_words,
)
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError


def people(controls: int = 40, patients: int = 20) -> pd.DataFrame:
    """Controls and patients of two cohorts with two sites each; every third row is a patient, and some lack all."""
    n = controls + patients
    rng = np.random.default_rng(0)
    trained = np.arange(n) % 3 != 2
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(n)],
            "cohort": np.where(np.arange(n) < n // 2, "a", "b"),
            "site": [f"s{k % 2}" for k in range(n)],
            "age": rng.uniform(20, 80, n),
            "included": np.arange(n) % 11 != 5,
            TRAINED: trained,
        }
    )


def settings(**splits: object) -> SplitSettings:
    return SplitSettings(
        cohorts=("a", "b"), modalities=("t1", "dwi"), target=Target(), incomplete="use",
        train_on={"diagnosis": ("control",)}, splits=Splits(**splits),
    )  # fmt: skip


def test_controls_are_dealt_as_if_nobody_else_were_there():
    everybody = people()
    both = make_splits(everybody, None, settings(folds=4, repeats=2))
    alone = make_splits(
        everybody[everybody[TRAINED]].drop(columns=TRAINED).reset_index(drop=True), None, settings(folds=4, repeats=2)
    )
    pd.testing.assert_frame_equal(both[both["role"] != OTHER].reset_index(drop=True), alone)
    others = both[both["role"] == OTHER]
    expected = everybody[~everybody[TRAINED] & everybody["included"]]
    assert set(others["participant_id"]) == set(expected["participant_id"])
    assert (others.groupby(["repeat", "participant_id"]).size() == 1).all()


def test_others_are_predicted_by_a_model_that_has_not_seen_their_relatives():
    everybody = people()
    families = pd.Series([f"f{k // 2}" for k in range(len(everybody))])
    found = make_splits(everybody, families, settings(folds=4, repeats=2, group="family"))
    family = dict(zip(everybody["participant_id"], families, strict=True))
    for _, fold in found.assign(family=found["participant_id"].map(family)).groupby(["repeat", "fold"]):
        held = set(fold.loc[fold["role"] != TRAIN, "family"])
        assert not held & set(fold.loc[fold["role"] == TRAIN, "family"])
    others = found[found["role"] == OTHER]
    assert (others.groupby(["repeat", "participant_id"]).size() == 1).all()
    assert others["participant_id"].nunique() == (everybody["included"] & ~everybody[TRAINED]).sum()


@pytest.mark.parametrize("scheme", ["leave_one_cohort_out", "leave_one_site_out"])
def test_others_of_a_cohort_or_site_are_predicted_where_it_is_left_out(scheme):
    everybody = people()
    everybody.loc[everybody["cohort"] == "b", TRAINED] = False
    everybody.loc[everybody["cohort"] == "b", "site"] = "b0"
    found = make_splits(everybody, None, settings(scheme=scheme))
    column = "cohort" if scheme == "leave_one_cohort_out" else "site"
    told = found.merge(everybody[["participant_id", "site"]])
    for _, fold in told.groupby("fold"):
        held = fold[fold["role"] != TRAIN]
        assert len(set(held[column])) == 1
        assert not set(fold.loc[fold["role"] == TRAIN, column]) & set(held[column])
    of_b = told[(told["cohort"] == "b")]
    assert of_b["role"].unique().tolist() == [OTHER]  # nobody of it is tested or trained on
    assert set(told.loc[told["cohort"] == "a", "role"]) == {TEST, TRAIN, OTHER}


def test_too_few_are_trained_on():
    with pytest.raises(InputError, match="37 people take part and are trained on, which is too few for 30 folds"):
        make_splits(people(), None, settings(folds=30))


def test_who_is_of_the_group():
    sheets = {"a": pd.DataFrame({"diagnosis": ["1", "0", None]}), "b": pd.DataFrame({"diagnosis": ["2", "1"]})}
    found = in_training_group(sheets, {"diagnosis": ("1", "2")})
    assert {cohort: own.tolist() for cohort, own in found.items()} == {"a": [True, False, False], "b": [True, True]}
    with pytest.raises(InputError, match="nobody has diagnosis 3; expected values of that column, which has 0, 1, 2"):
        in_training_group(sheets, {"diagnosis": ("1", "3")})
    with pytest.raises(InputError, match="diagnosis"):
        in_training_group(sheets | {"c": pd.DataFrame({"x": ["1"]})}, {"diagnosis": ("1",)})


def test_rows_of_the_group():
    table = pd.DataFrame({"x": [1, 2]})
    assert training_group(table) is table
    assert training_group(table.assign(**{TRAINED: [False, True]})).to_dict("list") == {"x": [2]}


def test_words_on_who_is_trained_on():
    table = pd.DataFrame({"age": [20.0, 30, 40, 50], "included": True, TRAINED: [True, True, False, False]})
    given = {"diagnosis": ("control",)}
    assert training_in_words(table, None, "years") == []
    first, second = training_in_words(table, given, "years")
    assert first == (
        "2 people are trained on (diagnosis: control), aged 20 to 30 years; 2 others are predicted and never trained on"
    )
    assert second.startswith("warning: 2 of the 2 others are of ages that nobody who is trained on has")
    (only,) = training_in_words(table.assign(**{TRAINED: True}), given, "years")
    assert only == (
        "warning: everybody who takes part is of the training group (diagnosis: control): train_on has no effect"
    )
