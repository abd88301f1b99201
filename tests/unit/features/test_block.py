"""Parts of a modality are joined by label, or refused."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import InputError
from brainpid.features.block import FeatureBlock, join_people


def block(people: tuple[str, ...], values: list[list[float]], names: tuple[str, ...] = ("x", "y")) -> FeatureBlock:
    status = tuple("SUCCESS" if row and np.isfinite(row).any() else "FAIL" for row in values)
    reason = tuple("" if state == "SUCCESS" else "broken" for state in status)
    table = np.array(values, dtype=float).reshape(len(people), len(names))
    return FeatureBlock("t1", people, names, ("mm^3",) * len(names), table, status, reason)


def test_parts_are_joined_in_the_order_of_the_people():
    parts = [block(("c", "a"), [[5, 6], [1, 2]]), block(("d",), [[]], ()), block(("b",), [[3, 4]])]
    joined = join_people(parts, ["a", "b", "c", "d"])
    np.testing.assert_array_equal(joined.values, [[1, 2], [3, 4], [5, 6], [np.nan, np.nan]])
    assert joined.status == ("SUCCESS", "SUCCESS", "SUCCESS", "FAIL")
    assert joined.reason == ("", "", "", "broken")
    assert joined.units == ("mm^3", "mm^3")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([block(("a",), [[1, 2]])], "parts and participants differ, for example b"),
        ([block(("a", "b"), [[1, 2], [3, 4]]), block(("a",), [[1, 2]])], "parts and participants differ"),
        ([block(("a",), [[1, 2]]), block(("b",), [[1, 2]], ("x", "z"))], "must have the same features"),
        ([block(("a", "b"), [[], []], ())], "nobody of 2 participants has it: broken"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(InputError, match=message):
        join_people(parts, ["a", "b"])
