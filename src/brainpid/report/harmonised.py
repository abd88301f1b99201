"""What harmonisation cost or brought, for the page: sentences, rows and flags of ``aggregate/harmonisation.tsv``."""

from __future__ import annotations

from typing import Any

import pandas as pd

from brainpid.config.slices import ReportSettings
from brainpid.evaluation.harmonisation_cost import BITS, MAE, WITHIN
from brainpid.report.words import LABELS, SCHEME_WORDS, number

METHOD_WORDS = {
    "location": "what each site adds to a feature was taken away",
    "location_scale": "what each site adds to a feature was taken away, and spreads were made equal",
}
"""What was done, in words."""


def harmonisation_sentences(table: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """One plain sentence a scheme on the error with and without harmonisation, without full stop."""
    units = settings.target.units
    told = []
    for row in table[table["quantity"] == MAE].itertuples():
        how = "errs by as much" if row.difference == 0 else "errs more by" if row.difference > 0 else "errs less by"
        size = "" if row.difference == 0 else f" {number(abs(row.difference))} {units}"
        verdict = "" if row.ci_low > 0 or row.ci_high < 0 else ", which is not told apart from none"
        told.append(
            f"With {SCHEME_WORDS[row.scheme]}, {LABELS[row.model]} {how}{size} on harmonised features "
            f"({number(row.harmonised)} instead of {number(row.as_they_are)} {units}; difference "
            f"[{number(row.ci_low)}, {number(row.ci_high)}]){verdict}"
        )
    return told


def harmonisation_costs(table: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """Those of the sentences whose schemes show a larger error with harmonisation."""
    errors = table[table["quantity"] == MAE]
    sentences = harmonisation_sentences(table, settings)
    return [words for words, low in zip(sentences, errors["ci_low"], strict=True) if low > 0]


def harmonisation_rows(table: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """Rows of the page: scheme and quantity in words, and the numbers."""
    words = {
        MAE: f"mean absolute error ({settings.target.units})",
        BITS: "information (bits)",
        WITHIN: "R² within sites",
    }
    return [
        row | {"scheme": SCHEME_WORDS[row["scheme"]], "quantity": words[row["quantity"]]}
        for row in table.to_dict("records")
    ]


def harmonisation_in_methods(settings: ReportSettings) -> str:
    """How features were harmonised; empty where they were not."""
    own = settings.harmonise
    if not own.used:
        return ""
    known = " with sex as covariate" if "sex" in own.covariates else ""
    age = f" and a natural cubic spline of {settings.target.column} preserved" if own.preserve == "age" else ""
    others = {
        "none": "left as they were",
        "own": "harmonised by their own features",
        "error": "refused",
    }[own.unseen]
    scaled = ""
    if own.method == "location_scale":
        scaled = (
            " Residuals were scaled around the mean of the site's training participants, because no "
            f"{settings.target.column} of a held-out participant was used."
        )
    return (
        f" Effects of sites were estimated by empirical Bayes on training participants of a fold{known}{age} (ComBat; "
        f"Johnson et al. 2007): {METHOD_WORDS[own.method]}.{scaled} Features of participants of other sites were "
        f"{others}."
    )
