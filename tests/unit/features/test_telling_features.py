"""A feature that is the target, or a code of the site, is told; one that merely depends on age is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.features.telling_features import telling_features

N = 200


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 80, N)
    return pd.DataFrame({"cohort": np.repeat(["a", "b"], N // 2), "site": np.repeat(["s", "t"], N // 2), "age": age})


def found(people, target="age", given=True, **features):
    clean = {"volume": people["age"] + np.random.default_rng(1).normal(0, 6, len(people))}
    findings = telling_features(people, "t1", pd.DataFrame(clean | features), target, given)
    return {one.finding: (one.severity, [who.partition(" (")[0] for who in one.who]) for one in findings}


def test_nothing_is_found_in_what_depends_on_age(people):
    assert found(people) == {}


def test_the_target_and_functions_of_it(people):
    age = people["age"]
    noisy = age + np.random.default_rng(2).normal(0, 1, N)
    assert found(people, x=age.round()) == {"target_among_features": ("error", ["x"])}
    assert found(people, x=np.exp(-age / 9), y=1000 - 365 * age, z=noisy) == {
        "function_of_target": ("error", ["x", "y", "z"])
    }


def test_a_copy_in_one_cohort_alone_is_found_where_it_is_not_known_elsewhere_or_noise(people):
    half = people["age"].where(people["cohort"] == "b", np.random.default_rng(3).uniform(20, 80, N))
    assert found(people, x=half) == {"target_among_features": ("error", ["x"])}


def test_of_few_people_nothing_is_told(people):
    few = people.iloc[:9].reset_index(drop=True)
    assert found(few, x=few["age"]) == {}


@pytest.mark.parametrize("name", ["brain_age", "AgeAtScan", "DOB", "age2"])
def test_what_is_called_after_age_and_goes_with_it(people, name):
    rng = np.random.default_rng(4)
    linked, not_linked = people["age"] + rng.normal(0, 10, N), rng.normal(size=N)
    assert found(people, **{name: linked}) == {"called_after_target": ("warning", [name])}
    assert found(people, **{name: not_linked}) == {}
    assert found(people, given=False, **{name: linked}) == {}


@pytest.mark.parametrize("name", ["average", "image_mean", "percentage", "cortical_thickness"])
def test_names_that_hold_the_letters_are_not_called_after_age(people, name):
    assert found(people, **{name: people["age"] + np.random.default_rng(4).normal(0, 10, N)}) == {}


def test_codes_of_sites_and_row_numbers(people):
    code = people["site"].map({"s": 1.5, "t": 3.0})
    assert found(people, x=code) == {"code_of_site": ("warning", ["x"])}
    numbers = np.random.default_rng(5).permutation(N) + 1.0
    assert found(people, x=numbers) == {"row_number": ("warning", ["x"])}
    volumes = np.random.default_rng(5).integers(1000, 90000, N).astype(float)
    assert found(people, x=volumes) == {}
