"""Folds are balanced, stable and leak nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainpid.cohort.participants import SUCCESS, UNAVAILABLE
from brainpid.cohort.splits import deal_folds, group_codes, make_splits
from brainpid.config.analysis import Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock
from brainpid.features.inclusion import plan

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


def block(modality: str, has: np.ndarray) -> FeatureBlock:
    n = len(has)
    return FeatureBlock(
        modality=modality,
        participant_id=tuple(f"sub-{k}" for k in range(n)),
        names=("x",),
        units=("1",),
        values=np.where(has, np.arange(n), np.nan)[:, None],
        status=tuple(SUCCESS if own else UNAVAILABLE for own in has),
        reason=tuple("" if own else "no file" for own in has),
    )


def incomplete_cohort(n: int = 40) -> tuple[pd.DataFrame, dict]:
    """Age is unknown of 0 and 1; 0 and 2 have no modality, 3 has t1 alone, 4 has dwi alone, all others have both."""
    age = np.linspace(20, 80, n)
    age[:2] = np.nan
    sheet = pd.DataFrame({"participant_id": [f"sub-{k}" for k in range(n)], "cohort": "a", "site": "s", "age": age})
    t1, dwi = np.ones((2, n), dtype=bool)
    t1[[0, 2, 4]] = dwi[[0, 2, 3]] = False
    return sheet.assign(sex="F"), {("a", "t1"): block("t1", t1), ("a", "dwi"): block("dwi", dwi)}


@pytest.mark.parametrize(("incomplete", "out"), [("use", [0, 1, 2]), ("exclude", [0, 1, 2, 3, 4])])
def test_who_takes_part_and_why_the_others_do_not(incomplete, out):
    sheet, blocks = incomplete_cohort()
    chosen = settings(("a",), folds=2, repeats=1).model_copy(update={"incomplete": incomplete})
    everybody, splits = plan({"a": sheet}, blocks, chosen)
    assert list(np.flatnonzero(~everybody["included"])) == out
    assert (everybody["reason"] == "").tolist() == everybody["included"].tolist()
    assert everybody["reason"][0] == "no target value; t1 UNAVAILABLE: no file; dwi UNAVAILABLE: no file"
    assert everybody["reason"][1] == "no target value"
    assert everybody["reason"][2] == "t1 UNAVAILABLE: no file; dwi UNAVAILABLE: no file"
    assert everybody["reason"][3] == ("" if incomplete == "use" else "dwi UNAVAILABLE: no file")
    assert splits["participant_id"].nunique() == 40 - len(out)


def test_using_incomplete_people_moves_nobody_who_is_complete():
    sheet, blocks = incomplete_cohort()
    chosen = settings(("a",), folds=4, repeats=3)
    _, used = plan({"a": sheet}, blocks, chosen)
    _, left_out = plan({"a": sheet}, blocks, chosen.model_copy(update={"incomplete": "exclude"}))
    both = used.merge(left_out, on=["participant_id", "cohort", "repeat", "fold"])
    assert len(both) == len(left_out)
    assert (both["role_x"] == both["role_y"]).all()


def test_a_cohort_without_a_modality_is_used_beside_one_that_has_all(caplog):
    sheet, blocks = incomplete_cohort()
    chosen = settings(("a", "b"), folds=2, repeats=1)
    sheets = {"a": sheet, "b": sheet.assign(cohort="b")}
    everybody, _ = plan(sheets, blocks | {("b", "t1"): blocks["a", "t1"]}, chosen)
    assert everybody.loc[everybody["cohort"] == "b", "included"].sum() == 36  # not 0, 1, 2 and not 4, who has dwi alone
    assert "cohort 'b': n = 0 people who take part have every modality" in caplog.text
    with pytest.raises(InputError, match="cohort 'b': nobody takes part"):
        plan(sheets, blocks | {("b", "t1"): blocks["a", "t1"]}, chosen.model_copy(update={"incomplete": "exclude"}))


def test_complete_people_are_needed_in_training():
    sheet, blocks = incomplete_cohort()
    sheets = {"a": sheet, "b": sheet.assign(cohort="b")}
    chosen = settings(("a", "b"), scheme="leave_one_cohort_out", repeats=1)
    with pytest.raises(InputError, match="fold 0: 0 training people have every modality"):
        plan(sheets, blocks | {("b", "t1"): blocks["a", "t1"]}, chosen)


def test_complete_people_are_needed_somewhere():
    sheet, _ = incomplete_cohort()
    even = np.arange(len(sheet)) % 2 == 0
    blocks = {("a", "t1"): block("t1", even), ("a", "dwi"): block("dwi", ~even)}
    with pytest.raises(InputError, match=r"n = 0 people who take part have every modality.*in at least one cohort"):
        plan({"a": sheet}, blocks, settings(("a",), folds=2, repeats=1))
