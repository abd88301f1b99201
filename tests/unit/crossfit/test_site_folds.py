"""Sites are left out as wholes, and count about alike."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.crossfit.site_folds import deal_sites, person_weights, site_numbers


def sites_of(sizes: list[int]) -> np.ndarray:
    return np.repeat([f"s{k}" for k in range(len(sizes))], sizes).astype(object)


def dealt(sites: np.ndarray) -> np.ndarray | None:
    return deal_sites(sites, np.arange(len(sites), dtype=float), np.ones(len(sites), dtype=bool), seed=0)


def test_a_site_is_in_one_fold_and_the_largest_are_apart():
    sites = sites_of([60, 50, 40, *[5] * 20])
    fold = dealt(sites)
    assert all(len(set(fold[sites == site])) == 1 for site in set(sites))
    assert len(set(fold)) == 8
    assert len({fold[0], fold[60], fold[110]}) == 3


def test_people_without_a_site_are_left_out_together_and_are_no_site():
    sites = sites_of([10, 10, 10])
    sites[::6] = None
    fold = dealt(sites)
    assert len(set(fold)) == 4
    assert len(set(fold[::6])) == 1
    member, named = site_numbers(sites)
    assert named == 3
    assert sorted(np.bincount(member)) == [5, 8, 8, 9]


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([30], ""),
        ([20, 20], "training has 2 sites, from which errors at new sites cannot be learned"),
        ([40, 3, 3], "without the largest sites 6 training people have every modality"),
    ],
)
def test_what_cannot_be_learned_is_said(sizes, said, caplog):
    caplog.set_level("INFO")
    assert dealt(sites_of(sizes)) is None
    assert said in caplog.text if said else not caplog.text


def test_that_few_sites_are_rough_is_said(caplog):
    caplog.set_level("INFO")
    assert dealt(sites_of([10] * 5)) is not None
    assert not caplog.text
    assert dealt(sites_of([10] * 4)) is not None
    assert "training has 4 sites" in caplog.text
    assert "rough with fewer than 5" in caplog.text


def test_one_age_outside_a_site_is_nothing_to_learn_from():
    sites, age = sites_of([20, 20, 20]), np.r_[np.arange(20.0), np.full(40, 30.0)]
    assert deal_sites(sites, age, np.ones(60, dtype=bool), 0) is None


def test_large_sites_count_alike_and_small_ones_less():
    weights = person_weights(np.repeat([0, 1, 2], [990, 90, 10]))
    parts = np.array([weights[:990].sum(), weights[990:1080].sum(), weights[1080:].sum()])
    np.testing.assert_allclose(parts, [0.99, 0.9, 0.5])


def grouped(sites: np.ndarray, group: np.ndarray) -> np.ndarray:
    return deal_sites(sites, np.arange(len(sites), dtype=float), np.ones(len(sites), dtype=bool), 0, group)


def test_sites_that_share_a_family_are_left_out_together():
    sites, group = sites_of([20] * 6), np.arange(120)
    np.testing.assert_array_equal(grouped(sites, group), dealt(sites))
    group[20] = group[0]  # a family at the first two sites, and one at the second and the third
    group[41] = group[21]
    fold = grouped(sites, group)
    assert len(set(fold[:60])) == 1
    assert len(set(fold)) == 4
    for family in np.unique(group):
        assert len(set(fold[group == family])) == 1


def test_sites_that_families_join_all_are_left_out_one_by_one(caplog):
    caplog.set_level("INFO")
    sites, group = sites_of([20] * 4), np.arange(80)
    group[[20, 40]] = group[0]
    np.testing.assert_array_equal(grouped(sites, group), dealt(sites))
    assert "groups join the sites of the training to 2" in caplog.text


def test_people_without_a_site_make_no_part_of_their_own_among_the_fewest():
    sites, group = sites_of([20] * 4), np.arange(80)
    sites[60:70] = None
    group[20] = group[0]
    group[65] = group[64]
    fold = grouped(sites, group)
    assert len(set(fold[:40])) == 1
    assert len(set(fold)) == 4
    group[40] = group[0]
    np.testing.assert_array_equal(grouped(sites, group), dealt(sites))
