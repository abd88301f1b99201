"""Targets: one cell is one person's matter, what goes through the column is the table's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.targets import read_targets
from brainpid.config.cohorts import Target
from brainpid.config.section import parse_section
from brainpid.core.errors import InputError

AGES = [str(age) for age in range(30, 54)]


def read(cells, **changes):
    labels = [f"sub-{row}" for row in range(len(cells))]
    target = parse_section(Target, changes, "target")
    return read_targets(pd.Series(cells, dtype=object), target, labels, list(range(2, len(cells) + 2)), "a.tsv")


@pytest.mark.parametrize("cell", ["89+", ">89", "NULL", "unknown", "-9", "999", "inf", "1e400", "034Y", "25,5"])
def test_one_cell_that_is_no_target_is_unknown(cell):
    values, reasons = read([*AGES, cell, None])
    np.testing.assert_array_equal(values, [*map(float, AGES), np.nan, np.nan])
    assert reasons[:-2] == [""] * 24
    assert reasons[-2].startswith(f"'{cell}' ")
    assert reasons[-1] == ""  # nothing stands there


def test_what_a_cell_stands_for():
    values, reasons = read([*AGES, "89+", "-9.0"], replace={"89+": 89, -9: None})
    assert values[-2] == 89
    assert np.isnan(values[-1])
    assert not any(reasons)
    with pytest.raises(InputError, match=r"'89\+' stands for 890, outside of range"):
        read(AGES, replace={"89+": 890})


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([str(12 * int(age)) for age in AGES], "are these months? give years"),
        (["60", "72", "100", "110", *["90"] * 20, "130", "140", "150", "180"], "are these months? give years"),
        ([str(365 * int(age)) for age in AGES], "are these days? give years"),
        (["1950", "1961", "1972", "1983"], "are these years of birth? give ages"),
        ([f"{age},5" for age in AGES], "write decimals with a point"),
        ([*AGES, "25,5", "26,5", "27,1"], "write decimals with a point"),
        ([f"0{age}Y" for age in AGES], "24 of 24 cells are no such number"),
        ([*AGES[:10], *["NULL"] * 11], "found 'NULL' in line 12 (sub-10); 11 of 21 cells"),
        ([None, None], "no value at all"),
    ],
)
def test_what_goes_through_the_column_stops(cells, message):
    with pytest.raises(InputError) as error:
        read(cells)
    assert message in str(error.value)
