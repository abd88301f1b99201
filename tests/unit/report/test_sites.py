"""Errors of sites are told with what they can be compared by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from report_tables import predictions

from brainpid.report.sites import people_of_sites, site_table


def test_a_shift_of_one_site_stands_in_its_mean():
    first, second = site_table(predictions(shift={"s1": 5.0}))
    assert (first["site"], first["n"], second["site"], second["n"]) == ("a s0", 100, "a s1", 100)
    assert second["signed"] - first["signed"] == pytest.approx(5.0)


def test_sites_of_other_ages_do_not_differ_by_regression_to_the_mean():
    age = np.r_[np.linspace(20, 40, 30), np.linspace(60, 80, 30)]
    table = pd.DataFrame({"age": age, "predicted_age": 50 + 0.5 * (age - 50), "site": ["x"] * 30 + ["y"] * 30,
                          "cohort": "x", "participant_id": [f"p{k}" for k in range(60)]})  # fmt: skip
    told = site_table(table)
    assert [row["site"] for row in told] == ["x", "x y"]
    assert [row["signed"] for row in told] == pytest.approx([0, 0])
    assert [row["mae"] for row in told] == pytest.approx([10, 10])


def test_repeats_are_averaged_and_small_sites_left_out():
    own = predictions(n=25)
    twice = pd.concat(
        [own.assign(predicted_age=own["predicted_age"] - 1), own.assign(predicted_age=own["predicted_age"] + 1)]
    )
    assert len(people_of_sites(twice)) == 50
    assert site_table(twice)[0]["mae"] == pytest.approx(site_table(own)[0]["mae"])
    assert site_table(own[(own["site"] == "s0") | (own.groupby("site").cumcount() < 19)]) == []
    assert site_table(own.assign(site=None)) == []
