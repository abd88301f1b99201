"""The page says what the tables say, in the words that the numbers allow."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from brainpid.config.analysis import DecompositionSettings, Explain, Null, Splits
from brainpid.config.cohorts import Target
from brainpid.config.slices import ReportSettings
from brainpid.evaluation.coverage import coverage_table
from brainpid.report.page import MOST_LEFT_OUT, QCImage, render

SETTINGS = ReportSettings(
    title="A <study> of ages",
    target=Target(),
    modalities=("t1", "dwi"),
    models=("pidreg", "ridge"),
    incomplete="use",
    splits=Splits(folds=4, repeats=3),
    interval_coverage=0.9,
    pid=DecompositionSettings(),
    null=Null(permutations=99),
    explain=Explain(),
    image_modalities=(),
    data_folders={"a": "data/a"},
)
ADDED = [0.30, 0.005]
"""Bits that t1 and dwi add."""


def participants() -> pd.DataFrame:
    """Six people, one without age and one without dwi."""
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k}" for k in range(6)],
            "cohort": "a",
            "age": [np.nan, 30.0, 40, 50, 60, 71.5],
            "t1_status": "SUCCESS",
            "dwi_status": ["SUCCESS"] * 5 + ["FAIL"],
            "included": [False] + [True] * 5,
            "reason": ["no target value", *[None] * 5],
        }
    )


def accuracy(cohorts: tuple[str, ...]) -> pd.DataFrame:
    """Ridge is the more accurate in every cohort, PIDReg only in the rows of people without dwi."""
    rows = [
        {"cohort": cohort, "model": model, "modalities": pattern, "n": 40 + k, "mae": mae + k,
         "mae_ci_low": mae - 1 + k, "mae_ci_high": mae + 1 + k, "rmse": 8.125, "r2": 0.5, "pearson_r": 0.75,
         "mae_corrected": np.nan}
        for k, cohort in enumerate(cohorts)
        for model, pattern, mae in (("pidreg", "t1+dwi", 7.25), ("ridge", "t1+dwi", 6.5), ("pidreg", "t1", 1.25))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def pid() -> pd.DataFrame:
    rows = []
    for modality, added in zip(SETTINGS.modalities, ADDED, strict=True):
        for atom, bits in (("total", 1.5), ("alone", 0.875), ("added", added), ("unique", 0.1), ("redundant", 0.2),
                           ("synergy", -0.0625)):  # fmt: skip
            rows.append(
                {"cohort": "a", "model": "pidreg", "estimator": "log_score", "measure": "idep",
                 "scope": "one_vs_rest", "modalities": modality,
                 "atom": atom, "bits": bits, "ci_low": bits - 0.05, "ci_high": bits + 0.05, "n": 41,
                 "p_value": np.nan, "se_factor": 1.125}
            )  # fmt: skip
        rows.append(rows[0] | {"model": "ridge_within_cohort", "estimator": "gaussian_score",
                               "modalities": modality, "atom": "added",
                               "bits": 0.75 * added, "ci_low": np.nan, "ci_high": np.nan, "se_factor": np.nan,
                               "p_value": 0.01 if added > 0.1 else 0.4})  # fmt: skip
    table = pd.DataFrame(rows)
    own = table[table["model"] == "pidreg"]
    gaussian = own.assign(estimator="gaussian_score", bits=own["bits"] - 0.25, ci_low=own["ci_low"] - 0.25)
    totals = [dict(rows[0], scope="all", modalities="t1+dwi", measure=SETTINGS.pid.measures[0], bits=1.75),
              dict(rows[0], scope="all", modalities="t1+dwi", measure=SETTINGS.pid.measures[0], bits=1.375,
                   estimator="gaussian_score")]  # fmt: skip
    return pd.concat([table, gaussian, pd.DataFrame(totals)], ignore_index=True)


def tables(cohorts: tuple[str, ...] = ("a",)) -> dict[str, pd.DataFrame]:
    """Tables of a small run, as they stand in its folder."""
    predictions = pd.DataFrame(
        {"participant_id": ["sub-1", "sub-2", "sub-3", "sub-4"], "cohort": "a", "model": "pidreg", "repeat": 0,
         "age": [30.0, 40, 50, 60], "predicted_age": [35.0, 45, 55, 61], "site": "s", "modalities": "t1+dwi",
         "pi_low": [20.0, 35, 51, 55], "pi_high": [40.0, 45, 60, 65], "atypicality": [0.1, 0.5, 0.995, 0.999]}
    )  # fmt: skip
    importance = pd.DataFrame(
        {"modality": ["t1", "dwi", "t1", "dwi", "t1"],
         "scope": ["modality", "modality", "region", "feature", "feature"],
         "feature": [None, None, None, "fa_fornix", "gm_insula"], "region": [None, None, "insula", "fornix", "insula"],
         "change": [3.5, 2.5, 1.0, 0.75, 0.5], "change_sd": 0.1, "importance": 0.2, "importance_sd": 0.1,
         "effect": -1.5, "sign_agreement": 1.0, "rank": 1.0, "rank_sd": 0.0}
    )  # fmt: skip
    return {
        "participants": participants(),
        "features": pd.DataFrame({"modality": ["t1", "t1", "dwi"], "feature": ["gm_insula", "icv", "fa_fornix"],
                                  "included": True, "reason": None, "note": None}),
        "accuracy": accuracy(cohorts),
        "comparison": pd.DataFrame([{"cohort": "a", "model": "ridge", "reference": "pidreg", "n": 41,
                                     "difference": 0.75, "ci_low": 0.25, "ci_high": 1.25}]),
        "coverage": coverage_table(predictions, (0, 120), 0.9),
        "predictions": predictions,
        "person": pd.DataFrame({"cohort": "a", "model": "pidreg", "modalities": ["t1+dwi", "dwi+t1", "t1"],
                                "information": [1.0, 2.5, 9.0]}),
        "pid": pid(),
        "normality": pd.DataFrame([{"cohort": "a", "model": "pidreg", "skewness": 0.1, "skewness_p": 0.04,
                                    "kurtosis_ratio": 1.0, "kurtosis_p": 0.5, "bits": 1.5, "bits_copula": 1.7,
                                    "doubts": "heavy tails"}]),
        "selection": pd.DataFrame({"modalities": ["t1", "dwi", "t1+dwi"], "cost": [1.0, 1, 2], "n": 41,
                                   "mae": [7.5, 9.5, 7.0], "mae_ci_low": 6.0, "mae_ci_high": 9.0,
                                   "information_bits": [1.0, 0.5, 1.5], "recommended": [True, False, False]}),
        "importance": importance,
        "base_learners": pd.DataFrame({"model": "pidreg", "base_learner": ["network", "kernel", "Mine"],
                                       "share": [0.25, 0.5, 0.25], "share_min": [0.125, 0.4, 0], "share_max": 0.625,
                                       "folds_fitted": [12, 12, 3], "n_folds": 12}),
        "atypicality": pd.DataFrame({"low": [0.0, 0.9], "high": [0.1, 1.0], "n": [31, 47], "mae": [4.25, 9.75],
                                     "bias": [0.125, -8.5], "coverage": [0.9, 0.625]}),
    }  # fmt: skip


CHOICE = {"Best": "t1+dwi", "Nested": {"n": 41, "mae": 7.625, "mae_ci_low": 7, "mae_ci_high": 8, "chosen": {"t1": 3}}}
FIGURES = dict.fromkeys(
    ("predicted_age", "modalities", "persons", "normality", "selection", "importance"), "<svg>drawn</svg>"
)


MADE_OF = {
    "pidreg": {"recipe": {"compact": 12}, "feature_transform": {"none": 2, "normal_scores": 10}, "pilot_fall": 0.0125,
               "pilot_spread": 0.02, "n_folds": 12},
    "ridge": {},
}  # fmt: skip


def raw_page(found=None, settings=SETTINGS, qc_images=(), said=(), mixed=(), against=(), with_truth=()) -> str:
    explained = {"RankCorrelation": 0.8125, "MostPeople": 200, "CannotSay": "Nothing is causal."}
    return render(
        settings, found or tables(), CHOICE, explained, MADE_OF, FIGURES, qc_images, "Generated by a test", said, mixed,
        against, with_truth,
    )  # fmt: skip


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


def test_the_headline_is_the_most_accurate_model_among_people_with_every_modality():
    text = page()
    assert re.search(
        r"Best model: Ridge[^,]*, mean absolute error 6.50 years \[5.50, 7.50\] in 40 people with t1", text
    )
    assert "(4 folds, 3 repeats)" in text
    assert "Pooled rows" not in text


def test_over_several_cohorts_the_headline_is_the_pooled_row():
    text = page(tables(("a", "b", "pooled")))
    assert "mean absolute error 8.50 years [7.50, 9.50] in 42 people with t1 + dwi (random-effects mean" in text


def test_leaving_cohorts_out_is_said_without_repeats():
    settings = SETTINGS.model_copy(update={"splits": Splits(scheme="leave_one_cohort_out", repeats=5)})
    assert "(leave one cohort out)" in page(settings=settings)


def test_who_takes_part_and_why_not():
    text = page()
    assert "a 6 6 5 5 4 30 to 71.5" in text  # people, with t1, with dwi, take part, with both, ages
    assert "Why 1 person does not take part" in text
    assert "a no target value 1" in text


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
    assert "Diamonds" not in raw_page()
    assert "Diamonds are the true values of site_1, site_2," in raw_page(with_truth=["site_1", "site_2"])
