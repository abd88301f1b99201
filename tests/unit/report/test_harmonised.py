"""What harmonisation cost or brought, on the page, among the flags and in the methods."""

from __future__ import annotations

import pandas as pd
import pytest
from report_pages import raw_page
from report_pages import tables as page_tables
from report_tables import SETTINGS

from brainpid.config.harmonise import Harmonise
from brainpid.evaluation.harmonisation_cost import COLUMNS
from brainpid.report.harmonised import harmonisation_costs, harmonisation_in_methods, harmonisation_sentences
from brainpid.report.references import references

USED = SETTINGS.model_copy(update={"harmonise": Harmonise(method="location")})


def table(low: float = 0.25) -> pd.DataFrame:
    rows = [
        ("kfold", "ridge", "mae", 41, 4.0, 4.5, 0.5, low, 0.75, 6, "people and sites"),
        ("kfold", "ridge", "bits", 41, 1.0, 0.875, -0.125, -0.25, 0.0, 6, "people and sites"),
        ("kfold", "ridge", "r2_within_site", 41, 0.5, 0.375, -0.125, -0.25, 0.0, 6, "people and sites"),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_sentence_says_both_ways_and_whether_it_is_told_apart():
    words = (
        "With random folds, Ridge errs more by 0.50 years on harmonised features (4.50 instead of 4.00 years; "
        "difference [0.25, 0.75])"
    )
    assert harmonisation_sentences(table(), USED) == [words]
    assert harmonisation_costs(table(), USED) == [words]
    assert harmonisation_sentences(table(-0.25), USED)[0].endswith("which is not told apart from none")
    assert harmonisation_costs(table(-0.25), USED) == []


def test_the_page_has_it_where_features_were_harmonised():
    page = raw_page(page_tables() | {"harmonisation": table()}, USED)
    assert page.count("Ridge errs more by 0.50 years on harmonised features") == 2  # the section, and the flag
    assert '<a href="#harmonisation">' in page
    assert "<td>-0.125</td><td>-0.250 to 0.000</td>" in page
    assert 'id="harmonisation"' not in raw_page()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "location"}, "with sex as covariate and a natural cubic spline of age preserved (ComBat"),
        ({"method": "location_scale", "preserve": "none", "covariates": []}, "of a fold (ComBat"),
        ({"method": "location_scale"}, "because no age of a held-out participant was used"),
        ({"method": "location", "unseen": "own"}, "of other sites were harmonised by their own features"),
    ],
)
def test_methods_say_what_was_done(settings, words):
    used = SETTINGS.model_copy(update={"harmonise": Harmonise.model_validate(settings)})
    assert words in harmonisation_in_methods(used)
    assert "Johnson2007" in references(used)
    assert not harmonisation_in_methods(SETTINGS)
    assert "Johnson2007" not in references(SETTINGS)
