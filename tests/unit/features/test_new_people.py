"""New people are matched with what the model uses: what it leaves out is ignored, and what it divides by is read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.features.new_people import of_tables


@pytest.fixture
def table(tmp_path):
    """Path of a table of two people."""
    frame = pd.DataFrame(
        {"participant_id": ["1", "2"], "constant": [7, 7], "a": [2.0, 6], "b": [1.0, 2], "icv": [2.0, 3]}
    )
    frame.to_csv(tmp_path / "t1.tsv", sep="\t", index=False)
    return tmp_path / "t1.tsv"


def test_features_that_were_left_out_are_ignored(table):
    new = of_tables({"t1": table}, {"t1": ["b", "a"]}, {})
    assert new.tables["t1"].columns.tolist() == ["b", "a"]
    np.testing.assert_array_equal(new.tables["t1"], [[1, 2], [2, 6]])


def test_a_divisor_that_was_left_out_still_divides(table):
    """Head size that is the same in everybody is no feature, and the others were divided by it all the same."""
    way = {"t1": {"by": "icv", "except": ["b"]}}
    new = of_tables({"t1": table}, {"t1": ["a", "b"]}, way)
    assert new.tables["t1"].columns.tolist() == ["a", "b"]
    np.testing.assert_array_equal(new.tables["t1"], [[1, 1], [2, 2]])
    kept = of_tables({"t1": table}, {"t1": ["a", "b", "icv"]}, way)
    np.testing.assert_array_equal(kept.tables["t1"], [[1, 1, 2], [2, 2, 3]])
    with pytest.raises(InputError, match="divided its features in different ways"):
        of_tables({"t1": table}, {"t1": ["a", "b"]}, {"t1": {}})
