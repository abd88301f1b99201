"""Sites whose effects are hardly told are said before a run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from brainpid.cohort.harmonisable import doubts_of_harmonisation
from brainpid.config.harmonise import Harmonise

USED = Harmonise(method="location")


def people(**ages: object) -> pd.DataFrame:
    """People of sites by their ages, all of whom take part."""
    rows = [pd.DataFrame({"site": site, "age": np.asarray(own, dtype=float)}) for site, own in ages.items()]
    return pd.concat(rows, ignore_index=True).assign(included=True)


def test_overlapping_sites_of_many_people_are_no_doubt_and_without_a_method_nothing_is():
    fine = people(a=np.linspace(20, 60, 30), b=np.linspace(30, 70, 30))
    assert doubts_of_harmonisation(fine, USED, "years") == []
    poor = people(a=np.linspace(20, 30, 5), b=np.linspace(60, 70, 5))
    assert doubts_of_harmonisation(poor, Harmonise(), "years") == []


def test_few_people_ages_apart_and_a_single_site_are_said():
    poor = people(a=np.linspace(20, 60, 30), b=np.linspace(25, 55, 30), few=[30, 40], old=np.linspace(80, 90, 25))
    few, old = doubts_of_harmonisation(poor, USED, "years")
    assert "1 of 4 sites has fewer than 20 people" in few
    assert "few (2)" in few
    assert "site 'old' (80 to 90 years) has hardly ages that another site has: the course of age" in old
    (alone,) = doubts_of_harmonisation(people(a=np.linspace(20, 60, 30)), USED, "years")
    assert "everybody is of one site (a)" in alone


def test_what_goes_with_the_sites_is_said_where_age_is_not_preserved():
    apart = people(a=[20, 20] * 10, b=[60, 60] * 10)
    assert (
        "100% of the variance of age is between sites"
        in doubts_of_harmonisation(apart, Harmonise(method="location", preserve="none"), "years")[-1]
    )
