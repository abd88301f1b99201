"""Folds are balanced, stable and leak nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpid.cohort.participants import SUCCESS
from brainpid.cohort.splits import deal_folds, deal_groups, make_splits
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
def test_a_group_stays_together_and_no_fold_is_larger_than_a_group_makes_it(strata, folds, data):
    groups = data.draw(st.lists(st.integers(0, 5), min_size=len(strata), max_size=len(strata)))
    dealt = deal_groups(strata, groups, folds, 0, 0)
    for group in set(groups):
        assert len(set(dealt[np.array(groups) == group])) == 1
    counts = np.bincount(dealt, minlength=folds)
    assert counts.max() - counts.min() <= np.bincount(groups).max()
    assert (counts > 0).sum() == min(folds, len(set(groups)))


def test_a_few_large_sites_fill_all_folds_and_repeats_differ():
    sizes = [4, 7, 9, 12, 12, 13, 14, 15, 16, 16, 18, 20, 20, 21, 22, 24, 25, 28, 30, 31, 33, 40, 59]
    sites = np.repeat(np.arange(23), sizes)
    dealt = [deal_groups(sites.tolist(), sites.tolist(), 10, repeat, 0) for repeat in range(5)]
    for folds in dealt:
        counts = np.bincount(folds, minlength=10)
        assert counts.sum() == 489
        assert counts.min() >= 30
        assert counts.max() <= 70
    together = [frozenset(frozenset(sites[folds == k].tolist()) for k in range(10)) for folds in dealt]
    assert len(set(together)) == 5


def test_families_are_spread_over_strata():
    """Pairs of siblings in four strata: every fold has about as many of each."""
    strata, groups = np.repeat(np.arange(200) % 4, 2), np.repeat(np.arange(200), 2)
    dealt = deal_groups(strata.tolist(), groups.tolist(), 10, 0, 0)
    counts = np.array([np.bincount(dealt[strata == stratum], minlength=10) for stratum in range(4)])
    assert (counts.sum(axis=0) == 40).all()
    assert counts.min() >= 8
    assert counts.max() <= 12


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
        cohorts=cohorts,
        modalities=("t1", "dwi"),
        target=Target(),
        incomplete="use",
        train_on=None,
        splits=Splits(**splits),
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


def test_fewer_groups_than_folds_are_said():
    everybody = people(40, ("a",)).assign(included=True)
    sites = pd.Series(["x", "y", "z", "y"] * 10)
    with pytest.raises(InputError, match=r"3 group\(s\) of 'site', which is too few for 5 folds.* splits.folds: 3 or"):
        make_splits(everybody, sites, settings(("a",), folds=5, group="site"))
    table = make_splits(everybody, sites, settings(("a",), folds=3, repeats=2, group="site")).merge(
        everybody.assign(place=sites)[["participant_id", "place"]]
    )
    for _, rows in table.groupby(["repeat", "fold"]):
        assert len(set(rows.loc[rows["role"] == "test", "place"])) == 1
        assert not set(rows.loc[rows["role"] == "test", "place"]) & set(rows.loc[rows["role"] == "train", "place"])


def test_a_group_without_anybody_who_takes_part_takes_no_fold():
    everybody = people(40, ("a",)).assign(included=True)
    sites = pd.Series(["x", "y", "z", "w"] * 10)
    everybody.loc[sites == "w", "included"] = False
    table = make_splits(everybody, sites, settings(("a",), folds=3, group="site"))
    assert set(table.loc[table["role"] == "test", "fold"]) == {0, 1, 2}


def test_a_group_that_makes_folds_unequal_and_people_without_one_are_said(caplog):
    everybody = people(40, ("a",)).assign(included=True)
    sites = pd.Series(["big"] * 30 + ["b", "c", "d", "e", "f", "g", "h", "i", None, None])
    make_splits(everybody, sites, settings(("a",), folds=5, group="site"))
    assert "the largest group of 'site' ('big') has 30 of 40 people" in caplog.text
    assert "2 people have no 'site' and are groups of their own" in caplog.text


@given(strata=STRATA.filter(lambda own: len(own) > 1), folds=st.integers(2, 12), data=st.data())
def test_a_corrected_age_moves_who_stands_below_in_the_two_strata_alone(strata, folds, data):
    """Nobody above the person in the table, nobody of another stratum, and within a stratum nobody at all."""
    row = data.draw(st.integers(0, len(strata) - 1))
    corrected = [*strata[:row], data.draw(st.sampled_from("abcd")), *strata[row + 1 :]]
    moved = np.flatnonzero(deal_folds(strata, folds, 0, 0) != deal_folds(corrected, folds, 0, 0))
    assert all(place >= row and corrected[place] in (strata[row], corrected[row]) for place in moved)
    if corrected == strata:
        assert len(moved) == 0
