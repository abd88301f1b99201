"""Data dictionary of ``aggregate/calibration.tsv``: what a few people of a new site are worth."""

from __future__ import annotations

from collections.abc import Mapping

from brainpid.model.calibration import LEARNED, Learned
from brainpid.report.described import INTEGER, NONE, NUMBER, PART, PEOPLE, TARGET, TEXT

CALIBRATION_COLUMNS = {
    "model": "Name of the model",
    "people": "People of a new site whose target is known, by whom the others of it are corrected",
    "scheme": "By which sites were left out",
    "sites": "Sites left out that are large enough for so many people and 5 more; each counts once",
    "n": "People of these sites",
    "mae": "Mean absolute error of the corrected people, mean over sites",
    "mae_low": "Lower end of the interval of that mean, over sites",
    "mae_high": "Upper end of it",
    "mae_site_low": "Lower end of the interval of the mean absolute error at one new site",
    "mae_site_high": "Upper end of it",
    "mae_held": "Part of the sites whose error lies in the interval that the others promise for one new site",
    "mae_none": "Mean absolute error of the same people uncorrected",
    "mae_seen": "Mean absolute error of people of all sites in random folds, where their site was seen",
    "change": "mae less mae_none",
    "change_low": "Lower end of its interval, over sites",
    "change_high": "Upper end of it",
    "site_bias": "Absolute value of the mean of predicted less true target of a site, mean over sites",
    "site_bias_low": "Lower end of its interval, over sites",
    "site_bias_high": "Upper end of it",
    "site_bias_none": "The same of the same people uncorrected",
    "coverage": "Part of the people whose interval covers the true target, mean over sites",
    "coverage_low": "Lower end of its interval, over sites",
    "coverage_high": "Upper end of it",
    "coverage_site_low": "Lower end of the interval of the coverage at one new site",
    "coverage_site_high": "Upper end of it",
    "coverage_held": "Part of the sites whose coverage lies in the interval that the others promise for one new site",
    "width": "Mean width of the intervals",
}
"""Column of the table and its meaning."""
CALIBRATION_KINDS = (
    dict.fromkeys(CALIBRATION_COLUMNS, (NUMBER, TARGET))
    | {name: (NUMBER, PART) for name in CALIBRATION_COLUMNS if "coverage" in name or name == "mae_held"}
    | {"model": (TEXT, NONE), "scheme": (TEXT, NONE), "people": (INTEGER, PEOPLE), "n": (INTEGER, PEOPLE)}
    | {"sites": (INTEGER, "sites")}
)
"""Type and unit of each column."""
CALIBRATION = (CALIBRATION_COLUMNS, CALIBRATION_KINDS)
OF_NEW_SITES = {
    "local_people": (
        INTEGER,
        PEOPLE,
        "Where sites were left out: people of the site by whom the prediction is corrected; 0 at one that is new, "
        "empty at one of the training",
    ),
    "expected_error": (NUMBER, TARGET, "There, too: expected absolute error"),
    "error_growth": (NUMBER, TARGET, "The same less that at sites of the training"),
}
"""Columns of the table of `predict`: type, unit and meaning."""


def calibration_dictionary(learned: Mapping[str, Learned]) -> dict[str, object]:
    """Data dictionary, with what `brainpid calibrate` needs of each model besides."""
    columns: dict[str, object] = {name: {"Description": text} for name, text in CALIBRATION_COLUMNS.items()}
    return columns | {LEARNED: {model: own.model_dump(mode="json") for model, own in learned.items()}}
