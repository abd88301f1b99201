"""What each modality tells, as rows of the page: decompositions, totals, and whether what is added is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainpid.config.slices import ReportSettings
from brainpid.core.names import WITHIN_COHORT
from brainpid.evaluation.random_effects import POOLED
from brainpid.pid.result import MIN_PEOPLE_FOR_SMALL_ADDED, SMALL_ADDED_BITS
from brainpid.report.glossary import ESTIMATORS
from brainpid.report.words import LABELS

SIGNIFICANT = 0.05


def headline_cohort(table: pd.DataFrame) -> str:
    """Name of the cohort that the summary tells of: `pooled` where a table has such rows, else its first cohort."""
    return POOLED if (table["cohort"] == POOLED).any() else str(table["cohort"].iloc[0])


def headline_rows(pid: pd.DataFrame, model: str, estimator: str) -> pd.DataFrame:
    """Rows of one model by one estimator of the cohort that the summary tells of."""
    rows = pid[(pid["model"] == model) & (pid["estimator"] == estimator)]
    return rows[rows["cohort"] == headline_cohort(rows)]


def told_and_added(table: pd.DataFrame, model: str, estimator: str) -> pd.DataFrame:
    """Total, alone and added of one model by one estimator: one row of each, for measures do not differ in them."""
    rows = table[(table["model"] == model) & (table["estimator"] == estimator) & (table["scope"] == "one_vs_rest")]
    rows = rows[rows["atom"].isin(["total", "alone", "added"])]
    return rows.drop_duplicates([name for name in ("cohort", "modalities", "atom") if name in rows])


def totals(pid: pd.DataFrame, person: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """Information in each model's prediction and in its decompositions, of people with every modality of a cohort."""
    everything = set(settings.modalities)
    complete = person[[set(str(own).split("+")) == everything for own in person["modalities"]]]
    chosen = pid[(pid["scope"] == "all") & (pid["atom"] == "total") & (pid["measure"] == settings.pid.measures[0])]
    rows = []
    for (model, cohort), people in complete.groupby(["model", "cohort"], sort=False):
        own = chosen[(chosen["model"] == model) & (chosen["cohort"] == cohort)].set_index("estimator")["bits"]
        if len(own):
            told = {name: own.get(name, np.nan) for name in ESTIMATORS}
            rows.append(
                {"model": model, "cohort": cohort, "n": len(people), "prediction": people["information"].mean()} | told
            )
    return rows


def information(pid: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """Decomposition table of each cohort and model: one line a modality, atoms as columns."""
    tables = []
    rows = pid[(pid["scope"] == "one_vs_rest") & ~pid["model"].str.endswith(WITHIN_COHORT)]
    for (model, cohort, estimator), chosen in rows.groupby(["model", "cohort", "estimator"], sort=False):
        measure = "idep" if "idep" in settings.pid.measures else settings.pid.measures[0]
        chosen = chosen[chosen["measure"] == measure].set_index(["modalities", "atom"])
        total = chosen.xs("total", level="atom").iloc[0]
        lines = [
            {"modality": modality, **{str(atom): row for atom, row in chosen.loc[modality].iterrows()}}
            for modality in settings.modalities
        ]
        tables.append(
            {
                "cohort": cohort, "model": model, "estimator": estimator, "measure": measure, "n": int(total["n"]),
                "total": total, "lines": lines,
            }
        )  # fmt: skip
    return sorted(
        tables, key=lambda table: (list(LABELS).index(table["model"]), list(ESTIMATORS).index(table["estimator"]))
    )


def verdicts(pid: pd.DataFrame, settings: ReportSettings) -> list[dict[str, Any]]:
    """What each modality adds by the first model, what by the reader that is tested, and whether it is shown."""
    added = pid[pid["atom"] == "added"].drop_duplicates(["model", "cohort", "modalities"])  # the headline comes first
    keys = ["cohort", "modalities"]
    tested = added[added["model"] == settings.null.encoder + WITHIN_COHORT].rename(columns={"bits": "tested_bits"})
    rows = added[added["model"] == settings.models[0]].drop(columns="p_value")
    rows = rows.merge(tested[[*keys, "tested_bits", "p_value"]], how="left", on=keys)
    return [row | {"verdict": _verdict(row)} for row in rows.to_dict("records")]


def verdict_of(verdicts: Sequence[Mapping[str, Any]], modality: str) -> str:
    """Whether it is ``shown`` that a modality adds information, ``not shown``, or ``not tested``.

    The pooled row decides where it is tested, else any cohort can show it.
    """
    rows = [row for row in verdicts if row["modalities"] == modality and row["verdict"] != "not tested"]
    rows = [row for row in rows if row["cohort"] == POOLED] or rows
    if not rows:
        return "not tested"
    return "shown" if any(row["verdict"] == "shown" for row in rows) else "not shown"


def _verdict(row: Mapping[Any, Any]) -> str:
    """Words for what a modality adds; shown takes both a test's p-value below .05 and the model's interval above 0."""
    if not np.isfinite(row["p_value"]):
        return "not tested"
    if row["p_value"] < SIGNIFICANT and row["ci_low"] > 0:
        return "shown"
    if row["bits"] < SMALL_ADDED_BITS and row["n"] < MIN_PEOPLE_FOR_SMALL_ADDED:
        return f"not shown; so little cannot be told from zero with fewer than {MIN_PEOPLE_FOR_SMALL_ADDED} people"
    return "not shown"
