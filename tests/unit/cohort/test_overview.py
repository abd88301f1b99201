"""Who the people are, and ages that a site or a cohort tells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.cohort.overview import doubts_of_people, people_of_sites


def people(**sites: list[float]) -> pd.DataFrame:
    """Sites of one cohort with these ages; all women but the first of each site."""
    rows = [("a", site, age, "M" if k == 0 else "F") for site, ages in sites.items() for k, age in enumerate(ages)]
    table = pd.DataFrame(rows, columns=["cohort", "site", "age", "sex"])
    return table.assign(included=table["age"].notna())


def test_people_of_a_site_are_counted_and_described():
    table = people(one=[20.0, 30, 40], two=[50.0, np.nan])
    table.loc[4, "sex"] = np.nan
    first, second = people_of_sites(table).to_dict("records")
    assert first == {
        "cohort": "a", "site": "one", "n": 3, "taking_part": 3, "age_low": 20.0, "age_high": 40.0, "age_mean": 30.0,
        "age_sd": 10.0, "sexes": "2 F, 1 M",
    }  # fmt: skip
    assert (second["n"], second["taking_part"], second["age_high"], second["sexes"]) == (2, 1, 50.0, "1 M, 1 n/a")
    assert np.isnan(second["age_sd"])


def test_a_site_without_an_age_has_none():
    assert np.isnan(people_of_sites(people(one=[np.nan, np.nan]))["age_mean"][0])


@pytest.mark.parametrize(
    ("sites", "told"),
    [
        ({"young": [*range(20, 30)], "old": [*range(60, 70)]}, True),
        ({"one": [*range(20, 70, 5)], "two": [*range(22, 72, 5)]}, False),
        ({"one": [*range(20, 70, 5)]}, False),
        ({str(k): [20.0 + k, 20 + k] for k in range(10)}, False),  # so small that they differ by chance
    ],
)
def test_ages_that_a_site_tells_are_said(sites, told):
    said = doubts_of_people(people(**sites), "years", "kfold")
    assert bool(said) == told
    if told:
        assert said[0].startswith("cohort 'a': site tells 98% of the variance of age ('young' 20 to 29, 'old' 60 to 69")


def test_cohorts_of_other_ages_are_said_and_those_beyond_all_others_where_they_are_left_out():
    table = people(x=[*range(20, 30)], y=[*range(60, 70)], z=[*range(20, 70, 5)])
    table["cohort"], table["site"] = table["site"], "s"
    assert doubts_of_people(table, "years", "kfold") == []
    left = doubts_of_people(table, "years", "leave_one_cohort_out")
    assert [sentence.split(":")[0] for sentence in left] == ["cohort 'y'"]
    assert "4 of 10 people are of ages that no other cohort has (20 to 65 years)" in left[0]
    two = doubts_of_people(table[table["cohort"] != "z"], "years", "kfold")
    assert two[0].startswith("cohort tells 98% of the variance of age")


def test_a_cohort_of_nearly_one_age_is_said():
    table = people(x=[70.0, 71, 72], y=[20.0, 50, 80])
    table["cohort"], table["site"] = table["site"], "s"
    assert any(
        "cohort 'x': ages hardly differ, 70 to 72 years" in one for one in doubts_of_people(table, "years", "kfold")
    )
