"""The transfer card on the page: sentences, flags and the forest plot of gaps between schemes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from report_pages import raw_page
from report_pages import tables as page_tables
from report_tables import SETTINGS

from brainpid.config.analysis import Splits
from brainpid.evaluation.transfer import PEOPLE, SITES, TRANSFER_COLUMNS
from brainpid.report.figures import to_svg
from brainpid.report.methods import methods_text
from brainpid.report.references import references
from brainpid.report.transfer import card, gaps_shown, over_people, sentences, transfer_forest

SCHEMES = ("kfold", "leave_one_site_out")
SEVERAL = SETTINGS.model_copy(update={"splits": Splits(scheme=SCHEMES, folds=4, repeats=3)})


def table(low: float = 0.5, over: str = SITES, coverage_high: float = 0.02) -> pd.DataFrame:
    """Of one cohort and one site: 4 years in random folds and 5 with sites left out."""
    records = []
    for model in ("pidreg", "ridge"):
        for site in (np.nan, "s0"):  # as they are read from the file
            own = {"model": model, "cohort": "a", "site": site, "n": 41, "bias": 0.25, "coverage": 0.9, "bits": 1.5}
            records += [
                own | {"scheme": SCHEMES[0], "mae": 4.0, "reference": np.nan},
                own | {"scheme": SCHEMES[1], "mae": 5.0, "coverage": 0.8, "bits": 1.0, "reference": SCHEMES[0],
                       "mae_gap": 1.0, "mae_gap_low": low, "mae_gap_high": 1.5, "bits_gap": -0.5, "bits_gap_low": -0.7,
                       "bits_gap_high": -0.3, "coverage_gap": -0.1, "coverage_gap_low": -0.2,
                       "coverage_gap_high": coverage_high, "sites": 7, "interval_over": over},
            ]  # fmt: skip
    return pd.DataFrame(records, columns=TRANSFER_COLUMNS)


def test_one_plain_sentence_a_scheme():
    assert sentences(table(), SEVERAL) == [
        "With sites left out, PIDReg errs by 5.00 years, 1.00 more than with random folds (gap [0.50, 1.50]), and 80% "
        "of its 90% intervals hold instead of 90%; its predictions tell 1.00 instead of 1.50 bits (gap [-0.70, -0.30])"
    ]
    assert "(gap [-0.25, 1.50]), which is not told apart from none, and 80%" in sentences(table(-0.25), SEVERAL)[0]


def test_a_gap_that_is_shown_is_a_flag_and_one_that_is_not_is_none():
    assert gaps_shown(table(), SEVERAL) == sentences(table(), SEVERAL)
    assert gaps_shown(table(-0.25), SEVERAL) == []
    assert len(gaps_shown(table(-0.25, coverage_high=-0.01), SEVERAL)) == 1


def test_the_page_has_the_card_where_there_are_several_schemes_alone():
    page = raw_page(page_tables() | {"transfer": table()}, SEVERAL)
    assert 'id="elsewhere"' in page
    assert page.count("With sites left out, PIDReg errs by 5.00 years") == 2  # the section, and the flag
    assert '<a href="#elsewhere">With sites left out' in page
    assert "1.00 [0.50, 1.50]" in page
    assert "<td>a s0</td>" in page
    assert "over people and over sites" in page
    assert "fewer than five sites" in raw_page(page_tables() | {"transfer": table(over=PEOPLE)}, SEVERAL)
    assert 'id="elsewhere"' not in raw_page()


def test_groups_are_named_and_the_forest_has_a_row_of_each():
    assert card(table(), "ridge")["group"].tolist() == ["a", "a", "a s0", "a s0"]
    pooled = table().assign(cohort=lambda rows: rows["cohort"].where(rows["site"].notna(), "pooled"))
    assert card(pooled, "pidreg")["group"].tolist() == ["everybody", "everybody", "a s0", "a s0"]
    assert over_people(table(over=PEOPLE), "pidreg")
    assert not over_people(table(), "pidreg")
    svg = to_svg(transfer_forest(table(), "pidreg", SCHEMES, "years"))
    for words in ("a (n = 41)", "a s0 (n = 41)", "gap to random folds (years)", "sites left out"):
        assert words in svg


def test_methods_name_every_scheme():
    made = {"pidreg": {}, "ridge": {}}
    text = " ".join(words for _, words in methods_text(SEVERAL, page_tables(), made, {"python": "3"}))
    assert "Stratified cross-validation (4 folds, 3 repeats; seed 0)" in text
    assert "also trained by leave-one-site-out cross-validation" in text
    assert ("LiangZeger1986" in references(SEVERAL), "LiangZeger1986" in references(SETTINGS)) == (True, False)
    assert "Leave-one-site-out cross-validation (leave one site out; seed 0)" in " ".join(
        words
        for _, words in methods_text(
            SETTINGS.model_copy(update={"splits": Splits(scheme="leave_one_site_out")}), page_tables(), made,
            {"python": "3"},
        )
    )  # fmt: skip
