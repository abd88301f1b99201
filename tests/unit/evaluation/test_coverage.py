"""Coverage of intervals that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.evaluation.coverage import coverage_table


def test_coverage_of_known_intervals():
    """One of two repeats covers in cohort a, both in b; the band is a twelfth of the target's range."""
    people = pd.DataFrame({"participant_id": ["1", "2", "3", "4"], "cohort": list("aabb"), "age": [21.0, 35, 22, 38]})
    first, second = (people.assign(repeat=repeat) for repeat in (0, 1))
    rows = pd.concat([first.assign(pi_low=20, pi_high=40), second.assign(pi_low=[50, 50, 20, 20], pi_high=60)])
    found = coverage_table(rows, (0, 120)).set_index("group")
    assert found["n"].to_dict() == {"everybody": 4, "a": 2, "b": 2, "20 to 30": 2, "30 to 40": 2}
    np.testing.assert_allclose(found["coverage"], [0.75, 0.5, 1, 0.75, 0.75])
    np.testing.assert_allclose(found["mean_width"], [22.5, 15, 30, 22.5, 22.5])
    # Wilson 1927 for 1 of 2 people: 0.5 -+ 1.96 sqrt(1/8 + 1.96^2/16) / (1 + 1.96^2/2)
    half = 1.96 * np.sqrt(1 / 8 + 1.96**2 / 16) / (1 + 1.96**2 / 2)
    assert (found.loc["a", "ci_low"], found.loc["a", "ci_high"]) == pytest.approx((0.5 - half, 0.5 + half))
