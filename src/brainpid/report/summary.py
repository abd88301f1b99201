"""The first screen of the page: who, how accurate, what each modality contributes, what is worth acquiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from brainpid.cohort.participants import has_every_modality
from brainpid.cohort.training_group import training_group
from brainpid.config.slices import ReportSettings
from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.beyond import headline_given, in_words
from brainpid.report.information import headline_cohort, headline_rows, told_and_added, verdict_of
from brainpid.report.order import order, order_in_words
from brainpid.report.words import LABELS, design, interval, listed, number, people, tenths


class Summary(NamedTuple):
    """Sentences that answer a reader's first four questions."""

    who: str
    accuracy: str
    contributions: str
    worth: str


def summarise(
    settings: ReportSettings,
    tables: Mapping[str, pd.DataFrame],
    choice: Mapping[str, Any],
    verdicts: Sequence[Mapping[str, Any]],
) -> Summary:
    """Answer in four sentences what the tables of a run say.

    Parameters
    ----------
    settings : ReportSettings
        What was run; its first model is told of.
    tables : mapping of str to DataFrame
        ``participants``, ``accuracy``, ``comparison``, ``pid`` and ``selection`` as they stand in the output folder.
    choice : mapping
        ``aggregate/selection.json``.
    verdicts : sequence of mapping
        What each modality adds and whether it is shown, as `report.information.verdicts` gives it.
    """
    return Summary(
        _who(tables["participants"], settings),
        _accuracy(tables["accuracy"], tables["comparison"], settings),
        _contributions(tables["pid"], verdicts, settings),
        _worth(tables["selection"], choice, settings),
    )


def _who(participants: pd.DataFrame, settings: ReportSettings) -> str:
    """People who take part, their cohorts and targets."""
    everybody = participants[participants["included"].astype(bool)]
    own = training_group(everybody)
    cohorts = [str(cohort) for cohort in own["cohort"].unique()]
    where = f"of {cohorts[0]}" if len(cohorts) == 1 else f"of {len(cohorts)} cohorts ({', '.join(cohorts)})"
    complete = int(has_every_modality(own, settings.modalities).sum())
    ages = f"{settings.target.column} {tenths(own['age'].min())} to {tenths(own['age'].max())} {settings.target.units}"
    have = "all" if complete == len(own) else str(complete)
    beside = ""
    if settings.train_on is not None and (others := len(everybody) - len(own)):
        values = [f"{column} {listed(names)}" for column, names in settings.train_on.items()]
        beside = f" {others} others (not {values[0]}) are predicted, and nothing is learned from them."
    return f"{people(len(own))} {where}, {ages}; {have} of them with {listed(settings.modalities)}.{beside}"


def _accuracy(accuracy: pd.DataFrame, comparison: pd.DataFrame, settings: ReportSettings) -> str:
    """Error of the first model, and its paired difference from the most accurate of the others."""
    model, units = settings.models[0], settings.target.units
    complete = accuracy[accuracy["modalities"] == "+".join(settings.modalities)]
    complete = complete[complete["cohort"] == headline_cohort(complete)].set_index("model")
    own = complete.loc[model]
    pooled = "random-effects mean over cohorts; " if own["cohort"] == POOLED else ""
    said = (
        f"Mean absolute error of {LABELS[model]} {number(own['mae'])} {units} [{number(own['mae_ci_low'])}, "
        f"{number(own['mae_ci_high'])}] in {int(own['n'])} held-out people with every modality "
        f"({pooled}{design(settings.splits)})"
    )
    others = comparison[comparison["cohort"] == own["cohort"]]
    if others.empty:
        return f"{said}; no other model was run to compare it with."
    best = others.iloc[int(complete.loc[list(others["model"]), "mae"].to_numpy().argmin())]
    which = "the other model" if len(others) == 1 else "the best of the other models"
    return f"{said}; {_against(best, units, which)}."


def _against(row: pd.Series, units: str, which: str) -> str:
    """Words for the paired difference of mean absolute errors from one model; below zero, the first errs less."""
    label = f"{LABELS[str(row['model'])]}, {which}"
    low, high = number(abs(row["ci_low"])), number(abs(row["ci_high"]))
    if row["ci_high"] < 0:
        return f"that is {number(-row['difference'])} {units} [{high}, {low}] less than {label}"
    if row["ci_low"] > 0:
        return f"that is {number(row['difference'])} {units} [{low}, {high}] more than {label}"
    return (
        f"not told apart from {label} (difference {number(row['difference'])} {units} [{number(row['ci_low'])}, "
        f"{number(row['ci_high'])}])"
    )


def _contributions(pid: pd.DataFrame, verdicts: Sequence[Mapping[str, Any]], settings: ReportSettings) -> str:
    """Bits of all modalities, and what each of them adds."""
    rows = told_and_added(pid, settings.models[0], LOG_SCORE_ESTIMATOR)
    if rows.empty:
        return "No cohort can be decomposed."
    cohort = headline_cohort(rows)
    rows = rows[rows["cohort"] == cohort].set_index(["modalities", "atom"])
    total = rows.loc[settings.modalities[0], "total"]
    told = [
        f"{modality} adds {interval(rows.loc[(modality, 'added')], 2)} ({verdict_of(verdicts, modality)})"
        for modality in sorted(settings.modalities, key=lambda name: -rows.loc[(name, "added"), "bits"])
    ]
    where = "pooled over cohorts" if cohort == POOLED else f"in {cohort}"
    if given := headline_given(pid):
        where = f"beyond {in_words(given)}, {where}"
    said = (
        f"Together the modalities tell {interval(total, 2)} bits about {settings.target.column}, {where}; beyond the "
        "others, "
    )
    ordered = order_in_words(order(headline_rows(pid, settings.models[0], LOG_SCORE_ESTIMATOR), settings.modalities))
    return f"{said}{listed(told)}. {ordered}".rstrip()


def _worth(selection: pd.DataFrame, choice: Mapping[str, Any], settings: ReportSettings) -> str:
    """Recommended subset of the modalities and what it costs in accuracy."""
    own = selection[selection["recommended"].astype(bool)].iloc[0]
    best = selection[selection["modalities"] == choice["Best"]].iloc[0]
    names = listed(str(own["modalities"]).split("+"))
    if own["modalities"] == best["modalities"]:
        return f"Acquire {names}: no cheaper subset predicts {settings.target.column} as well."
    return (
        f"{names} would do: {number(own['mae'])} against "
        f"{number(best['mae'])} {settings.target.units} with {listed(str(best['modalities']).split('+'))}, at a cost "
        f"of {own['cost']:g} instead of {best['cost']:g}."
    )
