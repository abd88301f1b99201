"""The page says what the tables say, in the words that the numbers allow."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from report_pages import raw_page, tables
from report_tables import SETTINGS, motion, predictions

from brainpid.config.analysis import Null, Splits
from brainpid.config.cohorts import Target
from brainpid.config.reference_ages import ReferenceAges
from brainpid.report.inlined import inline
from brainpid.report.page import ALTERNATIVES, MOST_LEFT_OUT, SECTIONS, QCImage


def page(found=None, settings=SETTINGS, qc_images=(), said=(), mixed=()) -> str:
    """The page's text without markup, one space between words."""
    html = raw_page(found, settings, qc_images, said, mixed)
    assert "<study>" not in html  # what comes from outside is escaped
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_what_predictions_are_made_of_and_what_the_folds_chose():
    text = page()
    assert re.search(r"networks 25% 12 to 62% 12 of 12 Gaussian processes 50% .* Mine 25% 0 to 62% 3 of 12", text)
    assert "took away 1.2% of the squared error (standard error 2.0%, means over folds)" in text
    assert "Recipe: compact in 12 of 12 folds." in text
    assert "Features entered as they are in 2 of 12 folds, as normal scores in 10 of 12 folds." in text


def test_errors_of_people_whose_features_are_unusual():
    text = page()
    assert "0.9 to 1.0 47 9.75 -8.50 62%" in text
    assert "2 people are beyond 0.99" in text
    without = tables() | {"atypicality": tables()["atypicality"].iloc[:0]}
    assert "beyond 0.99" not in page(without)


def test_the_summary_answers_on_the_first_screen():
    text = page()
    assert re.search(
        r"Who 5 people of a, age 30 to 71.5 years; 4 of them with t1 and dwi\. How accurate Mean abs", text
    )
    assert "Mean absolute error of PIDReg 7.25 years [6.25, 8.25] in 40 held-out people with every modality" in text
    assert "(4 folds, 3 repeats)" in text
    assert text.index("What to be careful about") < text.index("RMSE")
    assert "Pooled rows" not in text


def test_over_several_cohorts_the_headline_is_the_pooled_row():
    text = page(tables(("a", "b", "pooled")))
    assert "PIDReg 9.25 years [8.25, 10.25] in 42 held-out people with every modality (random-effects mean" in text


def test_flags_lead_to_their_sections():
    html = raw_page(mixed=["numpy 1 (x), 2"])
    assert '<li><a href="#made">Folds were trained by different versions of numpy 1 (x), 2' in html
    assert '<li><a href="#information">Only 41 people' in html


def test_sites_that_differ_lead_to_their_errors():
    assert 'id="sites"' not in raw_page()
    found = tables() | {"predictions": predictions(shift={"s1": 5.0})}
    html = raw_page(found)
    assert '<a href="#sites">Sites differ: the mean of predicted less true age' in html
    assert html.count('id="sites"') == 1
    assert re.search(r"a s0 100 [0-9.]+ -2.50 a s1 100 [0-9.]+ 2.50", page(found))


def test_every_link_of_the_page_leads_somewhere_in_it_and_headings_skip_no_level():
    settings = SETTINGS.model_copy(update={"image_modalities": ("t1",)})
    html = raw_page(settings=settings, qc_images=[QCImage("t1", "a", "sub-1", "at random", "", "B")], said=["a t1: x"],
                    mixed=["numpy 1 (x), 2"], against=["a: y"])  # fmt: skip
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    linked = set(re.findall(r'href="#([^"]+)"', html))
    assert linked - {"summary"} >= set(SECTIONS) - {"elsewhere", "groups"}  # of several schemes, or groups
    assert linked <= set(ids)
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert html.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]+"', html))
    assert html.count("<svg ") == len(re.findall(r'<svg role="img" aria-label="[^"]+"', html)) > 0
    assert not re.search(r"<script [^>]*src|<link|@import|(src|href)=\"https?:", html)


def test_sections_that_have_nothing_to_show_are_not_in_the_contents():
    html = raw_page()
    assert 'href="#quality"' not in html
    assert 'href="#images"' not in html
    found = tables()
    found["importance"] = found["importance"].iloc[:0]
    assert 'href="#rests"' in html
    assert 'href="#rests"' not in raw_page(found)


def test_figures_in_the_page_share_no_ids_and_have_words():
    svg = '<?xml version="1.0"?><svg><metadata>x</metadata><g id="g" clip-path="url(#c)"/><use href="#g"/></svg>'
    assert inline("one", svg, 'a "b" & c') == (
        '<svg role="img" aria-label="a &quot;b&quot; &amp; c"><g id="one-g" clip-path="url(#one-c)"/>'
        '<use href="#one-g"/></svg>'
    )


def test_leaving_cohorts_out_is_said_without_repeats():
    settings = SETTINGS.model_copy(update={"splits": Splits(scheme="leave_one_cohort_out", repeats=5)})
    assert "(leave one cohort out)" in page(settings=settings)


def test_who_takes_part_and_why_not():
    text = page()
    assert "a 6 6 5 5 4 30 to 71.5" in text  # people, with t1, with dwi, take part, with both, ages
    assert "Why 1 person does not take part" in text
    assert "a no target value 1" in text
    assert "Each of them cohort participant reason a sub-0 no target value" in text
    assert "sub-5 no target value" not in text


def test_features_that_are_left_out_are_named_up_to_a_number():
    assert "t1: 2, dwi: 1. All of them are used." in page()
    found = tables()
    names = [f"x{k}" for k in range(MOST_LEFT_OUT + 5)]
    more = pd.DataFrame(
        {"modality": "t1", "feature": names, "included": False, "reason": "no value in any of 6 people"}
    )
    found["features"] = pd.concat([found["features"], more], ignore_index=True)
    text = page(found)
    assert f"t1: {len(names)} of {len(names) + 2} features are left out" in text
    assert "x0 no value in any of 6 people" in text
    assert f"x{MOST_LEFT_OUT - 1} no value" in text
    assert f"x{MOST_LEFT_OUT} no value" not in text
    assert "and 5 more." in text
    assert "All of them are used" not in text


def test_accuracy_by_what_people_have_and_of_models_against_the_first():
    text = page()
    assert re.search(r"a PIDReg[^0-9]* 40 7.25 6.25 to 8.25 8.12 0.50 0.75 –", text)  # no bias correction is defined
    assert "a t1 40 1.25" in text
    assert "0.75 0.25 to 1.25" in text
    found = tables()
    found["accuracy"] = found["accuracy"].query("modalities == 't1+dwi'")
    assert "By the modalities that people have" not in page(found)


def test_coverage_of_intervals():
    text = page()
    assert re.search(r"everybody 4 75.0% 30 to 95% 12.2", text)  # 50 is not within 51 to 60; widths 20, 10, 9, 10
    assert re.search(r"age 50 to 60 1 0.0% 0 to 79% 9.0", text)


def test_information_is_called_shown_by_test_and_interval_together():
    text = page()
    assert re.search(r"a t1 41 0.300 \[0.250, 0.350\] 0.225 0.010 shown", text)
    assert re.search(
        r"a dwi 41 0.005 \[-0.045, 0.055\] 0.004 0.400 not shown; so little cannot be told from zero", text
    )
    found = tables()
    tested = found["pid"]["atom"] == "added"
    found["pid"].loc[tested, ["p_value", "ci_low"]] = [0.01, -0.1]
    assert re.search(r"0.010 not shown", page(found))
    found["pid"]["p_value"] = np.nan
    assert "– not tested" in page(found)
    found["pid"] = found["pid"][found["pid"]["model"] == "pidreg"]
    assert "– – not tested" in page(found)
    assert "Standard errors are widened by 1.12" in text
    assert "synergy" in text
    assert "1.500 [1.450, 1.550] bits in all, n = 41" in text
    assert "heavy tails" in text


def test_the_recommended_subset_and_what_the_choice_is_worth():
    text = page()
    assert "Recommended: t1 , the cheapest subset" in text
    assert "error is 7.62 years [7.00, 8.00]; chosen t1 3 times." in text


def test_values_that_may_be_codes_are_shown_once_with_their_features():
    assert "may stand for nothing" not in page()
    found = tables()
    found["features"]["note"] = ["a: -9999 in 2 people, first sub-<7>", "a: -9999 in 2 people, first sub-<7>", ""]
    assert "t1 gm_insula and 1 more a: -9999 in 2 people, first sub-&lt;7&gt;" in page(found)


def test_no_name_or_reason_becomes_part_of_the_page():
    html = "<script>alert(1)</script>"
    found = tables()
    found["participants"]["reason"] = [html, *[None] * 5]
    found["features"]["feature"] = [html, "icv", "fa_fornix"]
    found["features"]["included"] = [False, True, True]
    found["features"]["reason"] = [html, None, None]
    found["features"]["note"] = [html, "", ""]
    settings = SETTINGS.model_copy(update={"title": html, "target": Target(column=html, units=html)})
    assert html not in raw_page(found, settings)


def test_importance_shows_modalities_and_features_in_their_order():
    text = page()
    assert re.search(
        r"all features t1 3.50 ± 0.10 .* all features dwi 2.50 .* fa_fornix dwi 0.75 .* gm_insula t1", text
    )
    assert re.search(r"permutations in each fold among 200 people at most", text)
    assert "rank correlation of features' changes between two folds is 0.81" in text.replace("&#39;", "'")
    found = tables()
    found["importance"] = found["importance"].iloc[:0]
    assert "What predictions rest on" not in page(found)


def test_pictures_carry_why_they_are_shown():
    settings = SETTINGS.model_copy(update={"image_modalities": ("t1",)})
    looks = [
        QCImage("t1", "a", "sub-1", "stands out", "snr", "AAAA"),
        QCImage("t1", "a", "sub-2", "at random", "", "B"),
    ]
    text = page(settings=settings, qc_images=looks)
    assert "a sub-1, stands out: snr" in text
    assert "a sub-2, at random " in text
    assert "Image quality" not in page()


def test_the_choice_of_images_is_said():
    said = ["a t1: 3 x first of 2: <sub-*>", "a t1: people get different acquisitions"]
    text = page(said=said)
    assert "Choice of images" in text
    assert "a t1: 3 x first of 2: &lt;sub-*&gt;" in text
    assert "Choice of images" not in page()


def test_mixed_versions_are_said():
    words = "Folds were trained by different versions of numpy 1.26.4 (fold 1), 2.3.5 (the others); torch 2 (x), 3"
    assert words in page(mixed=["numpy 1.26.4 (fold 1), 2.3.5 (the others)", "torch 2 (x), 3"])
    assert "different versions" not in page()


@pytest.mark.parametrize("permutations", [0, 99])
def test_the_null_is_described_or_said_to_be_off(permutations):
    text = page(settings=SETTINGS.model_copy(update={"null": Null(permutations=permutations)}))
    assert ("The null was switched off" in text) == (permutations == 0)
    assert ("the smallest possible value is 0.010" in text) == (permutations == 99)


def test_information_in_the_prediction_stands_beside_that_of_the_decompositions():
    text = page()
    assert "a PIDReg 2 1.750 1.750 – 1.375" in text  # of the two people with both modalities
    assert re.search(r"a, log score: 1.500 \[1.450, 1.550\] bits in all", text)
    assert re.search(r"a, Gaussian score: 1.250 \[1.200, 1.550\] bits in all", text)


def test_a_reading_against_the_target_is_said():
    found = re.sub(r"\s+", " ", raw_page(against=["b: what PIDReg reads from t1 falls"]))
    assert "b: what PIDReg reads from t1 falls." in found


def test_a_known_truth_is_said_where_it_is_drawn():
    assert "true values of" not in raw_page()
    assert "are the true values of site_1, site_2," in raw_page(with_truth=["site_1", "site_2"])


class Outline(HTMLParser):
    """Headings, pictures, ids and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.nameless: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if (tag == "img" and not own.get("alt")) or (
            tag == "svg" and not (own.get("role") == "img" and own.get("aria-label"))
        ):
            self.nameless.append(tag)
        if "id" in own:
            self.ids.append(str(own["id"]))
        if tag == "a":
            self.links.append(str(own["href"]))
        self.outside += [str(own[key]) for key in ("src", "data", "action") if key in own]


def whole_page() -> Outline:
    found = tables()
    found["motion"] = motion(found["predictions"]).assign(modality="dwi")
    settings = SETTINGS.model_copy(update={"image_modalities": ("t1", "dwi")})
    looks = [QCImage(modality, "a", f"sub-{k}", "at random", "", "AAAA") for modality in ("t1", "dwi") for k in (1, 2)]
    drawn = {"predicted_age": inline("predicted_age", "<svg><title>a</title></svg>", "dots")}
    figures = dict.fromkeys(ALTERNATIVES, inline("x", "<svg>drawn</svg>", "words")) | drawn
    return Outline(raw_page(found, settings, looks, said=["chosen"], drawn=figures))


def test_a_reader_who_hears_the_page_finds_the_way():
    outline = whole_page()
    assert outline.nameless == []
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(outline.headings))
    text = raw_page()
    assert '<html lang="en">' in text
    assert "<title>A &lt;study&gt; of ages</title>" in text


def test_every_link_leads_to_a_place_of_the_page_and_nothing_is_fetched():
    outline = whole_page()
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert all(source.startswith("data:image/png;base64,") for source in outline.outside)
    assert (set(SECTIONS) - {"elsewhere", "groups"}) | {"motion", "pads"} <= set(outline.ids)


def test_brain_pad_by_cohort_and_sex_and_motion_stand_in_tables():
    found = tables()
    found["participants"]["sex"] = ["M", "F", "F", "M", None, "M"]
    found["motion"] = motion(found["predictions"], [0.1, 0.2, 0.6, 0.3]).assign(modality="dwi")
    text = page(found)
    assert re.search(r"Brain-PAD by cohort and sex .* a F 2 \S+ \S+ to \S+ \S+ a M 1 \S+ – to – –", text)
    assert "a sex not known 1" in text
    assert "a dwi 4 0.250 1 – –" in text  # too few people for a correlation
    assert "Head motion" not in page()
    other = page(found, SETTINGS.model_copy(update={"target": Target(column="score", units="points")}))
    assert "Predicted less true score by cohort and sex" in other


def test_what_one_fold_says_has_no_spread_over_folds():
    found = tables()
    found["importance"] = found["importance"].assign(n_folds=1, change_sd=np.nan, rank_sd=np.nan)
    text = page(found)
    assert re.search(r"all features t1 3.50 0.20 -1.50 1.0", text)
    assert "with the largest one, in one fold." in text
    assert "folds of that sign" not in text


def test_bands_are_folded_and_a_site_that_is_a_cohort_stands_once():
    text = page()
    assert "By bands of predicted and of true age people n covered" in text
    found = tables()
    rows = found["coverage"]
    cohort = rows[rows["kind"] == "all"].assign(kind="cohort", group="a")
    site = cohort.assign(kind="site", group="elsewhere")
    found["coverage"] = pd.concat([rows, cohort, site, site.assign(group="other", coverage=0.5)], ignore_index=True)
    told = page(found)
    assert "site other" in told
    assert "site elsewhere" not in told


def test_each_modality_that_somebody_lacks_is_named_with_the_reason():
    text = page()
    assert "Modalities that people lack, and why: 1 " in text
    assert "a sub-5 dwi FAIL no bvec file: &lt;add&gt; it" in text
    found = tables()
    found["participants"] = found["participants"].assign(dwi_status="SUCCESS", dwi_reason=None)
    assert "Modalities that people lack" not in page(found)


def test_information_for_reference_ages_has_a_table_where_it_is_read():
    assert "For the same age in all cohorts" not in page()
    found = tables()
    pid = found["pid"]
    own = pid[(pid["scope"] == "all") & (pid["estimator"] == "log_score")].assign(atom="total")
    told = own.assign(estimator="log_score_reference_ages", bits=1.125, n=30, age_sd=8.75)
    settings = SETTINGS.model_copy(update={"reference_ages": ReferenceAges(range=(20, 60))})
    text = page(found | {"pid": pd.concat([pid, told], ignore_index=True)}, settings)
    assert "a 41 12.5 1.750 [1.450, 1.550] 30 8.8 1.125 [1.450, 1.550]" in text
    assert "Reference: evenly from 20 to 60." in text
