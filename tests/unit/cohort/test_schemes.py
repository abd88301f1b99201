"""Folds of several schemes: their numbers, those that are shared, and who is trained on where sites are left out."""

from __future__ import annotations

import pandas as pd
import pytest

from brainpid.cohort.schemes import divisions, explained, of_scheme, sites_of
from brainpid.cohort.splits import make_splits
from brainpid.config.analysis import Explain, Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import SplitSettings
from brainpid.core.errors import InputError

SITES = {"a": ["s0", "s1"], "b": ["t"], "c": ["s1", "u"]}


def people(**sites: list[str]) -> pd.DataFrame:
    rows = [(cohort, site) for cohort, own in sites.items() for site in own]
    table = pd.DataFrame(rows, columns=["cohort", "site"])
    table["participant_id"] = [f"sub-{k}" for k in range(len(table))]
    return table.assign(age=50.0, included=True)


def splits_of(table: pd.DataFrame, groups: list[str] | None = None, **splits: object) -> pd.DataFrame:
    chosen = Splits(group=None if groups is None else "family", **splits)
    cohorts = tuple(dict.fromkeys(table["cohort"]))
    settings = SplitSettings(
        cohorts=cohorts,
        modalities=("t1", "dwi"),
        target=Target().values(),
        incomplete="use",
        train_on=None,
        splits=chosen,
    )
    return make_splits(table, None if groups is None else pd.Series(groups, dtype=object), settings)


def sides(table: pd.DataFrame, fold: int, role: str) -> set[str]:
    return set(table.loc[(table["fold"] == fold) & (table["role"] == role), "participant_id"])


def test_a_further_scheme_takes_the_repeats_that_follow_and_moves_no_fold_of_the_first():
    chosen = Splits(scheme=["kfold", "leave_one_site_out"], folds=3, repeats=2)
    first, second = divisions(chosen, SITES)
    assert first.places == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert (second.names, second.places) == (("s0", "s1", "t", "u"), [(2, 0), (2, 1), (2, 2), (2, 3)])
    assert explained([first, second], Explain(repeats=5, folds=1)) == [(0, 0), (1, 0)]


def test_a_cohort_that_is_one_site_is_left_out_by_one_training():
    both = divisions(Splits(scheme=["leave_one_cohort_out", "leave_one_site_out"]), SITES)
    assert both[1].shared == {2: (0, 1)}  # t is all of b
    assert both[1].places == [(1, 0), (1, 1), (1, 3)]
    other = divisions(Splits(scheme=["leave_one_site_out", "leave_one_cohort_out"]), SITES)
    assert other[1].shared == {1: (0, 2)}
    common = divisions(Splits(scheme=["leave_one_cohort_out", "leave_one_site_out"]), {"a": ["s"], "b": ["s", "t"]})
    assert common[1].shared == {}  # cohort b has people of s as well, whom leaving out cohort a keeps


def test_one_site_cannot_be_left_out():
    with pytest.raises(InputError, match=r"at least 2 sites, found 1 \(a\); name the column"):
        divisions(Splits(scheme="leave_one_site_out"), {"a": ["a"]})


def test_a_site_is_left_out_wherever_it_is_and_relatives_with_it():
    table = people(a=["s0"] * 3 + ["s1"] * 3, b=["s1"] * 2 + ["t"] * 2)
    found = splits_of(table, scheme="leave_one_site_out")
    assert sides(found, 1, "test") == {f"sub-{k}" for k in (3, 4, 5, 6, 7)}
    assert sides(found, 1, "train") == {f"sub-{k}" for k in (0, 1, 2, 8, 9)}
    assert set(found["scheme"]) == {"leave_one_site_out"}
    families = [f"own {k}" for k in range(10)]
    families[0] = families[9] = "joint"
    related = splits_of(table, families, scheme="leave_one_site_out")
    assert sides(related, 0, "train") == {f"sub-{k}" for k in range(3, 9)}


def test_people_without_a_site_train_nobody_who_may_be_of_their_site():
    table = people(a=["s0"] * 2 + ["s1"] * 2 + ["a"] * 2, b=["t"] * 2)
    found = splits_of(table, scheme="leave_one_site_out")
    assert sites_of(table)["a"] == ["s0", "s1", "a"]
    assert sides(found, 0, "train") == {"sub-2", "sub-3", "sub-6", "sub-7"}  # not the two without a site
    assert sides(found, 2, "test") == {"sub-4", "sub-5"}
    assert sides(found, 2, "train") == {"sub-6", "sub-7"}  # nobody of their cohort
    assert sides(found, 3, "train") == {f"sub-{k}" for k in range(6)}  # another cohort's


def test_schemes_together_are_what_each_is_alone():
    table = people(a=["s0"] * 8 + ["s1"] * 8, b=["t"] * 8)
    names = ["kfold", "leave_one_cohort_out", "leave_one_site_out"]
    together = splits_of(table, scheme=names, folds=2, repeats=2)
    assert set(together["scheme"]) == {*names[:2], "leave_one_site_out", "leave_one_cohort_out+leave_one_site_out"}
    assert len(together[["repeat", "fold"]].drop_duplicates()) == 4 + 2 + 2
    order = ["repeat", "fold", "role", "cohort", "participant_id"]
    for name in names:
        alone = splits_of(table, scheme=name, folds=2, repeats=2).drop(columns="scheme", errors="ignore")
        own = of_scheme(together, name)
        if name == "leave_one_site_out":  # the fold that is shared has the other scheme's number
            own["fold"] = alone["fold"].to_numpy() if len(own) == len(alone) else own["fold"]
            assert sorted(map(tuple, own[["role", "participant_id"]].to_numpy())) == sorted(
                map(tuple, alone[["role", "participant_id"]].to_numpy())
            )
        else:
            pd.testing.assert_frame_equal(
                own[order].sort_values(order).reset_index(drop=True),
                alone[order].sort_values(order).reset_index(drop=True),
            )
    assert "scheme" not in splits_of(table, folds=2, repeats=2)


def test_a_site_of_which_nobody_takes_part_tests_nobody_and_ends_nothing(caplog):
    table = people(a=["s0"] * 2 + ["s1"] * 2 + ["s2"] * 2)
    table.loc[2:3, "included"] = False
    found = splits_of(table, scheme="leave_one_site_out")
    assert sides(found, 1, "test") == set()
    assert sides(found, 1, "train") == {"sub-0", "sub-1", "sub-4", "sub-5"}
    assert "nobody of site s1 takes part" in caplog.text
