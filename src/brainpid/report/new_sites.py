"""Intervals of people whose site training had not seen: what they rest on, and how much wider they are."""

from __future__ import annotations

import pandas as pd

from brainpid.config.slices import ReportSettings
from brainpid.crossfit.site_folds import FEWEST_SITES
from brainpid.model.sites import KNOWN_WIDTH, SITE_SEEN
from brainpid.report.words import LABELS, number, people


def of_new_sites(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``aggregate/predictions.tsv``, of any scheme, whose site training had not seen."""
    if SITE_SEEN not in predictions:
        return predictions.iloc[:0].assign(**{SITE_SEEN: pd.Series(dtype=object), KNOWN_WIDTH: pd.Series(dtype=float)})
    return predictions[predictions[SITE_SEEN] == "no"]


def new_site_sentences(rows: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """What the first model's intervals of people of new sites are, in a sentence or two without full stop.

    Parameters
    ----------
    rows : DataFrame
        What `of_new_sites` gives; empty where nobody is of a new site.
    settings : ReportSettings
    """
    learned = _learned(rows, settings)
    if learned.empty:
        return unlearned_sentences(rows, settings)
    width, known = (learned["pi_high"] - learned["pi_low"]).mean(), learned[KNOWN_WIDTH].mean()
    covered = learned["age"].between(learned["pi_low"], learned["pi_high"]).mean()
    return [
        f"Intervals of {people(_n(learned))} whose site training had not seen are calibrated on training sites that "
        f"were left out in turn: by {LABELS[settings.models[0]]} they are {number(width, 1)} {settings.target.units} "
        f"wide on average, {number(width / known, 1)} times what they would be at a site of the training, and "
        f"{number(100 * covered, 0)}% of them hold",
        *unlearned_sentences(rows, settings),
    ]


def unlearned_sentences(rows: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """That intervals of people of new sites are too narrow, where they are not calibrated; one sentence or none."""
    own = rows[(rows["model"] == settings.models[0]) & rows[KNOWN_WIDTH].isna()]
    if own.empty:
        return []
    return [
        f"Intervals of {people(_n(own))} whose site training had not seen are those of its own sites and likely too "
        f"narrow: training had fewer than {FEWEST_SITES} sites, or too few people outside of the largest"
    ]


def new_sites_in_methods(rows: pd.DataFrame, settings: ReportSettings) -> str:
    """How intervals of people of new sites were calibrated and their age bias was corrected; empty without any."""
    if not have_own_lines(rows, settings):
        return ""
    return (
        " Those of participants whose site the training had not seen were calibrated on inner folds that left whole "
        "sites out, with sites weighted about equally. Their predictions were corrected for age bias by lines "
        "fitted to the mean of two predictions of each training participant, without the inner fold and without the "
        "site."
    )


def have_own_lines(rows: pd.DataFrame, settings: ReportSettings) -> bool:
    """Whether predictions of the first model at new sites are corrected for age bias by lines of such sites."""
    return not _learned(rows, settings).empty


def _learned(rows: pd.DataFrame, settings: ReportSettings) -> pd.DataFrame:
    return rows[(rows["model"] == settings.models[0]) & rows[KNOWN_WIDTH].notna()]


def _n(rows: pd.DataFrame) -> int:
    return int(rows[["cohort", "participant_id"]].drop_duplicates().shape[0])
