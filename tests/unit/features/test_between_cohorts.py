"""A feature is one quantity in every cohort, or it is said."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.cohort.participants import SUCCESS
from brainpid.core.errors import InputError
from brainpid.features.between_cohorts import refuse_other_divisions, warn_of_target
from brainpid.features.block import FeatureBlock, FeatureSummary
from brainpid.features.chosen import choose_features

N = 20
NAMES = ("left", "right", "thick")


def summary(values, units=("n/a",) * 3) -> FeatureSummary:
    values = np.asarray(values, dtype=float)
    labels, n = tuple(f"sub-{k}" for k in range(len(values))), len(values)
    return FeatureBlock("t1", labels, NAMES, units, values, (SUCCESS,) * n, ("",) * n).summary()


def volumes(seed: int, scale: float = 1.0) -> np.ndarray:
    """Two volumes near 9000 and a thickness near 2.8."""
    values = np.random.default_rng(seed).normal([9000.0, 8000, 2.8], [500.0, 500, 0.1], size=(N, 3))
    return values * [scale, scale, 1]


def choose(first, second, divided=None):
    return choose_features({("a", "t1"): first, ("b", "t1"): second}, ["t1"], divided)


def test_known_units_that_differ_are_refused_with_the_way_out():
    one = summary(volumes(0), ("mm^3", "mm^3", "mm"))
    with pytest.raises(InputError) as fault:
        choose(one, summary(volumes(1, 1e-3), ("cm^3", "mL", "mm")))
    assert "t1: cohorts 'a' and 'b' give 2 of 3 features in different units: left (mm^3 and cm^3)" in str(fault.value)
    found = choose(one, summary(volumes(1), ("mm3", "microlitre", "n/a")))
    assert found["units"].tolist() == ["mm^3", "mm^3", "mm"]
    found = choose(summary(volumes(1)), one)  # what the second cohort knows is said of the feature
    assert found["units"].tolist() == ["mm^3", "mm^3", "mm"]


def test_medians_a_thousandfold_apart_are_flagged_where_nobody_knows_the_unit(caplog):
    choose(summary(volumes(0)), summary(volumes(1, 1e-3)))
    assert "t1: medians of 2 of 3 features are about 10^3 apart between cohorts 'a' and 'b': left (9" in caplog.text


@pytest.mark.parametrize(
    "second",
    [
        volumes(1, 1.3),
        volumes(1, 0.05),  # a region cut otherwise
        np.random.default_rng(1).normal(size=(N, 3)) * 1e-4,  # around zero
    ],
)
def test_smaller_differences_are_not(caplog, second):
    first = np.random.default_rng(0).normal(size=(N, 3)) if abs(second).max() < 1 else volumes(0)
    choose(summary(first), summary(second))
    assert "medians" not in caplog.text


def test_a_single_value_that_stands_for_missing_hides_nothing(caplog):
    first = volumes(0)
    first[3, 0] = -9999
    choose(summary(first), summary(volumes(1, 1e-3)))
    assert "medians of 2 of 3 features" in caplog.text


def test_quartiles_are_those_of_the_people_who_have_a_value():
    values = np.column_stack([np.arange(1.0, 10), [np.nan] * 4 + [1, 2, 3, 4, 5], [np.nan] * 8 + [7]])
    found = summary(values).quartiles
    np.testing.assert_array_equal(found, [[3, 2, 7], [5, 3, 7], [7, 4, 7]])


def test_a_feature_that_is_divided_in_one_cohort_alone_is_refused():
    names = ["thick", "volume", "icv"]
    volumes_alone, everything = {"by": "icv", "except": ["thick"]}, {"by": "icv", "except": []}
    with pytest.raises(InputError, match="t1: thick is divided by icv in cohort 'b' and not in 'a', because units"):
        refuse_other_divisions({"a": volumes_alone, "b": everything}, "t1", names)
    with pytest.raises(InputError, match="thick is divided by icv in cohort 'b' and not in 'a'"):
        refuse_other_divisions({"b": everything, "a": volumes_alone}, "t1", names)
    with pytest.raises(InputError, match="by icv in cohort 'a' and by nothing in 'b'"):
        refuse_other_divisions({"a": everything, "b": {}}, "t1", names)
    refuse_other_divisions({"a": volumes_alone, "b": dict(volumes_alone)}, "t1", names)
    # A feature that a cohort lacks is divided in none.
    refuse_other_divisions({"a": volumes_alone, "b": everything}, "t1", ["volume", "icv"])
    one = summary(volumes(0))
    with pytest.raises(InputError, match="thick is divided by icv in cohort 'b'"):
        choose(one, one, {("a", "t1"): volumes_alone, ("b", "t1"): everything})


def test_a_target_in_another_unit_than_the_configuration_s_is_named(caplog):
    warn_of_target("b", "age", "y", "years")
    warn_of_target("b", "age", "n/a", "years")
    assert caplog.text == ""
    warn_of_target("b", "age", "months", "years")
    assert "cohort 'b': the JSON beside participants gives 'age' in months, and target.units is years" in caplog.text
