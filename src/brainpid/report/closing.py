"""What a finished run found, in three sentences for the terminal: accuracy, information, what to open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainpid.core.names import LOG_SCORE_ESTIMATOR
from brainpid.report.beyond import headline_given, in_words, rows_given
from brainpid.report.information import headline_cohort, headline_rows, told_and_added
from brainpid.report.order import order, order_in_words
from brainpid.report.words import LABELS, number


def closing(
    accuracy: pd.DataFrame,
    pid: pd.DataFrame,
    truth: pd.DataFrame,
    models: Sequence[str],
    modalities: Sequence[str],
    target: tuple[str, str],
    folder: str,
) -> list[str]:
    """Say what a finished run found.

    Parameters
    ----------
    accuracy, pid : DataFrame
        ``aggregate/accuracy.tsv`` and ``aggregate/pid.tsv``.
    truth : DataFrame
        Of `brainpid.cohort.truth.read_truths`.
    models, modalities : sequence of str
        As configured; the first model is the one whose information is shown.
    target : tuple of str
        Name and unit of the target.
    folder : str
        Where the results lie.

    Returns
    -------
    list of str
        Three sentences.
    """
    return [
        _accuracy(accuracy, models, modalities, target),
        _information(pid, truth, models[0], modalities, target[0]),
        f"Open {folder}/report.html in a browser; figures lie in {folder}/figures, tables in {folder}/aggregate.",
    ]


def _accuracy(accuracy: pd.DataFrame, models: Sequence[str], modalities: Sequence[str], target: tuple[str, str]) -> str:
    rows = accuracy[accuracy["modalities"] == "+".join(modalities)]
    rows = rows[rows["cohort"] == headline_cohort(rows)].set_index("model")
    first = rows.loc[models[0]]
    others = [f"{LABELS[model]} {rows.loc[model, 'mae']:.1f}" for model in models[1:]]
    beside = f" ({', '.join(others)})" if others else ""
    reach = f" [{first['mae_ci_low']:.1f}, {first['mae_ci_high']:.1f}]" if np.isfinite(first["mae_ci_low"]) else ""
    return (
        f"Accuracy: {LABELS[models[0]]} misses the {target[0]} of held-out people by {first['mae']:.1f} "
        f"{target[1]}{reach} on average{beside}, over {int(first['n'])} people with every modality."
    )


def _information(pid: pd.DataFrame, truth: pd.DataFrame, model: str, modalities: Sequence[str], target: str) -> str:
    given = headline_given(pid)
    pid, truth = rows_given(pid, given), truth.iloc[:0] if given else truth  # truths are of all there is
    rows = told_and_added(pid, model, LOG_SCORE_ESTIMATOR)
    if rows.empty:
        return f"Information: no cohort can be decomposed, so that nothing is said of what modalities tell of {target}."
    keys = ["modalities", "atom"]
    rows = rows[rows["cohort"] == headline_cohort(rows)].set_index(keys)
    known = truth[(truth["scope"] == "one_vs_rest") & (truth["cohort"] == rows["cohort"].iloc[0])]
    true = known.drop_duplicates(keys).set_index(keys)["bits"].to_dict()
    beyond = f"beyond {in_words(given)}, " if given else ""
    said = [f"{beyond}all modalities together tell {_bits(rows, true, (modalities[0], 'total'))} of {target}"]
    said += [
        f"{m} alone {_bits(rows, true, (m, 'alone'))} and beyond the others {_bits(rows, true, (m, 'added'))}"
        for m in modalities
    ]
    places = [(modalities[0], "total"), *((m, atom) for m in modalities for atom in ("alone", "added"))]
    judged = [_holds(rows.loc[place], true[place]) for place in places if place in true]
    steps = order(headline_rows(pid, model, LOG_SCORE_ESTIMATOR), modalities)
    pairs = truth[(truth["scope"] == "pair") & (truth["atom"] == "unique") & (truth["measure"] == "mmi")]
    differences = pairs[pairs["cohort"] == rows["cohort"].iloc[0]].set_index("modalities")["bits"]
    judged += [
        _holds(one.row, differences[f"{one.more}+{one.less}"])
        for one in steps
        if f"{one.more}+{one.less}" in differences
    ]
    inside = f"{sum(judged)} of the {len(judged)} true values lie in their intervals." if judged else ""
    return " ".join(filter(None, [f"Information: {'; '.join(said)}.", order_in_words(steps), inside]))


def _bits(rows: pd.DataFrame, true: dict[tuple[str, str], float], place: tuple[str, str]) -> str:
    row = rows.loc[place]
    reach = f" [{number(row['ci_low'])}, {number(row['ci_high'])}]" if np.isfinite(row["ci_low"]) else ""
    beside = f", truth {number(true[place])}" if place in true else ""
    return f"{number(row['bits'])} bits{reach}{beside}"


def _holds(row: pd.Series, bits: float) -> bool:
    return bool(row["ci_low"] <= bits <= row["ci_high"])
