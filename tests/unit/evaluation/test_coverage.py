"""Coverage of intervals that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.evaluation.coverage import coverage_table


def known() -> pd.DataFrame:
    """One of two repeats covers in cohort a, both in b; the band is a twelfth of the target's range."""
    people = pd.DataFrame(
        {
            "participant_id": ["1", "2", "3", "4"], "cohort": list("aabb"), "site": "s", "modalities": "t1+dwi",
            "age": [21.0, 35, 22, 38], "predicted_age": [31.0, 32, 33, 34], "model": "ridge",
        }
    )  # fmt: skip
    first, second = (people.assign(repeat=repeat) for repeat in (0, 1))
    return pd.concat([first.assign(pi_low=20, pi_high=40), second.assign(pi_low=[50, 50, 20, 20], pi_high=60)])


def test_coverage_of_known_intervals():
    found = coverage_table(known(), (0, 120), 0.9).set_index("group")
    assert found["n"].to_dict() == {"everybody": 4, "a": 2, "b": 2, "20 to 30": 2, "30 to 40": 2}
    np.testing.assert_allclose(found["coverage"], [0.75, 0.5, 1, 0.75, 0.75])
    np.testing.assert_allclose(found["mean_width"], [22.5, 15, 30, 22.5, 22.5])
    # Person 1 lies 29 and person 2 lies 15 below the second interval: 10 + 20 times that, and 20 with the first.
    np.testing.assert_allclose(found.loc["a", "interval_score"], ((20 + 10 + 20 * 29) + (20 + 10 + 20 * 15)) / 4)
    # Wilson 1927 for 1 of 2 people: 0.5 -+ 1.96 sqrt(1/8 + 1.96^2/16) / (1 + 1.96^2/2)
    half = 1.96 * np.sqrt(1 / 8 + 1.96**2 / 16) / (1 + 1.96**2 / 2)
    assert (found.loc["a", "ci_low"], found.loc["a", "ci_high"]) == pytest.approx((0.5 - half, 0.5 + half))


def test_people_are_grouped_by_what_they_have_where_they_were_seen_and_what_is_predicted():
    people = pd.DataFrame(
        {"participant_id": [f"p{k}" for k in range(60)], "cohort": "a", "model": "ridge", "age": 35.0}
    )
    people = people.assign(
        site=["big"] * 30 + ["small"] * 10 + ["other"] * 20, modalities=["t1"] * 15 + ["t1+dwi"] * 45,
        predicted_age=[25.0] * 20 + [45.0] * 40, pi_low=[0.0] * 50 + [36.0] * 10, pi_high=100.0,
    )  # fmt: skip
    found = coverage_table(people, (0, 120), 0.9).set_index(["kind", "group"])["coverage"]
    assert set(found.loc["site"].index) == {"big", "other"}
    assert found["site", "other"] == 0.5
    assert found["modalities", "t1"] == 1
    assert found["predicted band", "40 to 50"] == 0.75
    assert "band" not in found.index.get_level_values(0)  # all are in one
