"""The phantom's truth follows from its weights, its people show it, and its faults are where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.phantom.people import DRIVERS, SHARED, covariance, draw_people, participants_table, truth


def test_the_covariance_is_that_of_the_weights():
    cov, dims = covariance()
    assert np.diag(cov) == pytest.approx(1)
    assert dims == {"t1": 1, "dwi": 1, "fmri": 1}
    t1 = DRIVERS["t1"]
    scale = np.sqrt(t1.shared**2 + t1.own**2 + t1.noise**2)
    assert cov[0, 1] == pytest.approx((SHARED * t1.shared + t1.age * t1.own) / scale)


def test_people_show_what_was_planted():
    people = draw_people(20_000, 2, seed=1)
    complete = [person for person in people[3:] if len(person.drivers) == 3]
    table = np.array([[(p.age - 52) / 14, *(p.drivers[m] for m in DRIVERS)] for p in complete])
    assert np.abs(np.corrcoef(table, rowvar=False) - covariance()[0]).max() < 0.03
    motion = np.log([p.motion for p in complete])
    assert 0.4 < np.corrcoef(motion, table[:, 0])[0, 1] < 0.8


def test_the_truth_is_in_the_planted_order():
    information = truth()["information"]
    assert information["dwi"] > information["t1"] > information["fmri"] > 0
    assert information["t1+dwi+fmri"] == pytest.approx(0.648, abs=0.001)


def test_faults_are_planted_on_purpose():
    people = draw_people(30, 2, seed=0)
    assert np.isnan(people[0].age)
    assert people[1].motion == 12
    assert [p.corrupt for p in people].count("") == 29
    assert people[2].corrupt == "dwi"
    assert {p.site for p in people} == {"site-01", "site-02"}
    assert list(participants_table(people)) == ["participant_id", "age", "sex", "site"]
