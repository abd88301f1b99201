"""How the model fares elsewhere: errors under every scheme of the splits side by side, drawn and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainpid.config.slices import ReportSettings
from brainpid.evaluation.random_effects import POOLED
from brainpid.evaluation.transfer import PEOPLE, reference_of
from brainpid.report.figures import COLOURS, STYLE
from brainpid.report.words import LABELS, SCHEME_WORDS, number

MARKERS = ("o", "D", "s")
"""Of the schemes, in their order."""


def card(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rows of one model with the words of its scheme and the name of each group, in the order of the table.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/transfer.tsv``.
    model : str
    """
    own = table[table["model"] == model].copy()
    site = own["site"].fillna("").astype(str)
    own["group"] = own["cohort"].astype(str).where(site == "", own["cohort"].astype(str) + " " + site)
    own.loc[own["cohort"] == POOLED, "group"] = "everybody"
    own["whole"] = site == ""
    own["words"] = [SCHEME_WORDS[scheme] for scheme in own["scheme"]]
    return own


def everybody(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """Rows of everybody, of one model, that have a gap: one a scheme beside the reference."""
    own = card(table, model)
    return own[(own["group"] == own["group"].iloc[0]) & own["reference"].fillna("").astype(str).ne("")]


def shown(row: pd.Series) -> bool:
    """Whether a larger error, or coverage further below, is shown where people are left out together."""
    return bool(row["mae_gap_low"] > 0 or row["coverage_gap_high"] < 0)


def sentences(table: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """What the first model does under each further scheme, one plain sentence each, without full stop."""
    model, units = settings.models[0], settings.target.units
    own = card(table, model)
    reference = own.iloc[[scheme == reference_of(settings.splits.schemes) for scheme in own["scheme"]]].iloc[0]
    told = []
    for _, row in everybody(table, model).iterrows():
        less = "more" if row["mae_gap"] >= 0 else "less"
        verdict = "" if row["mae_gap_low"] > 0 or row["mae_gap_high"] < 0 else ", which is not told apart from none"
        bits = (
            f"; its predictions tell {number(row['bits'])} instead of {number(reference['bits'])} bits "
            f"({_signed(row, 'bits')})"
            if np.isfinite(row["bits"]) and np.isfinite(reference["bits"])
            else ""
        )
        told.append(
            f"With {row['words']}, {LABELS[model]} errs by {number(row['mae'])} {units}, "
            f"{number(abs(row['mae_gap']))} {less} than with {reference['words']} ({_signed(row, 'mae')}){verdict}, "
            f"and {number(100 * row['coverage'], 0)}% of its {number(100 * settings.interval_coverage, 0)}% intervals "
            f"hold instead of {number(100 * reference['coverage'], 0)}%{bits}"
        )
    return told


def gaps_shown(table: pd.DataFrame, settings: ReportSettings) -> list[str]:
    """Sentences on the schemes under which the first model is shown to be worse."""
    rows = everybody(table, settings.models[0])
    return [words for words, (_, row) in zip(sentences(table, settings), rows.iterrows(), strict=True) if shown(row)]


def _signed(row: pd.Series, value: str) -> str:
    """Interval of a gap."""
    return f"gap [{number(row[f'{value}_gap_low'])}, {number(row[f'{value}_gap_high'])}]"


def transfer_forest(table: pd.DataFrame, model: str, schemes: Sequence[str], units: str) -> Figure:
    """Draw the error of everybody, every cohort and every site under each scheme, and the gap with its interval.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/transfer.tsv``.
    model : str
        Model that is shown.
    schemes : sequence of str
        In the order of the configuration.
    units : str
        Of the target.
    """
    own = card(table, model)
    names = list(dict.fromkeys(own["group"]))
    first = own.drop_duplicates("group").set_index("group")
    labels = [f"{'' if first.loc[name, 'whole'] else '  '}{name} (n = {int(first.loc[name, 'n'])})" for name in names]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9.0, 0.26 * len(names) * max(1, len(schemes) - 1) + 1.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for place, scheme in enumerate(schemes):
            rows = own[own["scheme"] == scheme]
            y = [names.index(name) for name in rows["group"]]
            left.plot(
                rows["mae"], y, MARKERS[place], color=COLOURS[place], markersize=6, linestyle="none",
                label=SCHEME_WORDS[scheme],
            )  # fmt: skip
            for _, row in rows.iterrows():
                _gap(right, row, names.index(row["group"]) + 0.12 * place, COLOURS[place], MARKERS[place])
        right.axvline(0, color="#333333", linewidth=0.8)
        left.set_xlabel(f"mean absolute error ({units})")
        right.set_xlabel(f"gap to {SCHEME_WORDS[reference_of(schemes)]} ({units})")
        left.set_yticks(range(len(names)), labels)
        left.set_ylim(len(names) - 0.5, -0.5)
        for ax in (left, right):
            ax.grid(axis="y", visible=False)
        figure.legend(loc="outside lower center", ncols=len(schemes), frameon=False)
    return figure


def _gap(ax: Axes, row: pd.Series, y: float, colour: str, marker: str) -> None:
    """One gap with its interval; none of the reference."""
    if not np.isfinite(row["mae_gap"]):
        return
    if np.isfinite(row["mae_gap_low"]):
        ends: list[Any] = [row["mae_gap_low"], row["mae_gap_high"]]
        ax.plot(ends, [y, y], color=colour, linewidth=2.2 if row["whole"] else 1.2, solid_capstyle="butt")
    ax.plot([row["mae_gap"]], [y], marker=marker, color=colour, markersize=6 if row["whole"] else 4, linestyle="none")


def over_people(table: pd.DataFrame, model: str) -> bool:
    """Whether the gap of everybody rests on so few sites that its interval is over people alone."""
    return bool((everybody(table, model)["interval_over"] == PEOPLE).any())
