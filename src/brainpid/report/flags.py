"""What to be careful about: the red flags of a run, each one sentence with the section that has its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from scipy.stats import binomtest, kruskal

from brainpid.config.slices import ReportSettings
from brainpid.core.names import WEIGHTED
from brainpid.evaluation.atypicality import ATYPICAL
from brainpid.evaluation.random_effects import POOLED
from brainpid.pid.result import MIN_PEOPLE_FOR_SHARES
from brainpid.report.age_ranges import age_range_words
from brainpid.report.beyond import warnings_beyond
from brainpid.report.groups import group_flags
from brainpid.report.harmonised import harmonisation_costs
from brainpid.report.information import SIGNIFICANT, headline_cohort, verdict_of
from brainpid.report.leaks import leak_sentences
from brainpid.report.local_people import warnings
from brainpid.report.motion import MEASURE, MUCH_MM, link, people_of_motion
from brainpid.report.new_sites import unlearned_sentences
from brainpid.report.sites import people_of_sites
from brainpid.report.transfer import gaps_shown
from brainpid.report.words import LABELS, listed, number, people

LEAST_SITE_DIFFERENCE = 0.25
"""Range of sites' mean errors, in parts of the mean absolute error, below which it is not told: in many people any
difference is significant."""

LEAST_MOTION_LINK = 0.2
"""Rank correlation of motion below which it is not told."""
LEAST_MOVING = 0.02
"""Part of the people who move much below which they are not told of here; the table counts them."""


class Flag(NamedTuple):
    """One sentence of warning without its full stop, and the `id` of the section of the page that it rests on."""

    words: str
    section: str


def red_flags(
    settings: ReportSettings,
    tables: Mapping[str, pd.DataFrame],
    verdicts: Sequence[Mapping[str, Any]],
    mixed_versions: Sequence[str],
    against_target: Sequence[str],
    every_given: pd.DataFrame | None = None,
) -> list[Flag]:
    """Everything that a reader of a run's numbers is to be careful about, the most general first.

    Parameters
    ----------
    settings : ReportSettings
        What was run.
    tables : mapping of str to DataFrame
        ``pid``, ``coverage``, ``predictions`` and ``normality`` as they stand in the output folder, ``transfer`` of
        several schemes, ``calibration`` of one that leaves sites out, ``harmonisation`` where there is any, ``motion``,
        what the quality tables say of it, and ``leakage``, what the audit found.
    verdicts : sequence of mapping
        What each modality adds and whether it is shown, as `report.information.verdicts` gives it.
    mixed_versions, against_target : sequence of str
        What `aggregate` found of versions, and of readings that fall as the target rises.
    every_given : DataFrame, optional
        ``pid`` with its rows beyond any controls, where ``controls`` is among the tables.
    """
    model = settings.models[0]
    own = {name: table[table["model"] == model] for name, table in tables.items() if "model" in table}
    every = own["pid"] if every_given is None else every_given[every_given["model"] == model]
    told = [
        *(Flag(words, "leaks") for words in leak_sentences(tables["leakage"])),
        *_mixed(mixed_versions),
        *_few_people(own["pid"]),
        *(Flag(words, "information") for words in age_range_words(every)),
        *_beyond(every_given, tables, settings),
        *_coverage(own["coverage"], settings),
        *(Flag(words, "intervals") for words in unlearned_sentences(tables["new_sites"], settings)),
        *(Flag(words, "elsewhere") for words in (gaps_shown(own["transfer"], settings) if "transfer" in own else ())),
        *(Flag(words, "local") for words in warnings(tables.get("calibration"), settings)),
        *(Flag(words, "groups") for words in group_flags(tables, settings)),
        *(Flag(words, "harmonisation") for words in _harmonised(tables, settings)),
        *_sites(own["predictions"], settings),
        *_motion(people_of_motion(tables["motion"], own["predictions"]), settings),
        *_atypical(own["predictions"]),
        *(Flag(words, "information") for words in against_target),
        *_not_shown(verdicts),
        *_missing(own["pid"], settings),
        *_doubts(own["normality"]),
    ]
    return list(dict.fromkeys(told))


def _mixed(mixed_versions: Sequence[str]) -> list[Flag]:
    """Folds by different versions, and what to do."""
    if not mixed_versions:
        return []
    found = "; ".join(mixed_versions)
    return [
        Flag(f"Folds were trained by different versions of {found}: delete those that are not wanted and run again",
             "made")
    ]  # fmt: skip


def _few_people(pid: pd.DataFrame) -> list[Flag]:
    """Too few people for an order of the modalities."""
    if pid.empty:
        return [Flag("No cohort has enough people with every modality for a decomposition", "information")]
    n = int(pid.loc[pid["cohort"] == headline_cohort(pid), "n"].max())
    if n >= MIN_PEOPLE_FOR_SHARES:
        return []
    return [
        Flag(
            f"Only {people(n)} with every modality: with fewer than {MIN_PEOPLE_FOR_SHARES} no shares are given, and "
            "modalities have an order only where their difference is shown",
            "information",
        )
    ]


def _beyond(every: pd.DataFrame | None, tables: Mapping[str, pd.DataFrame], settings: ReportSettings) -> list[Flag]:
    """Information that is the site's, and sites that features tell."""
    if every is None:
        return []
    said = warnings_beyond(every, tables["controls"], settings.models[0], settings.target.column)
    return [Flag(words, "beyond") for words in said]


def _coverage(coverage: pd.DataFrame, settings: ReportSettings) -> list[Flag]:
    """Intervals of everybody or of a band of predictions that miss their promise, all tests together at 5%.

    Repeats of a person are averaged, which varies less than the binomial of the test.
    """
    rows = coverage[coverage["kind"].isin(["all", "predicted band"])]
    promise, flags = settings.interval_coverage, []
    for row in rows.itertuples():
        found = binomtest(round(row.coverage * row.n), int(row.n), promise)
        if found.pvalue < SIGNIFICANT / len(rows):
            whom = "everybody" if row.kind == "all" else f"people with a predicted {settings.target.column} {row.group}"
            flags.append(
                Flag(
                    f"Prediction intervals cover {number(100 * row.coverage, 0)}% of {whom} where "
                    f"{number(100 * promise, 0)}% are promised (n = {row.n})",
                    "intervals",
                )
            )
    return flags


def _harmonised(tables: Mapping[str, pd.DataFrame], settings: ReportSettings) -> list[str]:
    """Schemes under which harmonisation is shown to cost error."""
    return harmonisation_costs(tables["harmonisation"], settings) if settings.harmonise.used else []


def _sites(predictions: pd.DataFrame, settings: ReportSettings) -> list[Flag]:
    """Sites that differ in error: signed, less its line on the target, else absolute (Kruskal-Wallis, both at 5%)."""
    own = people_of_sites(predictions)
    if own.empty:
        return []
    for column, words in (
        ("signed", "the mean of predicted less true {name}, less its line on {name}, is"),
        ("absolute", "the mean absolute error is"),
    ):
        parts = own.groupby("site", sort=False)[column]
        if own[column].nunique() < 2 or kruskal(*(part for _, part in parts)).pvalue >= SIGNIFICANT / 2:
            continue
        means = parts.mean().sort_values()
        if means.iloc[-1] - means.iloc[0] > LEAST_SITE_DIFFERENCE * own["absolute"].mean():
            ends = [f"{number(means.iloc[end])} {settings.target.units} at {means.index[end]}" for end in (0, -1)]
            told = words.format(name=settings.target.column)
            return [Flag(f"Sites differ: {told} {listed(ends)}", "sites")]  # the other follows from it
    return []


def _motion(moved: pd.DataFrame, settings: ReportSettings) -> list[Flag]:
    """Modalities in which people move much, or in which motion goes with the target or the error (both at 5%)."""
    name, told = settings.target.column, []
    for modality, own in moved.groupby("modality", sort=False):
        much = int((own[MEASURE] > MUCH_MM).sum())
        if much > LEAST_MOVING * len(own):
            told.append(
                Flag(f"{much} of {people(len(own))} with {modality} moved by more than {MUCH_MM:g} mm from "
                     "volume to volume, on average", "motion")
            )  # fmt: skip
        for column, words in (
            ("age", f"goes with {name}: what {modality} tells may be motion"),
            ("pad", f"goes with predicted less true {name}: who moves more is predicted otherwise"),
        ):
            rho, p_value = link(own, column)
            if p_value < SIGNIFICANT / 2 and abs(rho) >= LEAST_MOTION_LINK:
                told.append(Flag(f"Motion in {modality} (rank correlation {number(rho)}) {words}", "motion"))
    return told


def _atypical(predictions: pd.DataFrame) -> list[Flag]:
    """More people with unusual features than chance brings."""
    own = predictions.groupby(["cohort", "participant_id"], sort=False)["atypicality"].mean().dropna()
    beyond, n = int((own > ATYPICAL).sum()), len(own)
    if not n or binomtest(beyond, n, 1 - ATYPICAL, alternative="greater").pvalue >= SIGNIFICANT:
        return []
    expected = number(n * (1 - ATYPICAL), 0)
    return [
        Flag(
            f"The features of {people(beyond)} are more unusual than {100 * ATYPICAL:g}% of the training's (by chance "
            f"about {expected}): look at their images, units and scanner",
            "unusual",
        )
    ]


def _not_shown(verdicts: Sequence[Mapping[str, Any]]) -> list[Flag]:
    """Modalities of which it is not shown, or was not tested, that they add information."""
    found = {name: verdict_of(verdicts, name) for name in dict.fromkeys(row["modalities"] for row in verdicts)}
    words = {"not shown": "is not shown", "not tested": "was not tested"}
    return [
        Flag(f"That {name} adds information to the others {words[verdict]}", "added")
        for name, verdict in found.items()
        if verdict != "shown"
    ]


def _missing(pid: pd.DataFrame, settings: ReportSettings) -> list[Flag]:
    """Cohorts where having every modality depends on the target: those with weighted rows."""
    cohorts = list(dict.fromkeys(pid.loc[(pid["estimator"] == WEIGHTED) & (pid["cohort"] != POOLED), "cohort"]))
    if not cohorts:
        return []
    name = settings.target.column
    return [
        Flag(f"Who has every modality depends on {name} in {listed(cohorts)}: read the weighted log score beside the "
             "other", "information")
    ]  # fmt: skip


def _doubts(normality: pd.DataFrame) -> list[Flag]:
    """Doubts about joint normality."""
    rows = normality[[isinstance(doubts, str) and doubts != "" for doubts in normality["doubts"]]]
    if rows.empty:
        return []
    return [
        Flag(f"Joint normality is in doubt in {listed(list(dict.fromkeys(rows['cohort'].astype(str))))}: the Gaussian "
             f"scores of {LABELS[str(rows['model'].iloc[0])]} describe less than there is; the log score assumes none",
             "normality")
    ]  # fmt: skip
