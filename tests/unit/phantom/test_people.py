"""The phantom's truth follows from its weights, its people show it, and its faults are where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.phantom.people import DRIVERS, SHARED, covariance, draw_people, participants_table, truth


def test_the_covariance_is_that_of_the_weights():
    cov, dims = covariance()
    assert np.diag(cov) == pytest.approx(1)
    assert dims == {"t1": 1, "dwi": 1, "fmri": 1}
    t1, dwi = DRIVERS["t1"], DRIVERS["dwi"]
    scale, other = (np.sqrt(driver.shared**2 + driver.own**2 + driver.noise**2) for driver in (t1, dwi))
    assert cov[0, 1] == pytest.approx((SHARED * t1.shared + t1.age * t1.own) / scale)
    assert cov[1, 2] == pytest.approx(t1.shared * dwi.shared / scale / other)
    assert cov[3, :3] == pytest.approx(0)


def test_people_show_what_was_planted():
    people = draw_people(20_000, 2, seed=1)
    complete = [person for person in people[3:] if len(person.drivers) == 3]
    assert len(complete) / len(people) == pytest.approx(0.98**3, abs=0.005)
    table = np.array([[(p.age - 52) / 14, *(p.drivers[m] for m in DRIVERS)] for p in complete])
    assert np.abs(np.corrcoef(table, rowvar=False) - covariance()[0]).max() < 0.03
    # Motion leaves its trace in the BOLD images, and would tell of age what the truth does not know of.
    motion = np.log([p.motion for p in complete])
    assert np.abs(np.corrcoef(motion, table.T)[0, 1:]).max() < 0.03


def test_the_truth_is_in_the_planted_order():
    information = truth()["information"]
    assert information["dwi"] > 2 * information["t1"] > 0.6
    cov = covariance()[0]
    assert information["t1"] == pytest.approx(-0.5 * np.log2(1 - cov[0, 1] ** 2))
    assert information["t1+dwi+fmri"] == pytest.approx(1.091, abs=0.001)


def test_fmri_tells_nothing_and_the_others_add_what_the_subsets_say():
    rows = {
        (row["modalities"], row["atom"]): row["bits"]
        for row in truth()["decomposition"]["mmi"]
        if row["scope"] == "one_vs_rest"
    }
    information = truth()["information"]
    assert [rows["fmri", "added"], information["fmri"]] == pytest.approx([0, 0], abs=1e-9)
    assert rows["dwi", "alone"] == pytest.approx(information["dwi"])
    assert rows["t1", "added"] == pytest.approx(information["t1+dwi"] - information["dwi"])
    assert rows["dwi", "added"] == pytest.approx(0.767, abs=0.001)


def test_faults_are_planted_on_purpose():
    people = draw_people(30, 2, seed=0)
    assert np.isnan(people[0].age)
    assert people[1].motion == 12
    assert [p.corrupt for p in people].count("") == 29
    assert people[2].corrupt == "dwi"
    assert {p.site for p in people} == {"site-01", "site-02"}
    assert list(participants_table(people)) == ["participant_id", "age", "sex", "site"]
