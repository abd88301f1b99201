"""Columns of one matrix belong to modalities: positions, slices and names say which, and what cannot be is refused."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.model.matrix import positions_of


@pytest.mark.parametrize(
    ("columns", "places"),
    [
        (slice(0, 2), (0, 1)),
        (slice(1, None, 2), (1, 3)),
        ([2, 0], (2, 0)),
        (np.array([1, 3]), (1, 3)),
        (range(3), (0, 1, 2)),
        (2, (2,)),
        ("c", (2,)),
        (["d", "a"], (3, 0)),
        ([-3], (1,)),
    ],
)
def test_columns_are_given_by_position_slice_or_name(columns, places):
    assert positions_of({"t1": columns, "dwi": -1 if 3 not in places else 2}, 4, list("abcd"))["t1"] == places


@pytest.mark.parametrize(
    ("modalities", "message"),
    [
        ([slice(0, 2)], "modalities: expected a mapping of modality to columns, found a list"),
        ({"t1": slice(0, 2), "dwi": slice(9, None)}, r"'dwi': no column among the 4 feature\(s\)"),
        ({"t1": [0, 1], "dwi": [1, 2]}, "each column once, in one modality; given twice: b"),
        ({"t1": [0, 0], "dwi": [1]}, "given twice: a"),
        ({"t1": [0], "dwi": [4]}, "'dwi': there is no column 4 in a matrix of 4 features"),
        ({"t1": [0], "dwi": [-5]}, "no column -5"),
        ({"t1": [0], "dwi": ["dd"]}, "no one column 'dd' in the features; did you mean 'd'"),
        ({"t1": [0], "dwi": [True]}, "expected a position or a name of a column, found True"),
        ({"t1": [0], "dwi": [1.0]}, r"expected a position or a name of a column, found 1\.0"),
        ({"t1": [0], "dwi": None}, "expected positions, a slice or names of columns, found None"),
        ({"t1": [0], "dwi": slice("a", "b")}, "expected a slice of whole numbers"),
    ],
)
def test_columns_that_cannot_be_are_refused(modalities, message):
    with pytest.raises(InputError, match=message):
        positions_of(modalities, 4, list("abcd"))


def test_names_are_those_of_a_data_frame_and_occur_once():
    with pytest.raises(InputError, match="column 'a' is a name, but the features are no DataFrame; give positions"):
        positions_of({"t1": "a", "dwi": 1}, 4, None)
    with pytest.raises(InputError, match="no one column 'a' in the features; it is there 2 times"):
        positions_of({"t1": "a", "dwi": 1}, 3, ["a", "b", "a"])
