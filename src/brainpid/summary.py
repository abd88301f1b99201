"""Tables over all folds, models and cohorts: accuracy, decomposition with p-values, null and normality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from brainpid.arrays import FloatArray
from brainpid.config import Decomposition as DecompositionSettings
from brainpid.metrics import accuracy
from brainpid.models import WITHOUT_LATENTS
from brainpid.normality import check_normality, squared_distances
from brainpid.null import Null, p_value, pool_nulls
from brainpid.pid import MIN_PEOPLE_FOR_SHARES
from brainpid.pooling import pool
from brainpid.read_out import (
    CONCATENATED,
    CONCATENATED_MODEL,
    LATENT,
    PID_COLUMNS,
    by_repeat,
    concatenated_check,
    decomposable,
    decompose_cohort,
)
from brainpid.splits import TARGET_BINS
from brainpid.transforms import normal_scores

PID_KEYS = ["model", "measure", "scope", "modalities", "atom"]
NULL_COLUMNS = ["cohort", "modalities", "atom", "bits", "null_mean", "null_95", "p_value", "permutations", "n"]
ACCURACY_VALUES = ["mae", "rmse", "r2", "pearson_r", "mae_corrected"]
ACCURACY_COLUMNS = [
    "cohort", "scheme", "model", "modalities", "n", "mae", "mae_ci_low", "mae_ci_high", "rmse", "r2", "pearson_r",
    "mae_corrected",
]  # fmt: skip
POOLED = "pooled"
MIN_PEOPLE_OF_PATTERN = 10
"""Fewest people of an incomplete pattern of modalities whose accuracy is given."""


def decompose_all(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    nulls: Mapping[str, Null],
) -> pd.DataFrame:
    """Decompose every model in every cohort, and pool over cohorts where there are two or more.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions and latents of all models and cohorts.
    modalities : sequence of str
    settings : Decomposition
    nulls : mapping of str to Null
        Permutations of each cohort; empty for no p-values.

    Notes
    -----
    People with every modality count, in the cohorts that have enough of them.
    """
    frames = []
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in decomposable(told, modalities).groupby(["model", "cohort"], sort=False):
        frames.append(decompose_cohort(rows, modalities, settings).assign(model=model, cohort=cohort))
        concatenated = [column for column in rows if column.startswith(CONCATENATED)]
        if concatenated and rows[concatenated].notna().all(axis=None):
            check = concatenated_check(rows, modalities, settings)
            frames.append(check.assign(model=CONCATENATED_MODEL, cohort=cohort))
    table = pd.concat(frames, ignore_index=True)[PID_COLUMNS]
    if len(table["cohort"].unique()) > 1:
        table = pd.concat([table, pool_pid(table, settings.confidence)], ignore_index=True)
    return with_p_values(table, modalities, nulls)


def with_pooled_null(nulls: Mapping[str, Null]) -> dict[str, Null]:
    """Add the null of all cohorts together, where there are two or more."""
    return dict(nulls) | ({POOLED: pool_nulls(nulls)} if len(nulls) > 1 else {})


def null_summary(nulls: Mapping[str, Null], modalities: Sequence[str]) -> pd.DataFrame:
    """Observed statistic, null distribution and p-value of each cohort, and of all together.

    Returns
    -------
    DataFrame
        Columns cohort, modalities, atom, bits, null_mean, null_95 (95% point), p_value, permutations, n.
    """
    records = []
    for cohort, null in with_pooled_null(nulls).items():
        statistics = {("+".join(modalities), "total"): null.total} | {(m, "added"): null.added[m] for m in modalities}
        for (names, atom), values in statistics.items():
            records.append(
                {
                    "cohort": cohort, "modalities": names, "atom": atom, "bits": values[0],
                    "null_mean": values[1:].mean(), "null_95": np.quantile(values[1:], 0.95),
                    "p_value": p_value(values), "permutations": len(values) - 1, "n": null.n,
                }
            )  # fmt: skip
    return pd.DataFrame(records, columns=NULL_COLUMNS)


def with_p_values(table: pd.DataFrame, modalities: Sequence[str], nulls: Mapping[str, Null]) -> pd.DataFrame:
    """Fill in the p-values of `total` and `added`; those of a cohort hold for every model in it."""
    summary = null_summary(nulls, modalities)
    keys = zip(summary["cohort"], summary["modalities"], summary["atom"], strict=True)
    known = dict(zip(keys, summary["p_value"], strict=True))
    everything = "+".join(modalities)
    # The total of one-versus-rest is that of all modalities, under the name of the one.
    names = [
        everything if (scope, atom) == ("one_vs_rest", "total") else name
        for scope, name, atom in zip(table["scope"], table["modalities"], table["atom"], strict=True)
    ]
    tested = zip(table["cohort"], names, table["atom"], strict=True)
    return table.assign(p_value=[known.get(key, np.nan) for key in tested])


def normality_table(predictions: pd.DataFrame, modalities: Sequence[str]) -> pd.DataFrame:
    """Joint normality of latents and target, of every model in every cohort (`brainpid.normality`)."""
    records = []
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in decomposable(told, modalities).groupby(["model", "cohort"], sort=False):
        values, age, _ = by_repeat(rows, [LATENT + modality for modality in modalities])
        found = check_normality({m: values[LATENT + m] for m in modalities}, normal_scores(age))
        records.append({"cohort": cohort, "model": model, **asdict(found), "doubts": "; ".join(found.doubts)})
    return pd.DataFrame(records)


def joint_distances(latents: pd.DataFrame, model: str, modalities: Sequence[str]) -> dict[str, FloatArray]:
    """Squared distances (n,) of `brainpid.normality` by cohort, in the first repeat of one model."""
    chosen = decomposable(latents[(latents["model"] == model) & (latents["repeat"] == 0)], modalities)
    return {
        str(cohort): squared_distances(
            {modality: rows[LATENT + modality].to_numpy(float)[None] for modality in modalities},
            normal_scores(rows["age"]),
        )[0]
        for cohort, rows in chosen.groupby("cohort", sort=False)
    }


def pool_pid(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Pool every atom over cohorts; a share is the ratio of the pooled atom to the pooled total."""
    records = []
    for key, rows in table.groupby(PID_KEYS, sort=False):
        record = dict(zip(PID_KEYS, key, strict=True)) | {"cohort": POOLED, "p_value": np.nan}
        if rows["se"].notna().any():
            joint = pool(rows["bits"], rows["se"], rows["n"], confidence)
            record |= {"bits": joint.estimate, "se": joint.se, "ci_low": joint.ci_low, "ci_high": joint.ci_high}
        else:  # on the boundary in every cohort: there is no standard error to pool
            record |= {"bits": np.average(rows["bits"], weights=rows["n"])}
        records.append(record | {"n": rows["n"].sum(), "n_folds": rows["n_folds"].max()})
    pooled = pd.DataFrame(records, columns=PID_COLUMNS)
    totals = pooled[pooled["atom"] == "total"].drop_duplicates(["model", "measure"])
    total = pooled[["model", "measure"]].merge(totals, how="left")["bits"].to_numpy()
    shown = (pooled["n"] >= MIN_PEOPLE_FOR_SHARES) & (total > 0) & (pooled["model"] != CONCATENATED_MODEL)
    return pooled.assign(share=np.where(shown, pooled["bits"] / np.where(total > 0, total, np.nan), np.nan))


def accuracy_table(
    predictions: pd.DataFrame, modalities: Sequence[str], scheme: str, confidence: float
) -> pd.DataFrame:
    """Accuracy of every model in every cohort and for every pattern of modalities that people have.

    People with every modality come first; another pattern has a row where `MIN_PEOPLE_OF_PATTERN` people have it. A
    random-effects mean over cohorts follows, pattern by pattern, where two or more cohorts have a row of it.
    """
    everything = "+".join(modalities)
    records = []
    for (model, cohort), everybody in predictions.groupby(["model", "cohort"], sort=False):
        sizes = everybody.groupby("modalities")["participant_id"].nunique()
        # A mean over people with an interval takes two.
        shown = [name for name, n in sizes.items() if n >= (2 if name == everything else MIN_PEOPLE_OF_PATTERN)]
        for pattern in sorted(shown, key=lambda name: _place(name, modalities)):
            rows = everybody[everybody["modalities"] == pattern]
            values, age, _ = by_repeat(rows, ["predicted_age", "predicted_age_corrected"])
            plain = accuracy(values["predicted_age"], age, confidence)
            corrected = np.abs(values["predicted_age_corrected"] - age).mean()
            records.append(
                {
                    "cohort": cohort, "scheme": scheme, "model": model, "modalities": pattern,
                    "n": plain.n, "mae": plain.mae, "mae_ci_low": plain.mae_ci_low, "mae_ci_high": plain.mae_ci_high,
                    "rmse": plain.rmse, "r2": plain.r2, "pearson_r": plain.pearson_r, "mae_corrected": corrected,
                    "mae_se": plain.mae_se,
                }
            )  # fmt: skip
    table = pd.DataFrame(records)
    pooled = [
        _pool_accuracy(rows, confidence)
        for _, of_model in table.groupby("model", sort=False)
        for _, rows in sorted(
            of_model.groupby("modalities", sort=False), key=lambda item: _place(str(item[0]), modalities)
        )
        if len(rows) > 1
    ]
    return pd.concat([table, pd.DataFrame(pooled)], ignore_index=True)[ACCURACY_COLUMNS]


def _place(pattern: str, modalities: Sequence[str]) -> tuple[int, list[int]]:
    """Order of a pattern of modalities: those with more modalities first, then as configured."""
    names = pattern.split("+")
    return -len(names), [modalities.index(name) for name in names]


def coverage_table(predictions: pd.DataFrame, target_range: tuple[float, float]) -> pd.DataFrame:
    """How often one model's intervals cover the target: of everybody, of each cohort, and of each band of the target.

    Parameters
    ----------
    predictions : DataFrame
        Rows of one model of ``aggregate/predictions.tsv``. A person's repeats are averaged first.
    target_range : tuple of float
        Plausible targets; a twelfth of them is a band, as in the strata of the splits (a decade of age).

    Returns
    -------
    DataFrame
        kind (``all``, ``cohort`` or ``band``), group, n, coverage (0 to 1), ci_low, ci_high (Wilson's 95% interval of
        n people), and mean_width in the target's units.
    """
    own = predictions.assign(
        coverage=predictions["age"].between(predictions["pi_low"], predictions["pi_high"]),
        mean_width=predictions["pi_high"] - predictions["pi_low"],
    )
    people = own.groupby(["cohort", "participant_id"], sort=False, as_index=False)[
        ["age", "coverage", "mean_width"]
    ].mean()
    edges = np.linspace(*target_range, TARGET_BINS + 1)
    band = np.digitize(people["age"], edges[1:-1])
    groups = [("all", "everybody", people)]
    if len(people["cohort"].unique()) > 1:
        groups += [("cohort", str(cohort), rows) for cohort, rows in people.groupby("cohort", sort=False)]
    groups += [("band", f"{edges[k]:.4g} to {edges[k + 1]:.4g}", people[band == k]) for k in np.unique(band)]
    records = []
    for kind, group, rows in groups:
        n, part = len(rows), rows["coverage"].mean()
        low, high = _wilson(part, n)
        records.append(
            {
                "kind": kind, "group": group, "n": n, "coverage": part, "ci_low": low, "ci_high": high,
                "mean_width": rows["mean_width"].mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(records)


def _wilson(part: float, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a part of n people."""
    z2 = 1.96**2
    centre = (part + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (part * (1 - part) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return float(centre - half), float(centre + half)


def _pool_accuracy(rows: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """One model's random-effects mean absolute error over cohorts, and the other columns with the same weights."""
    joint = pool(rows["mae"], rows["mae_se"], rows["n"], confidence)
    low = max(joint.ci_low, 0.0)  # no mean absolute error is negative, but the interval of two small cohorts would be
    averages = {column: float(rows[column].to_numpy() @ np.array(joint.weights)) for column in ACCURACY_VALUES}
    return (
        rows.iloc[0][["scheme", "model", "modalities"]].to_dict()
        | averages
        | {"cohort": POOLED, "n": rows["n"].sum(), "mae_ci_low": low, "mae_ci_high": joint.ci_high}
    )
