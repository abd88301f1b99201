"""What the page says of intervals of people whose site training had not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from report_pages import raw_page
from report_pages import tables as page_tables
from report_tables import NO_NEW_SITES, SETTINGS

from brainpid.report.flags import red_flags
from brainpid.report.new_sites import new_site_sentences, new_sites_in_methods, of_new_sites, unlearned_sentences

PEOPLE = pd.DataFrame(
    {
        "participant_id": ["sub-1", "sub-2", "sub-3", "sub-1"], "cohort": "a",
        "model": ["pidreg", "pidreg", "pidreg", "ridge"], "age": [30.0, 50, 40, 30], "pi_low": [20.0, 30, 35, 29],
        "pi_high": [40.0, 48, 45, 31], "site_seen": ["no", "no", "yes", "no"],
        "pi_width_known_site": [10.0, 9, np.nan, 1],
    }
)  # fmt: skip
SENTENCE = (
    "Intervals of 2 people whose site training had not seen are calibrated on training sites that were left out in "
    "turn: by PIDReg they are 19.0 years wide on average, 2.0 times what they would be at a site of the training, and "
    "50% of them hold"
)
NARROW = (
    "Intervals of 2 people whose site training had not seen are those of its own sites and likely too narrow: training "
    "had fewer than 3 sites, or too few people outside of the largest"
)
UNLEARNED = PEOPLE.assign(pi_width_known_site=np.nan)


def test_how_much_wider_they_are_and_how_many_hold():
    assert new_site_sentences(of_new_sites(PEOPLE), SETTINGS) == [SENTENCE]
    assert unlearned_sentences(of_new_sites(PEOPLE), SETTINGS) == []
    methods = new_sites_in_methods(of_new_sites(PEOPLE), SETTINGS)
    assert methods.startswith(" Those of participants whose site")
    assert "corrected for age bias by lines fitted to the mean of two predictions" in methods


def test_intervals_that_could_not_be_calibrated_are_a_flag():
    rows = of_new_sites(UNLEARNED)
    assert new_site_sentences(rows, SETTINGS) == [NARROW]
    assert new_sites_in_methods(rows, SETTINGS) == ""
    flags = red_flags(SETTINGS, page_tables() | {"new_sites": rows}, [], (), ())
    assert (NARROW, "intervals") in flags


def test_nothing_is_said_where_nobody_is_of_a_new_site():
    for rows in (NO_NEW_SITES, of_new_sites(PEOPLE.assign(site_seen="yes"))):
        assert new_site_sentences(rows, SETTINGS) == []
        assert new_sites_in_methods(rows, SETTINGS) == ""
    assert not any(words == NARROW for words, _ in red_flags(SETTINGS, page_tables(), [], (), ()))


def test_the_page_says_it_in_the_section_of_intervals():
    page = raw_page(page_tables() | {"new_sites": of_new_sites(PEOPLE)})
    assert page.index('id="intervals"') < page.index(SENTENCE + ".")
    line = "For people whose site training had not seen the line rests on predictions without"
    assert page.index('id="accuracy"') < page.index(line) < page.index('id="intervals"')
    unlearned = raw_page(page_tables() | {"new_sites": of_new_sites(UNLEARNED)})
    assert NARROW + "." in unlearned
    assert line not in unlearned
