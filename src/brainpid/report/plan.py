"""What is said and drawn of a plan: three sentences, a data dictionary, and the figure of the learning curves."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainpid.evaluation.expected import ADDED, ALONE, CURVE, EXPECTED, MAE, OBSERVED, TOTAL
from brainpid.evaluation.learning_curve import FARTHEST
from brainpid.evaluation.random_effects import POOLED
from brainpid.model.registry import MODELS
from brainpid.report.figures import COLOURS, STYLE

QUANTITIES = {
    MAE: "mean absolute error of held-out people, in the target's units",
    TOTAL: "information in the prediction from all modalities, in bits: the mean log score of held-out people",
    ALONE: "information in the prediction from the modality alone, in bits",
    "information": "information in the prediction from these modalities, in bits",
    ADDED: "what the modality adds beyond all the others, in bits: total less the information of the others",
}
KINDS = {
    OBSERVED: "what the study found with the people that it has, by its first model",
    CURVE: "refits of the reader to a part of the training people, at the level of the first model; the interval is "
    "that of the difference to all of them",
    EXPECTED: "what is expected of the first model with so many people",
}
COLUMNS = {
    "cohort": "name of the cohort; pooled is the mean over the people of all cohorts",
    "model": "first model of the study, whose level it is",
    "quantity": "what is told",
    "modalities": "names joined with +; people with every modality are predicted from these",
    "kind": "how it is known",
    "times": "multiple of the people of the study, every cohort's by the same; of refits the part of the training "
    "people",
    "n": "people of the study who take part, of all cohorts, times this",
    "value": "estimate, in units",
    "ci_low": "lower end of its interval",
    "ci_high": "upper end of its interval: which people the study has, which curve goes through the refits, and how "
    "unlike the reader the model gains. Errors are widened by se_factor as bits are, so that it is wider than the "
    "interval of accuracy.tsv",
    "gain": "value less what is observed now, in units: below 0 for errors that fall, above 0 for bits that rise",
    "gain_low": "lower end of its interval, which does without the first of the three",
    "gain_high": "upper end of its interval",
    "units": "of value, gain and their intervals",
    "n_evaluated": "people with every modality over whom it is the mean",
}
CANNOT_SAY = (
    f"Nothing is said beyond {FARTHEST:g} times the people: curves that fit the refits equally well part there, and "
    "the value of a whole population cannot be told from a study.",
    "More people are taken to be like those of the study, with the same modalities missing as often. People of "
    "another scanner or range of age are not.",
    "The form of the curve is that of a cheap reader. A model of another kind, which begins to profit only at a number "
    "of people that the study has not reached, is not foreseen.",
)


def plan_dictionary() -> dict[str, object]:
    """Data dictionary of ``plan.tsv``."""
    levels = {"quantity": QUANTITIES, "kind": KINDS}
    columns: dict[str, object] = {
        name: {"Description": text} | ({"Levels": levels[name]} if name in levels else {})
        for name, text in COLUMNS.items()
    }
    return columns | {"CannotSay": list(CANNOT_SAY)}


def sentences(table: pd.DataFrame) -> list[str]:
    """Three sentences on the farthest number of people: what it brings, where it brings nothing, what gains most.

    Parameters
    ----------
    table : DataFrame
        What `brainpid.evaluation.expected.expected_table` gave. Of several cohorts the people of all are told.
    """
    cohort = POOLED if (table["cohort"] == POOLED).any() else table["cohort"].iloc[0]
    own = table[table["cohort"] == cohort]
    now = own[own["kind"] == OBSERVED].set_index(["quantity", "modalities"])
    far = own[(own["kind"] == EXPECTED) & (own["times"] == own["times"].max())].set_index(["quantity", "modalities"])
    everything = far.loc[TOTAL].index[0]
    error, bits = far.loc[MAE, everything], far.loc[TOTAL, everything]
    error_now, bits_now = (float(now.loc[(name, everything), "value"]) for name in (MAE, TOTAL))
    first = (
        f"With {error['n']:.0f} people instead of {now.loc[(MAE, everything), 'n']:.0f}, {_label(own)} is expected to "
        f"be off by {_interval(error, 'value', 2)} {error['units']} instead of {error_now:.2f}, a change of "
        f"{_interval(error, 'gain', 2)}, and to tell {_interval(bits, 'value', 2)} bits instead of {bits_now:.2f}, a "
        f"change of {_interval(bits, 'gain', 3)}."
    )
    parts = {(name, m): row for (name, m), row in far.iterrows() if name in (ALONE, ADDED)}
    surely = {key: row for key, row in parts.items() if row["gain_low"] > 0}
    nothing = [f"{m} {name}" for name, m in parts if (name, m) not in surely]
    second = (
        f"More people bring no bits that can be told from none to: {', '.join(nothing)}."
        if nothing
        else "More people bring bits to every modality, alone and added to the others."
    )
    if not surely:
        return [first, second, "No modality gains more than can be told from none."]
    name, most = max(surely, key=lambda key: float(surely[key]["gain"]))
    third = f"{most} gains most ({name}): {_interval(surely[name, most], 'gain', 3)} bits."
    return [first, second, third]


def _label(table: pd.DataFrame) -> str:
    return MODELS[str(table["model"].iloc[0])].label


def _interval(row: pd.Series, column: str, digits: int) -> str:
    low, high = ("ci_low", "ci_high") if column == "value" else ("gain_low", "gain_high")
    sign = "+" if column == "gain" else ""
    return f"{row[column]:{sign}.{digits}f} [{row[low]:{sign}.{digits}f}, {row[high]:{sign}.{digits}f}]"


def plan_figure(table: pd.DataFrame, units: str) -> Figure:
    """Learning curves of one cohort, or of all people together: errors, information alone, and information added.

    Parameters
    ----------
    table : DataFrame
        As of `sentences`.
    units : str
        Of the target.
    """
    cohort = POOLED if (table["cohort"] == POOLED).any() else table["cohort"].iloc[0]
    own = table[table["cohort"] == cohort]
    panels = [
        ((MAE,), f"mean absolute error ({units})"),
        ((TOTAL, ALONE, "information"), "information (bits)"),
        ((ADDED,), "added to the others (bits)"),
    ]
    shown = [(names, label) for names, label in panels if own["quantity"].isin(names).any()]
    subsets = list(dict.fromkeys(own["modalities"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.7 * len(shown), 3.6), layout="constrained")
        axes = figure.subplots(1, len(shown), squeeze=False)[0]
        for ax, (names, label) in zip(axes, shown, strict=True):
            for modalities, rows in own[own["quantity"].isin(names)].groupby("modalities", sort=False):
                _curve(ax, rows, COLOURS[subsets.index(str(modalities)) % len(COLOURS)], str(modalities))
            ax.set_xlabel("people")
            ax.set_ylabel(label)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6), frameon=False)
        figure.suptitle(f"{cohort}: {_label(own)}, and what is expected with more people")
    return figure


def _curve(ax: Axes, rows: pd.DataFrame, colour: str, label: str) -> None:
    """Refits as open dots, what was observed as a full one, and what is expected as a line in a band."""
    before, now, then = (rows[rows["kind"] == kind].sort_values("n") for kind in (CURVE, OBSERVED, EXPECTED))
    ax.plot(before["n"], before["value"], "o", color=colour, markerfacecolor="none", markersize=4)
    ax.errorbar(
        now["n"], now["value"], yerr=np.abs(now[["ci_low", "ci_high"]].to_numpy().T - now["value"].to_numpy()),
        fmt="o", color=colour, markersize=5, capsize=2,
    )  # fmt: skip
    ahead = pd.concat([now, then])
    ax.plot(ahead["n"], ahead["value"], color=colour, label=label)
    ax.fill_between(ahead["n"], ahead["ci_low"], ahead["ci_high"], color=colour, alpha=0.15, linewidth=0)
