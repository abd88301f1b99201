"""The page of a small run, for the tests of the report."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from report_tables import SETTINGS, motion

from brainpid.evaluation.control_models import COLUMNS as CONTROL_TABLE
from brainpid.evaluation.coverage import coverage_table
from brainpid.features.findings import findings_table
from brainpid.report.new_sites import of_new_sites
from brainpid.report.page import ALTERNATIVES, render

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
            "t1_reason": None,
            "dwi_reason": [*[None] * 5, "no bvec file: <add> it"],
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
                 "p_value": np.nan, "se_factor": 1.125, "age_sd": 12.5}
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
    return pd.concat([table, gaussian, pd.DataFrame(totals)], ignore_index=True).assign(given="")


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
         "effect": -1.5, "sign_agreement": 1.0, "rank": 1.0, "rank_sd": 0.0, "n_folds": 4}
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
        "new_sites": of_new_sites(predictions),
        "motion": motion(predictions).iloc[:0],
        "person": pd.DataFrame({"cohort": "a", "model": "pidreg", "modalities": ["t1+dwi", "dwi+t1", "t1"],
                                "information": [1.0, 2.5, 9.0]}),
        "pid": pid(),
        "controls": pd.DataFrame(columns=CONTROL_TABLE),
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
        "leakage": findings_table([]),
        "atypicality": pd.DataFrame({"low": [0.0, 0.9], "high": [0.1, 1.0], "n": [31, 47], "mae": [4.25, 9.75],
                                     "bias": [0.125, -8.5], "coverage": [0.9, 0.625]}),
    }  # fmt: skip


CHOICE = {"Best": "t1+dwi", "Nested": {"n": 41, "mae": 7.625, "mae_ci_low": 7, "mae_ci_high": 8, "chosen": {"t1": 3}}}
FIGURES = dict.fromkeys(ALTERNATIVES, "<svg>drawn</svg>")


TRAINED_WITH = {"numpy": "2.3.5", "python": "3.11.7"}
MADE_OF = {
    "pidreg": {"recipe": {"compact": 12}, "feature_transform": {"none": 2, "normal_scores": 10}, "pilot_fall": 0.0125,
               "pilot_spread": 0.02, "n_folds": 12},
    "ridge": {},
}  # fmt: skip


def raw_page(
    found=None, settings=SETTINGS, qc_images=(), said=(), mixed=(), against=(), with_truth=(), drawn=None
) -> str:
    explained = {"RankCorrelation": 0.8125, "MostPeople": 200, "CannotSay": "Nothing is causal."}
    return render(
        settings, found or tables(), CHOICE, explained, MADE_OF, FIGURES | (drawn or {}), qc_images,
        "Generated by a test", TRAINED_WITH, said, mixed, against, with_truth,
    )  # fmt: skip


def glued_sentences(page: str) -> list[str]:
    """Places of a page where one sentence stands against another, as where a block of the template ends a line."""
    plain = re.sub(r"<(style|script|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    blocks = re.split(r"</(?:p|t[dhr]|li|h\d|summary|div|dt|dd)>", plain)
    return [
        found for block in blocks for found in re.findall(r".{0,20}[a-z)]\.[A-Z].{0,20}", re.sub("<[^>]+>", "", block))
    ]
