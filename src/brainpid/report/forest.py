"""Informations with their intervals as points on one scale: of the summary, and of all cohorts as a forest plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainpid.evaluation.random_effects import POOLED
from brainpid.report.figures import COLOURS, STYLE, nothing
from brainpid.report.information import headline_cohort, told_and_added
from brainpid.report.words import number

POINTS = (("alone", COLOURS[0], "alone: what it tells by itself"), ("added", COLOURS[5], "added to all the others"))
"""Quantities of a modality: atom, colour, words."""
TRUE: dict[str, Any] = {
    "marker": "D", "markersize": 5, "markerfacecolor": "white", "markeredgecolor": "black", "linestyle": "none",
}  # fmt: skip
"""How a true value is marked."""
MODERATED_BELOW = 0.3
"""Of a row, below the pooled value."""


def contributions(
    pid: pd.DataFrame, model: str, names: Sequence[str], estimator: str, truth: pd.DataFrame | None = None
) -> Figure:
    """What each modality tells alone and adds, and all together, pooled over cohorts or of the only one.

    Parameters
    ----------
    pid : DataFrame
        Rows of ``aggregate/pid.tsv``.
    model : str
        Model whose information is shown.
    names : sequence of str
        Modalities, from top to bottom.
    estimator : str
        How information is estimated.
    truth : DataFrame, optional
        True values of synthetic cohorts, of `brainpid.cohort.truth.read_truths`; they are drawn as diamonds.
    """
    rows = told_and_added(pid, model, estimator)
    if rows.empty:
        return nothing("No cohort can be decomposed.")
    cohort = headline_cohort(rows)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 0.55 * len(names) + 1.8), layout="constrained")
        ax = figure.subplots()
        draw_contributions(ax, rows[rows["cohort"] == cohort], names, truth)
        ax.set_title(f"{cohort} (n = {int(rows.loc[rows['cohort'] == cohort, 'n'].iloc[0])})")
        ax.set_xlabel("information about the target (bits)")
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_contributions(ax: Axes, rows: pd.DataFrame, names: Sequence[str], truth: pd.DataFrame | None) -> None:
    """Total, alone and added of one cohort as points with intervals, and what is true of it as white diamonds.

    Parameters
    ----------
    ax : Axes
    rows : DataFrame
        Of one cohort, of `brainpid.report.information.told_and_added`.
    names : sequence of str
        Modalities, from top to bottom.
    truth : DataFrame or None
        Of `brainpid.cohort.truth.read_truths`.
    """
    cohort, known = str(rows["cohort"].iloc[0]), rows.set_index(["modalities", "atom"])
    _point(ax, known.loc[(names[0], "total")], 0.0, "#333333", "D", None)
    _true(ax, truth, (cohort, names[0], "total"), 0.0)
    for place, name in enumerate(names, start=1):
        for (atom, colour, words), shift in zip(POINTS, (-0.16, 0.16), strict=True):
            _point(ax, known.loc[(name, atom)], place + shift, colour, "o", words if place == 1 else None)
            _true(ax, truth, (cohort, name, atom), place + shift)
    if truth is not None and (truth["cohort"] == cohort).any():
        ax.plot([], [], **TRUE, label="planted truth")
    ax.axvline(0, color="#333333", linewidth=0.8)
    ax.set_yticks(range(len(names) + 1), ["all together", *names])
    ax.set_ylim(len(names) + 0.5, -0.5)
    ax.grid(axis="y", visible=False)


def forest(
    pid: pd.DataFrame,
    pooling: pd.DataFrame,
    model: str,
    names: Sequence[str],
    estimator: str,
    truth: pd.DataFrame | None = None,
) -> Figure:
    """Total, alone and added of every cohort and of all pooled on one scale, with the interval of another cohort.

    Parameters
    ----------
    pid : DataFrame
        Rows of ``aggregate/pid.tsv``, of two or more cohorts and ``pooled``; the standard deviation of their targets
        stands beside the number of people.
    pooling : DataFrame
        ``aggregate/pooling.tsv``: within ``predicted_low`` and ``predicted_high`` another cohort is expected, a thin
        line of the pooled rows; an arrow where it goes beyond the scale, which is that of the estimates. A hollow
        diamond is what a cohort of the middle standard deviation tells, where that is known.
    model : str
        Model whose information is shown.
    names : sequence of str
        Modalities, a row of panels each.
    estimator : str
        How information is estimated.
    truth : DataFrame, optional
        As in `contributions`.
    """
    rows = told_and_added(pid, model, estimator)
    cohorts = [cohort for cohort in dict.fromkeys(rows["cohort"]) if cohort != POOLED] + [POOLED]
    known = rows.set_index(["cohort", "modalities", "atom"])
    expected = told_and_added(pooling, model, estimator).set_index(["modalities", "atom"])
    ends = rows[["bits", "ci_low", "ci_high"]].to_numpy(dtype=float)
    low, high = min(np.nanmin(ends), 0.0), np.nanmax(ends)
    reach = (low - 0.05 * (high - low), high + 0.05 * (high - low))
    people = {cohort: int(rows.loc[rows["cohort"] == cohort, "n"].max()) for cohort in cohorts}
    spread = {cohort: rows.loc[rows["cohort"] == cohort, "age_sd"].max() for cohort in cohorts}
    sd = {cohort: f", sd {number(value, 1)}" if np.isfinite(value) else "" for cohort, value in spread.items()}
    labels = [f"{cohort} (n = {people[cohort]}{sd[cohort]})" for cohort in cohorts]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, (len(names) + 1) * (0.24 * len(cohorts) + 0.55) + 0.5), layout="constrained")
        axes = figure.subplots(len(names) + 1, 2, sharex=True, sharey=True, squeeze=False)
        panels = [(axes[0, 0], names[0], "total", "all together", "#333333")]
        for row, name in zip(axes[1:], names, strict=True):
            panels += [
                (ax, name, atom, f"{name} {atom}", colour) for ax, (atom, colour, _) in zip(row, POINTS, strict=True)
            ]
        axes[0, 1].set_visible(False)
        for ax, name, atom, title, colour in panels:
            for place, cohort in enumerate(cohorts):
                if (cohort, name, atom) in known.index:
                    pooled = cohort == POOLED
                    _point(ax, known.loc[(cohort, name, atom)], place, colour, "D" if pooled else "o", None)
                    _true(ax, truth, (cohort, name, atom), place)
            if (name, atom) in expected.index:
                _reach(ax, expected.loc[(name, atom)], len(cohorts) - 1, colour, reach)
                _moderated(ax, expected.loc[(name, atom)], len(cohorts) - 1 + MODERATED_BELOW, colour)
            ax.axvline(0, color="#333333", linewidth=0.8)
            ax.axhline(len(cohorts) - 1.5, color="#BBBBBB", linewidth=0.8)
            ax.set_title(title, loc="left")
            ax.grid(axis="y", visible=False)
        axes[0, 0].tick_params(labelbottom=True)
        axes[0, 0].set_xlim(reach)
        axes[0, 0].set_ylim(len(cohorts) - 0.5, -0.5)
        axes[0, 0].set_yticks(range(len(cohorts)), labels)
        for ax in axes[-1]:
            ax.set_xlabel("information about the target (bits)")
    return figure


def _point(ax: Axes, row: pd.Series, y: float, colour: str, marker: str, label: str | None) -> None:
    """One estimate with its interval, where it has one."""
    if np.isfinite(row["ci_low"]) and np.isfinite(row["ci_high"]):
        ax.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt")
    ax.plot([row["bits"]], [y], color=colour, marker=marker, markersize=7, linestyle="none", label=label)


def _true(ax: Axes, truth: pd.DataFrame | None, key: tuple[str, str, str], y: float) -> None:
    """A white diamond at the true value of a cohort, modality and atom, where it is known."""
    if truth is None or truth.empty:
        return
    same = (truth[["cohort", "modalities", "atom"]] == list(key)).all(axis=1) & (truth["scope"] == "one_vs_rest")
    for value in truth.loc[same, "bits"].head(1):
        ax.plot([value], [y], **TRUE, zorder=4)


def _moderated(ax: Axes, row: pd.Series, y: float, colour: str) -> None:
    """A hollow diamond at what a cohort of the middle standard deviation tells, where the spread is a moderator."""
    if np.isfinite(row["moderated_bits"]):
        ax.plot([row["moderated_ci_low"], row["moderated_ci_high"]], [y, y], color=colour, linewidth=1.2)
        ax.plot(
            [row["moderated_bits"]],
            [y],
            color=colour,
            marker="D",
            markersize=5,
            markerfacecolor="white",
            linestyle="none",
        )


def _reach(ax: Axes, row: pd.Series, y: float, colour: str, scale: tuple[float, float]) -> None:
    """Thin line of where another cohort is expected, with an arrow where it leaves the scale."""
    ends = row["predicted_low"], row["predicted_high"]
    if not np.isfinite(ends).all():
        return
    ax.plot(np.clip(ends, *scale), [y, y], color=colour, linewidth=0.8)
    for end, edge, marker, beyond in (
        (ends[0], scale[0], "<", ends[0] < scale[0]),
        (ends[1], scale[1], ">", ends[1] > scale[1]),
    ):
        if beyond:
            ax.plot([edge], [y], color=colour, marker=marker, markersize=5, clip_on=False)
        else:
            ax.plot([end], [y], color=colour, marker="|", markersize=6)
