"""What a few people of a new site are worth: the sentence to decide by, the flag, the methods and the page."""

from __future__ import annotations

import numpy as np
import pandas as pd
from report_pages import raw_page
from report_pages import tables as page_tables
from report_tables import SETTINGS

from brainpid.config.analysis import Splits
from brainpid.report.calibration_columns import CALIBRATION_COLUMNS
from brainpid.report.local_people import enough, in_methods, rows_of, sentence, warnings
from brainpid.report.references import references

LEFT_OUT = SETTINGS.model_copy(update={"splits": Splits(scheme="leave_one_site_out")})


def table(change_high: float = -0.5, seen: float = 4.0) -> pd.DataFrame:
    """Ten people take 2 of 6 years away, fifty 2.4."""
    records = []
    for model in ("ridge", "pidreg"):
        for people, change in ((0, 0.0), (5, -1.5), (10, -2.0), (50, -2.4)):
            records.append(
                {"model": model, "people": people, "scheme": "leave_one_site_out", "sites": 12, "n": 300,
                 "mae": 6 + change, "mae_low": 3, "mae_high": 8, "mae_site_low": 2.04, "mae_site_high": 12.96,
                 "mae_held": 1.0, "mae_none": 6.0, "mae_seen": seen, "change": change, "change_low": change - 0.4,
                 "change_high": change_high if people else 0.0, "site_bias": 5 + 1.5 * change, "site_bias_low": 1,
                 "site_bias_high": 6, "site_bias_none": 5.0, "coverage": 0.89, "coverage_low": 0.85,
                 "coverage_high": 0.93, "coverage_site_low": 0.7, "coverage_site_high": 1.0, "coverage_held": 1.0,
                 "width": 20.0}
            )  # fmt: skip
    return pd.DataFrame(records, columns=list(CALIBRATION_COLUMNS))


def test_the_sentence_to_decide_by_names_the_fewest_people_with_most_of_the_gain():
    assert enough(rows_of(table(), "pidreg"))["people"] == 10
    assert sentence(table(), SETTINGS) == (
        "At one new site PIDReg is expected to err by 6.00 years instead of 4.00 at sites it was trained on (95% of "
        "new sites: 2.0 to 13.0); 10 people of it with known age bring 6.00 to 4.00 years (change -2.00 [-2.40, "
        "-0.50], 12 sites), and how far a site is off on average from 5.00 to 2.00, and more bring little"
    )
    assert "6.00 years (95%" in sentence(table(seen=np.nan), SETTINGS)
    assert sentence(table(0.1), SETTINGS).endswith("up to 50 people of known age are not shown to help")
    assert sentence(None, SETTINGS) == sentence(table().iloc[:0], SETTINGS) == ""


def test_a_gain_that_is_shown_is_a_flag():
    assert warnings(table(), SETTINGS) == [
        "New sites are off by 5.00 years on average, with 10 people of known age by 2.00: calibrate the model before "
        "it is used at one"
    ]
    assert warnings(table(0.1), SETTINGS) == warnings(None, SETTINGS) == []


def test_methods_say_how_and_cite():
    assert "with 0, 5, 10 and 50 of its participants known" in in_methods(table(), SETTINGS)
    assert "Efron and Morris 1975" in in_methods(table(), SETTINGS)
    assert in_methods(None, SETTINGS) == in_methods(table().iloc[:0], SETTINGS) == ""
    assert "EfronMorris1975" in references(SETTINGS, local=True)
    assert "EfronMorris1975" not in references(SETTINGS)


def test_the_page_has_the_table_where_sites_are_left_out():
    page = raw_page(page_tables() | {"calibration": table()}, LEFT_OUT)
    assert '<h3 id="local">' in page
    assert '<a href="#local">New sites are off by 5.00 years' in page
    assert "10 people of it with known age bring 6.00 to 4.00 years" in page
    assert "-2.00 [-2.40, -0.50]" in page
    assert "2.0 to 13.0" in page
    assert "Efron, Bradley" in page
    empty = raw_page(page_tables() | {"calibration": table().iloc[:0]}, LEFT_OUT)
    assert "it takes 5 with 5 people or more each" in empty
    assert "Efron" not in empty
    assert 'id="elsewhere"' not in raw_page(page_tables(), SETTINGS)
