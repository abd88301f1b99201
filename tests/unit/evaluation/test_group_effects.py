"""Group effects on brain-PAD: held size without an effect, a planted effect recovered, whatever the ages are."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.stats import binom

from brainpid.evaluation.group_effects import FEWEST, group_effect


def study(seed: int, effect: float = 0.0, n: int = 80, older: float = 0.0, spread: float = 1.0, slope: float = 0.6):
    """PAD of predictions that regress to the mean and bend; patients `older`, and wider by `spread`, at two sites."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % 4 == 0
    age = random.uniform(25, 75, n) + older * group * random.uniform(0, 1, n)
    site = (np.arange(n) // 4) % 2
    error = random.normal(size=n) * 4 * np.where(group, spread, 1.0)
    predicted = 50 + slope * (age + effect * group - 50) - 0.004 * (age - 50) ** 2 + error + 2 * site
    return predicted - age, group, age, site, random.integers(0, 2, n), (predicted - 50) / slope + 50 - age


def test_without_an_effect_one_in_twenty_is_significant_though_patients_are_older_and_vary_more():
    tests = 240
    found = [
        group_effect(*study(seed, older=15, spread=1.6)[:5], confidence=0.95, seed=seed, permutations=199)
        for seed in range(tests)
    ]
    low, high = binom.interval(0.999, tests, 0.05)
    assert low <= sum(one.p_value <= 0.05 for one in found) <= high
    plain = np.mean([one.unadjusted for one in found])
    assert plain < -2  # what regression to the mean alone brings


@pytest.mark.parametrize("older", [0, 15])
def test_three_planted_years_are_recovered_by_the_corrected_and_three_slopes_by_the_uncorrected(older):
    inside, differences, smaller, ds = 0, [], [], []
    for seed in range(120):
        pad, group, age, site, sex, corrected = study(seed, effect=3.0, older=older, n=160)
        own = group_effect(corrected, group, age, site, sex, confidence=0.9, seed=seed, permutations=0)
        other = group_effect(pad, group, age, site, sex, confidence=0.9, seed=seed, permutations=0)
        inside += own.ci_low <= 3 <= own.ci_high
        differences.append(own.difference)
        smaller.append(other.difference)
        ds.append(own.cohens_d - other.cohens_d)
    assert binom.ppf(0.001, 120, 0.9) <= inside <= binom.ppf(0.999, 120, 0.9)
    assert abs(np.mean(differences) - 3) < 4 * np.std(differences) / np.sqrt(120)
    assert abs(np.mean(smaller) - 1.8) < 4 * np.std(smaller) / np.sqrt(120)
    assert np.abs(ds).max() < 1e-9


def test_a_strong_effect_is_found_and_d_is_in_standard_deviations():
    pad, group, age, site, sex, _ = study(1, effect=10, n=400)
    found = group_effect(pad, group, age, site, sex, confidence=0.95, seed=0, permutations=199)
    assert found.p_value == 1 / 200
    assert abs(found.difference - 6) < 1.5
    assert abs(found.cohens_d - 1.5) < 0.4


def test_sites_of_one_group_and_ages_of_one_group_are_left_out():
    pad, group, age, site, sex, _ = study(2, n=200)
    site = np.where(np.arange(200) < 20, 2, site)  # which will have controls alone
    keep = ~((site == 2) & group)
    age = np.where(group, np.clip(age, 40, 60), age)
    given = [one[keep] for one in (pad, group, age, site, sex)]
    found = group_effect(*given, confidence=0.95, seed=0, permutations=9)
    compared = (given[3] != 2) & (given[2] >= 40) & (given[2] <= 60)
    assert (found.n, found.n_reference) == ((compared & given[1]).sum(), (compared & ~given[1]).sum())
    assert found.left_out == (~compared).sum()
    assert found.age == pytest.approx(given[2][compared & given[1]].mean())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda group, site: (group, group.astype(int)), f"0 of the group and 0 .* expected at least {FEWEST} of each"),
        (lambda group, site: (np.arange(len(group)) < 5, site * 0), "expected at least 10 of each"),
        (lambda group, site: (np.zeros(len(group), bool), site), "0 of the group"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(change, words):
    pad, group, age, site, sex, _ = study(3)
    group, site = change(group, site)
    found = group_effect(pad, group, age, site, sex, confidence=0.95, seed=0)
    assert np.isnan(found.difference)
    assert re.search(words, found.reason)


def test_visits_of_a_person_are_one():
    """Everybody copied three times tells no more than once."""
    given = study(4, effect=2, n=120)[:5]
    once = group_effect(*given, confidence=0.95, seed=0, permutations=99)
    thrice = group_effect(
        *(np.tile(one, 3) for one in given),
        confidence=0.95,
        seed=0,
        permutations=99,
        clusters=np.tile(np.arange(120), 3),
    )
    assert thrice.n == 3 * once.n
    assert thrice.difference == pytest.approx(once.difference, rel=0.05)
    assert thrice.ci_high - thrice.ci_low == pytest.approx(once.ci_high - once.ci_low, rel=0.05)


def test_reasons_count_who_belongs_together_once_and_effects_beside_few_people():
    values, group, age, _, sex, _ = study(0, n=48)
    one_site = np.zeros(48, dtype=int)
    visits = group_effect(values, group, age, one_site, sex, confidence=0.95, seed=0, clusters=np.arange(48) // 8)
    assert visits.reason.startswith(
        "6 of the group and 6 of the reference are of ages and sites that both have, those "
    )
    assert visits.reason.endswith("who belong together counted once; expected at least 10 of each")
    pairs = np.arange(22) // 2  # of one age, each at a site of their own
    few = group_effect(values[:22], np.arange(22) % 2 == 0, 30.0 + pairs, pairs, sex[:22], confidence=0.95, seed=0)
    assert few.reason.startswith("11 of the group and 11 of the reference are too few beside ")
    assert "effects of age, sex and site; expected at least " in few.reason
