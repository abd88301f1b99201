"""Groups of people on the report: how brain-PAD differs between them, and how well they are predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest

from brainpid.cohort.training_group import TRAINED
from brainpid.config.designs import column_of
from brainpid.config.slices import ReportSettings
from brainpid.core.names import SEX
from brainpid.evaluation.group_tables import CORRECTED, UNCORRECTED
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.figures import COLOURS, STYLE, nothing
from brainpid.report.information import SIGNIFICANT
from brainpid.report.words import LABELS, listed, number, people

MUCH_LEFT_OUT = 0.2
"""Part of the people whom nobody of the other group compares with, from which on it is said."""
SAME = ["cohort", "model", "column", "group", "reference"]


def group_rows(table: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """Rows of the page: one a group, reference and cohort of one model, the uncorrected difference beside.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/groups.tsv``.
    model : str
    """
    own = table[table["model"] == model].assign(reason=lambda found: found["reason"].fillna(""))
    beside = own[own["pad"] == UNCORRECTED].set_index(SAME)["difference"].rename("uncorrected")
    return own[own["pad"] == CORRECTED].join(beside, on=SAME).to_dict("records")


def shown_rows(table: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """Those of `group_rows` that a sentence is about: of everybody, where several cohorts have the group."""
    rows = [row for row in group_rows(table, model) if not row["reason"]]
    pooled = {(row["column"], row["group"]) for row in rows if row["cohort"] == POOLED}
    return [row for row in rows if row["cohort"] == POOLED or (row["column"], row["group"]) not in pooled]


def group_sentences(table: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """What each group's brain-PAD is against its reference by the first model, one sentence each, without full stop."""
    name, units = settings.target.column, settings.target.units
    told = []
    for row in shown_rows(table, settings.models[0]):
        where = "" if row["cohort"] == POOLED or len(settings.data_folders) == 1 else f" in {row['cohort']}"
        side = "above" if row["difference"] >= 0 else "below"
        equal = f"{name} and site" if row["column"] == SEX else f"{name}, sex and site"
        verdict = "" if row["p_value"] < SIGNIFICANT else ", which is not told apart from none"
        told.append(
            f"{row['column']} {row['group']}{where}: predicted {name} is {number(abs(row['difference']))} {units} "
            f"{side} that of {row['reference']} of the same {equal} "
            f"[{number(row['ci_low'])}, {number(row['ci_high'])}] (d = {number(row['cohens_d'])}, "
            f"p = {number(row['p_value'], 4)}, n = {row['n']} and {row['n_reference']}){verdict}"
        )
    return told


def group_flags(tables: Mapping[str, pd.DataFrame], settings: ReportSettings) -> list[str]:
    """What a reader of groups is to be careful about, one sentence each, without full stop."""
    if "groups" not in tables:
        return []
    rows = group_rows(tables["groups"], settings.models[0])
    told = [
        f"{row['column']} {row['group']} of {row['cohort']} is not compared with {row['reference']}: {row['reason']}"
        for row in rows
        if row["reason"] and row["cohort"] != POOLED
    ]
    if settings.train_on is None:
        told.append(
            f"Models were trained on all groups of {listed(list(settings.compared))}: differences between groups are "
            "smaller than where one of them alone is trained on (train_on)"
        )
    for row in shown_rows(tables["groups"], settings.models[0]):
        n = row["n"] + row["n_reference"] + row["left_out"]
        if row["left_out"] > MUCH_LEFT_OUT * n:
            told.append(
                f"{row['left_out']} of {people(n)} with {row['column']} {row['group']} or {row['reference']} are of an "
                f"{settings.target.column} or a site that the other group does not have, and are not compared"
            )
    return told + _coverage(tables.get("others"), settings)


def _coverage(others: pd.DataFrame | None, settings: ReportSettings) -> list[str]:
    """Groups that are not trained on whose intervals miss their promise, all tests together at 5%."""
    if others is None:
        return []
    rows = others[(others["model"] == settings.models[0]) & ~others[TRAINED].astype(bool)]
    promise = settings.interval_coverage
    return [
        f"Prediction intervals cover {number(100 * row.coverage, 0)}% of the {people(int(row.n))} of {row.cohort} with "
        f"{row.column} {row.group}, who are not trained on, where {number(100 * promise, 0)}% are promised to people "
        "as in the training"
        for row in rows.itertuples()
        if binomtest(round(row.coverage * row.n), int(row.n), promise).pvalue < SIGNIFICANT / len(rows)
    ]


def groups_figure(table: pd.DataFrame, model: str, target: str, units: str) -> Figure:
    """Draw the difference of every group in every cohort, corrected and uncorrected, with intervals.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/groups.tsv``.
    model : str
    target, units : str
        Name and unit of the target.
    """
    own = table[(table["model"] == model) & np.isfinite(table["difference"].astype(float))]
    if own.empty:
        return nothing("No groups are compared.")
    corrected = own[own["pad"] == CORRECTED]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 0.5 * len(corrected) + 1.4), layout="constrained")
        ax = figure.subplots()
        ax.axvline(0, color="#333333", linewidth=0.8)
        for shift, (pad, rows) in zip((-0.12, 0.12), own.groupby("pad", sort=False), strict=False):
            first = pad == CORRECTED
            places = np.arange(len(rows)) + shift
            colour = COLOURS[0] if first else "#777777"
            ax.hlines(places, rows["ci_low"], rows["ci_high"], color=colour, linewidth=2.2 if first else 1.2)
            ax.plot(
                rows["difference"], places, "D" if first else "o", color=colour, linestyle="none",
                markerfacecolor=colour if first else "white", markersize=6, label=f"{pad} for {target} bias",
            )  # fmt: skip
        labels = [
            f"{row.cohort}: {row.group} − {row.reference} (n = {row.n} and {row.n_reference})"
            for row in corrected.itertuples()
        ]
        ax.set_yticks(range(len(corrected)), labels)
        ax.set_ylim(len(corrected) - 0.5, -0.5)
        ax.grid(axis="y", visible=False)
        ax.set_xlabel(f"difference of predicted − true {target} ({units})")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def trained_in_words(participants: pd.DataFrame, settings: ReportSettings) -> str:
    """Who is trained on and who is predicted, in a sentence without full stop; empty where everybody is."""
    if TRAINED not in participants or settings.train_on is None:
        return ""
    column = str(column_of(settings.train_on))
    taking = participants[participants["included"].astype(bool)]
    inside = int(taking[TRAINED].sum())
    values = listed(list(settings.train_on[column]))
    others = len(taking) - inside
    return (
        f"Models were trained on the {people(inside)} with {column} {values}; "
        f"{'1 other was' if others == 1 else f'{others} others were'} predicted by models of the folds and "
        "nothing was learned from them"
    )


def groups_in_methods(participants: pd.DataFrame, settings: ReportSettings) -> str:
    """Sentences of the methods text, with a space before; empty where no groups are compared."""
    said = f" {words}." if (words := trained_in_words(participants, settings)) else ""
    if not settings.compared:
        return said
    name = settings.target.column
    but_itself = " (sex not where it is compared)" if SEX in settings.compared else ""
    return (
        f"{said} Groups ({listed(list(settings.compared))}) were compared in predicted less true {name}, corrected by "
        f"the line of the training people of the fold (de Lange et al. 2022), among participants of {name}s and sites "
        f"that both groups have, by regression on group, a natural spline of {name} (3 degrees of freedom), sex and "
        f"site{but_itself} with HC3 standard errors (MacKinnon and White 1985), and tested by permuting residuals "
        f"within sites (Freedman and Lane 1983); {LABELS[settings.models[0]]} unless said."
    )
