"""Folds are balanced, stable and leak nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpid.cohort.participants import SUCCESS
from brainpid.cohort.splits import deal_folds, group_codes, make_splits
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError

STRATA = st.lists(st.sampled_from("abcd"), min_size=1, max_size=80)


@given(strata=STRATA, more=STRATA, folds=st.integers(2, 12), repeat=st.integers(0, 3))
def test_people_who_are_added_move_nobody(strata, more, folds, repeat):
    before = deal_folds(strata, folds, repeat, 0)
    after = deal_folds(strata + more, folds, repeat, 0)
    np.testing.assert_array_equal(after[: len(strata)], before)


@given(strata=STRATA, folds=st.integers(2, 12), seed=st.integers(0, 5))
def test_every_stratum_is_spread_evenly(strata, folds, seed):
    dealt = deal_folds(strata, folds, 0, seed)
    for stratum in set(strata):
        counts = np.bincount(dealt[np.array(strata) == stratum], minlength=folds)
        assert counts.max() - counts.min() <= 1


@given(strata=STRATA, folds=st.integers(2, 6), data=st.data())
def test_a_group_stays_together(strata, folds, data):
    groups = data.draw(st.lists(st.integers(0, 5), min_size=len(strata), max_size=len(strata)))
    dealt = deal_folds(strata, folds, 0, 0, groups)
    for group in set(groups):
        assert len(set(dealt[np.array(groups) == group])) == 1


def test_other_seeds_and_repeats_give_other_folds():
    strata = ["a"] * 200
    first = deal_folds(strata, 10, 0, 0)
    assert (deal_folds(strata, 10, 0, 0) == first).all()
    assert (deal_folds(strata, 10, 1, 0) != first).mean() > 0.7
    assert (deal_folds(strata, 10, 0, 1) != first).mean() > 0.7


def people(n: int = 120, cohorts: tuple[str, ...] = ("a", "b")) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(n)],
            "cohort": np.array(cohorts)[np.arange(n) % len(cohorts)],
            "site": "s",
            "age": rng.uniform(20, 80, n),
            "included": rng.random(n) > 0.1,
            "t1_status": SUCCESS,
            "dwi_status": SUCCESS,
        }
    )


def settings(cohorts: tuple[str, ...] = ("a", "b"), **splits: object) -> SplitSettings:
    return SplitSettings(
        cohorts=cohorts, modalities=("t1", "dwi"), target=Target(), incomplete="use", splits=Splits(**splits)
    )


def test_each_included_person_is_tested_once_a_repeat_and_never_on_both_sides():
    everybody = people()
    table = make_splits(everybody, None, settings(folds=5, repeats=3))
    keys = ["cohort", "participant_id", "repeat"]
    assert not table.duplicated([*keys, "fold"]).any()
    tests = table[table["role"] == "test"]
    assert (tests.groupby(keys).size() == 1).all()
    assert len(tests) == 3 * everybody["included"].sum()
    assert set(table["role"]) == {"train", "test"}


def test_an_exclusion_moves_nobody_else():
    everybody = people()
    before = make_splits(everybody, None, settings(folds=5, repeats=2))
    everybody.loc[everybody.index[everybody["included"]][:7], "included"] = False
    after = make_splits(everybody, None, settings(folds=5, repeats=2))
    both = before.merge(after, on=["cohort", "participant_id", "repeat", "fold"])
    assert len(both) == len(after)
    assert (both["role_x"] == both["role_y"]).all()


def test_age_is_balanced_over_folds():
    everybody = people(300, ("a",)).assign(included=True)
    table = make_splits(everybody, None, settings(("a",), folds=10, repeats=5)).merge(everybody)
    means = table[table["role"] == "test"].groupby(["repeat", "fold"])["age"].mean()
    assert means.std() < 0.5 * everybody["age"].std() / np.sqrt(30)  # half of what unstratified folds would show


def test_leave_one_cohort_out_tests_a_whole_cohort():
    table = make_splits(people(), None, settings(scheme="leave_one_cohort_out", repeats=1))
    for fold, cohort in enumerate(("a", "b")):
        assert set(table.loc[(table["fold"] == fold) & (table["role"] == "test"), "cohort"]) == {cohort}
        assert cohort not in set(table.loc[(table["fold"] == fold) & (table["role"] == "train"), "cohort"])


def test_a_fold_with_nobody_is_an_error():
    everybody = people(40, ("a",)).assign(included=True)
    group = pd.Series(["family"] * 40)
    with pytest.raises(InputError, match=r"repeat 0: nobody to test in fold\(s\)"):
        make_splits(everybody, group, settings(("a",), folds=5))


def test_groups_are_numbered_and_a_missing_label_is_a_group_of_its_own():
    codes = group_codes(pd.Series(["x", np.nan, "y", "x", np.nan]))
    assert codes[0] == codes[3]
    assert len(set(codes)) == 4


@given(strata=STRATA.filter(lambda own: len(own) > 1), folds=st.integers(2, 12), data=st.data())
def test_a_corrected_age_moves_who_stands_below_in_the_two_strata_alone(strata, folds, data):
    """Nobody above the person in the table, nobody of another stratum, and within a stratum nobody at all."""
    row = data.draw(st.integers(0, len(strata) - 1))
    corrected = [*strata[:row], data.draw(st.sampled_from("abcd")), *strata[row + 1 :]]
    moved = np.flatnonzero(deal_folds(strata, folds, 0, 0) != deal_folds(corrected, folds, 0, 0))
    assert all(place >= row and corrected[place] in (strata[row], corrected[row]) for place in moved)
    if corrected == strata:
        assert len(moved) == 0
