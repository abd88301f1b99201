"""Codes for no value are found; skewed, rounded, counted and clipped measurements are left in peace."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.codes import find_codes, warn_of_codes

RNG = np.random.default_rng(0)
THICKNESS = RNG.normal(2.5, 0.15, (300, 6)).round(3)


@pytest.mark.parametrize("value", [-9999.0, 999.0, -9.0, 0.0, -1.0, 99.0, 77.0, 1e6])
def test_a_far_value_that_repeats_is_found_with_column_count_and_first_person(value):
    spoilt = THICKNESS.copy()
    spoilt[[40, 7, 99], 2] = value
    assert find_codes(spoilt) == [(2, value, 3, 7)]


def test_two_codes_beside_each_other_are_both_found():
    spoilt = THICKNESS.copy()
    spoilt[[1, 2], 0], spoilt[[3, 4], 0] = -9, -8
    assert find_codes(spoilt) == [(0, -9.0, 2, 1), (0, -8.0, 2, 3)]


def test_a_usual_code_is_found_where_it_stands_once_in_each_of_several_columns():
    spoilt = THICKNESS.copy()
    spoilt[5, 1], spoilt[6, 3] = -9, -9
    assert find_codes(spoilt) == [(1, -9.0, 1, 5), (3, -9.0, 1, 6)]
    spoilt[5, 1], spoilt[6, 3] = 12.5, 12.5  # two outliers that happen to be the same number
    assert find_codes(spoilt) == []


def test_a_row_of_zeros_is_found_where_zero_is_an_ordinary_value():
    values = RNG.normal(size=(50, 4)).round(3)
    assert find_codes(values) == []
    values[[9, 3]] = 0
    assert find_codes(values) == [(column, 0.0, 2, 3) for column in range(4)]


@pytest.mark.parametrize(
    "values",
    [
        THICKNESS,
        RNG.lognormal(0, 1.5, (2000, 3)).round(1),
        RNG.geometric(0.2, (2000, 3)).astype(float),
        RNG.poisson(0.05, (2000, 3)).astype(float),
        np.clip(RNG.normal(size=(2000, 3)), -1, 1),
        np.where(RNG.random((500, 3)) < 0.3, 0.0, RNG.lognormal(5, 1, (500, 3))),
        np.full((10, 2), np.nan),
        np.empty((0, 3)),
        np.empty((4, 0)),
    ],
)
def test_measurements_are_left_in_peace(values):
    assert find_codes(values) == []


@pytest.mark.parametrize("n", [1, 2])
def test_few_people_who_are_predicted(n):
    values = THICKNESS[:n].copy()
    assert find_codes(values) == []
    values[0, [1, 4]] = -9999
    assert find_codes(values) == [(1, -9999.0, 1, 0), (4, -9999.0, 1, 0)]
    values[0] = 0
    assert [code.value for code in find_codes(values)] == [0.0] * 6


def test_the_log_names_column_count_and_first_person(caplog):
    spoilt = THICKNESS.copy()
    spoilt[[7, 40], 2], spoilt[[8, 9], 3] = -9999, -9999
    names, labels = [f"f{k}" for k in range(6)], [f"sub-{k}" for k in range(300)]
    notes = warn_of_codes(spoilt, names, labels, "t1.tsv")
    assert notes == {"f2": "-9999 in 2 people, first sub-7", "f3": "-9999 in 2 people, first sub-8"}
    assert caplog.messages == [
        "t1.tsv: column 'f2' (and in 1 more columns): -9999 stands in 2 of 300 people, first sub-7, far from all other "
        "values; if it stands for no value, write n/a"
    ]
