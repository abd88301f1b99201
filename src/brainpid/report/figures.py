"""Figures of a run, drawn from tables; nothing here reads or writes files."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import beta, chi2

from brainpid.core.arrays import FloatArray
from brainpid.model.registry import MODELS

# Okabe & Ito 2008: eight colours that people with any colour vision can tell apart.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000"]
ATOMS = {
    "alone": "alone: what it tells by itself",
    "added": "added: what it adds to all the others",
    "unique": "unique (idep)",
    "redundant": "redundant with the others (idep)",
    "synergy": "synergy with the others (idep)",
}
DOT = re.compile(r"(<use [^>]*)/>")
"""A dot of a scatter in the SVG of matplotlib."""
MOST_PANELS = 4
"""Panels of models in one row, as wide as the page shows them legibly."""
PANEL_INCHES = {1: 6.0, 2: 5.2}
"""Width of a panel where there are few in a row."""
MOST_FEATURES = 15
"""Features in the figure of importances."""
MOST_NAMED_PEOPLE = 6000
"""Dots that carry the label of their participant: those of a larger figure would take megabytes."""
MOST_LABELS = 15
"""Most subsets of modalities that all have their names in the figure: those of four modalities."""
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "brainpid",  # same data, same bytes
    "text.parse_math": False,  # a $ in a name is no formula
    "font.size": 10,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "axes.axisbelow": True,
}


def to_svg(figure: Figure, titles: Mapping[str, Sequence[str]] | None = None) -> str:
    """Render as SVG text without a date, so that equal data gives equal bytes.

    Parameters
    ----------
    figure : Figure
    titles : mapping of str to sequence of str, optional
        What a viewer shows over each dot of a scatter, by its ``gid``; in the order of the dots.

    Raises
    ------
    ValueError
        Where a scatter has not as many dots as titles.
    """
    with io.StringIO() as text, mpl.rc_context(STYLE):
        figure.savefig(text, format="svg", metadata={"Date": None}, bbox_inches="tight")
        svg = text.getvalue()
    for gid, words in (titles or {}).items():
        before, mark, after = svg.partition(f'<g id="{gid}">')
        own, end, rest = after.partition("</g>")
        dots = DOT.split(own)  # what is between the dots, and they, by turns
        dots[1::2] = [
            f"{dot}><title>{html.escape(one)}</title></use>" for dot, one in zip(dots[1::2], words, strict=True)
        ]
        svg = before + mark + "".join(dots) + end + rest
    return svg


def people_of_dots(predictions: pd.DataFrame, units: str) -> dict[str, list[str]]:
    """Titles of the dots of `predicted_age`: participant, cohort, true and predicted target; none where too many.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``aggregate/predictions.tsv``.
    units : str
        Unit of the target.
    """
    people = _averaged(predictions)
    if len(people) > MOST_NAMED_PEOPLE:
        return {}
    groups = people.groupby(["model", "cohort"], sort=False)
    cohorts = list(dict.fromkeys(predictions["cohort"]))
    return {
        _gid(str(model), cohorts.index(cohort)): [
            f"{row.participant_id} ({row.cohort}): true {row.age:.4g}, predicted {row.predicted_age:.1f} {units}"
            for row in rows.itertuples()
        ]
        for (model, cohort), rows in groups
    }


def _gid(model: str, cohort: int) -> str:
    """Name of the dots of one cohort by one model within the figure."""
    return f"dots_{model}_{cohort}"


def _averaged(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row for each model and person, repeats averaged."""
    return predictions.groupby(["model", "cohort", "participant_id"], as_index=False)[["age", "predicted_age"]].mean()


def predicted_age(predictions: pd.DataFrame, models: Sequence[str], label: str) -> Figure:
    """Out-of-fold prediction against the true target, one panel a model, one dot a person, one colour a cohort.

    Panels of many models come in several rows of at most `MOST_PANELS`.

    Parameters
    ----------
    predictions : DataFrame
        Rows of ``aggregate/predictions.tsv``; a person's repeats are averaged.
    models : sequence of str
        Models in the order of the panels.
    label : str
        Name and unit of the target.
    """
    people = _averaged(predictions)
    low, high = people[["age", "predicted_age"]].min().min(), people[["age", "predicted_age"]].max().max()
    cohorts = list(dict.fromkeys(predictions["cohort"]))
    lines = -(-len(models) // MOST_PANELS)
    columns = -(-len(models) // lines)
    with mpl.rc_context(STYLE):
        inches = PANEL_INCHES.get(columns, 3.6)
        figure = Figure(figsize=(inches * columns, (inches + 0.3) * lines), layout="constrained")
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        size = float(np.clip(inches * 1500 / len(people), 3, 26))
        for place, (ax, model) in enumerate(zip(axes.flat, models, strict=False)):
            ax.plot([low, high], [low, high], color="#666666", linewidth=1, zorder=1)
            for index, cohort in enumerate(cohorts):
                rows = people[(people["model"] == model) & (people["cohort"] == cohort)]
                ax.scatter(
                    rows["age"], rows["predicted_age"], s=size, alpha=0.6, linewidths=0,
                    color=COLOURS[index % len(COLOURS)], label=cohort, gid=_gid(model, index),
                )  # fmt: skip
            ax.set_title(MODELS[model].label)
            if place + columns >= len(models):  # nothing is below
                ax.set_xlabel(f"true {label}")
                ax.tick_params(labelbottom=True)
            ax.set_aspect("equal")
        for ax in axes.flat[len(models) :]:
            ax.set_visible(False)
        for ax in axes[:, 0]:
            ax.set_ylabel(f"predicted {label}")
        if len(cohorts) > 1:
            handles, labels = axes[0, 0].get_legend_handles_labels()
            ncols = min(len(cohorts), 6)
            figure.legend(handles, labels, loc="outside lower center", ncols=ncols, markerscale=3, frameon=False)
    return figure


def normality(distances: Mapping[str, FloatArray]) -> Figure:
    """Squared Mahalanobis distances against what joint normality expects, one panel a cohort, one dot a person.

    Parameters
    ----------
    distances : mapping of str to ndarray, shape (n,)
        By cohort, of two variables.
    """
    if not distances:
        return nothing("Normality cannot be judged in any cohort.")
    columns = min(len(distances), 3)
    lines = -(-len(distances) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * columns, 3.4 * lines), layout="constrained")
        axes = figure.subplots(lines, columns, squeeze=False)
        for ax, (cohort, values) in zip(axes.flat, distances.items(), strict=False):
            n = len(values)
            place = (np.arange(n) + 0.5) / n
            expected = chi2.ppf(place, 2)
            # A pointwise 95% band of order statistics: the k-th of n uniforms is a beta variable.
            band = chi2.ppf(beta.ppf([[0.025], [0.975]], np.arange(1, n + 1), np.arange(n, 0, -1)), 2)
            ax.fill_between(expected, *band, color="#BBBBBB", alpha=0.5, linewidth=0)
            ax.plot(expected, expected, color="#666666", linewidth=1)
            ax.scatter(expected, np.sort(values), s=float(np.clip(3000 / n, 2, 12)), color=COLOURS[0], linewidths=0)
            ax.set_title(cohort)
            ax.set_xlabel("expected (chi-squared, 2 df)")
        for ax in axes.flat[len(distances) :]:
            ax.set_visible(False)
        for ax in axes[:, 0]:
            ax.set_ylabel("squared distance from the mean")
    return figure


def modalities(
    pid: pd.DataFrame, model: str, names: Sequence[str], estimator: str, truth: pd.DataFrame | None = None
) -> Figure:
    """Information of each modality, alone and against all the others, one panel a cohort, with intervals.

    Parameters
    ----------
    pid : DataFrame
        Rows of ``aggregate/pid.tsv``.
    model : str
        Model whose information is shown.
    names : sequence of str
        Modalities in the order of the groups.
    estimator : str
        How information is estimated.
    truth : DataFrame, optional
        True values of synthetic cohorts, of `brainpid.cohort.truth.read_truths`; they are drawn as diamonds.
    """
    rows = pid[(pid["model"] == model) & (pid["scope"] == "one_vs_rest") & (pid["estimator"] == estimator)]
    if rows.empty:
        return nothing("No cohort can be decomposed.")
    measure = "idep" if (rows["measure"] == "idep").any() else rows["measure"].iloc[0]
    rows = rows[rows["measure"] == measure]
    cohorts = list(dict.fromkeys(rows["cohort"]))
    columns = min(len(cohorts), 3)
    lines = -(-len(cohorts) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(4.6 * columns, 6.5), 3.4 * lines + 0.9), layout="constrained")
        axes = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for ax, cohort in zip(axes.flat, cohorts, strict=False):
            _bars(ax, rows[rows["cohort"] == cohort], names, measure)
            if truth is not None:
                known = (truth["cohort"] == cohort) & (truth["measure"] == measure) & (truth["scope"] == "one_vs_rest")
                _marks(ax, truth[known], names)
            ax.set_title(f"{cohort} (n = {int(rows.loc[rows['cohort'] == cohort, 'n'].iloc[0])})")
        for ax in axes.flat[len(cohorts) :]:
            ax.set_visible(False)
        for ax in axes[:, 0]:
            ax.set_ylabel("information about the target (bits)")
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def nothing(words: str) -> Figure:
    """Draw a sentence in the place of a figure that has nothing to show."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.5, 1.0))
        figure.text(0.5, 0.5, words, ha="center", va="center")
    return figure


def _bars(ax: Axes, rows: pd.DataFrame, names: Sequence[str], measure: str) -> None:
    """One group of bars for each modality, with intervals."""
    width = 0.8 / len(ATOMS)
    for index, (atom, label) in enumerate(ATOMS.items()):
        chosen = rows[rows["atom"] == atom].set_index("modalities").loc[list(names)]
        x = np.arange(len(names)) + (index - (len(ATOMS) - 1) / 2) * width
        ax.bar(x, chosen["bits"], width=0.92 * width, color=COLOURS[index], label=label.replace("idep", measure))
        reach = np.abs(chosen[["ci_low", "ci_high"]].to_numpy().T - chosen["bits"].to_numpy())
        known = np.isfinite(reach).all(axis=0)
        ax.errorbar(x[known], chosen["bits"][known], yerr=reach[:, known], fmt="none", ecolor="#333333", capsize=2)
    ax.axhline(0, color="#333333", linewidth=0.8)
    ax.set_xticks(range(len(names)), list(names))
    ax.grid(axis="x", visible=False)


def _marks(ax: Axes, truth: pd.DataFrame, names: Sequence[str]) -> None:
    """A diamond at each true value, on its bar; nothing where none is known."""
    if truth.empty:
        return
    true = truth.set_index(["modalities", "atom"])["bits"]
    bars = [(place, index, (name, atom)) for place, name in enumerate(names) for index, atom in enumerate(ATOMS)]
    x = [place + (index - (len(ATOMS) - 1) / 2) * 0.8 / len(ATOMS) for place, index, _ in bars]
    ax.scatter(
        x, [true[key] for *_, key in bars], marker="D", s=22, facecolors="white", edgecolors="black", zorder=4,
        label="truth of the synthetic cohort",
    )  # fmt: skip


def importance(table: pd.DataFrame, units: str) -> Figure:
    """Change of predictions by the features that count most, with the standard deviation between folds.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/importance.tsv``.
    units : str
        Unit of the target.
    """
    rows = table[table["scope"] == "feature"].head(MOST_FEATURES).iloc[::-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.5, 0.26 * len(rows) + 1.2), layout="constrained")
        ax = figure.subplots()
        for colour, words, chosen in (
            (COLOURS[5], "prediction rises with the feature", rows["effect"] > 0),
            (COLOURS[0], "prediction falls", rows["effect"] <= 0),
        ):
            if not chosen.any():  # its colour in the legend would be that of nobody
                continue
            ax.barh(
                np.flatnonzero(chosen),
                rows["change"][chosen],
                xerr=rows["change_sd"][chosen].fillna(0.0),
                color=colour,
                ecolor="#333333",
                height=0.7,
                label=words,
            )
        ax.set_yticks(range(len(rows)), [f"{row.feature} ({row.modality})" for row in rows.itertuples()])
        ax.axvline(0, color="#333333", linewidth=0.8)
        ax.set_xlabel(f"mean absolute change of predictions when permuted ({units})")
        ax.grid(axis="y", visible=False)
        figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def selection(table: pd.DataFrame, label: str, units: str) -> Figure:
    """Mean absolute error of every subset of the modalities against its cost, with intervals and the frontier.

    The frontier joins the subsets than which none is both cheaper and more accurate. Subsets of equal cost stand side
    by side around it. Where there are more than `MOST_LABELS` subsets, those on the frontier and the recommended one
    alone have their names.

    Parameters
    ----------
    table : DataFrame
        ``aggregate/selection.tsv``.
    label, units : str
        Name and unit of the target.
    """
    rows = table.sort_values(["cost", "mae"], kind="stable").reset_index(drop=True)
    reach = max(rows["cost"].max() - rows["cost"].min(), 1e-9)
    # As far apart as a label is wide, so that a subset still stands at its cost.
    x = _side_by_side(rows["cost"].to_numpy(dtype=float), reach * min(0.035, 0.75 / len(rows)))
    on_frontier = rows["mae"] < rows["mae"].cummin().shift(fill_value=np.inf)
    named = on_frontier | rows["recommended"] | (len(rows) <= MOST_LABELS)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.5, 4.4), layout="constrained")
        ax = figure.subplots()
        ends = np.abs(rows[["mae_ci_low", "mae_ci_high"]].to_numpy().T - rows["mae"].to_numpy())
        ax.errorbar(x, rows["mae"], yerr=ends, fmt="none", ecolor="#999999", capsize=2, linewidth=1, zorder=2)
        ax.plot(
            x[on_frontier], rows["mae"][on_frontier], color=COLOURS[0], linewidth=1.2, drawstyle="steps-post",
            label="frontier: nothing cheaper is as accurate", zorder=1,
        )  # fmt: skip
        colours = np.where(on_frontier, COLOURS[0], "#999999")
        ax.scatter(x, rows["mae"], c=colours, s=26, linewidths=0, zorder=3)
        chosen = rows["recommended"].to_numpy(dtype=bool)
        ax.scatter(
            x[chosen], rows["mae"][chosen], s=130, facecolors="none", edgecolors=COLOURS[5], linewidths=2,
            label="recommended", zorder=4,
        )  # fmt: skip
        for place, row in rows[named].iterrows():
            ax.annotate(
                row["modalities"], (x[place], row["mae_ci_high"]), xytext=(0, 10 if row["recommended"] else 4),
                textcoords="offset points", rotation=90, ha="center", va="bottom", fontsize=9,
                fontweight="bold" if row["recommended"] else "normal",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},  # the frontier passes behind
            )  # fmt: skip
        costs = rows["cost"].unique()
        if len(costs) <= 12:
            ax.set_xticks(costs, [f"{cost:g}" for cost in costs])
        ax.grid(axis="x", visible=False)
        low, high = rows["mae_ci_low"].min(), rows["mae_ci_high"].max()
        longest = rows["modalities"][named].str.len().max()
        ax.set_ylim(low - 0.06 * (high - low), high + (0.06 + 0.028 * longest) * (high - low))
        ax.margins(x=0.08)
        ax.set_xlabel("cost of acquiring the modalities")
        ax.set_ylabel(f"mean absolute error of {label} ({units})")
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def _side_by_side(x: FloatArray, gap: float) -> FloatArray:
    """Move ascending places (n,) apart to at least `gap`, each cluster around its mean."""
    clusters: list[tuple[float, int]] = []
    for value in x:
        clusters.append((float(value), 1))
        while len(clusters) > 1:
            (left, n), (right, m) = clusters[-2:]
            if right - left >= gap * (n + m) / 2:
                break
            clusters[-2:] = [((n * left + m * right) / (n + m), n + m)]
    return np.concatenate([centre + gap * (np.arange(n) - (n - 1) / 2) for centre, n in clusters])
