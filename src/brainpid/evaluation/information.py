"""The decomposition of every model in every cohort: pooled over cohorts, with p-values, and whether it is justified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.names import WITHOUT_LATENTS
from brainpid.crossfit.normality import Normality, check_normality, squared_mahalanobis
from brainpid.crossfit.null import Null, p_value, pool_nulls
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.decomposition import PID_COLUMNS, concatenated_check, decompose_cohort
from brainpid.evaluation.predictions import CONCATENATED, LATENT, by_repeat, decomposable, without_rows
from brainpid.evaluation.random_effects import POOLED, pool, pool_decompositions
from brainpid.pid.result import Decomposition

CONCATENATED_MODEL = "ridge_concatenated"


PID_KEYS = ["model", "measure", "scope", "modalities", "atom"]


NORMALITY_COLUMNS = ["cohort", "model", *(field.name for field in fields(Normality))]
NULL_COLUMNS = ["cohort", "modalities", "atom", "bits", "null_mean", "null_95", "p_value", "permutations", "n"]


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
    People with every modality count, in the cohorts that can be decomposed; the others have no rows.
    """
    frames, checks = [], []
    decompositions: dict[str, list[tuple[list[Decomposition], int]]] = {}
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in decomposable(told, modalities).groupby(["model", "cohort"], sort=False):
        with without_rows(cohort, f"the decomposition of {model}"):
            found, n_folds = decompose_cohort(rows, modalities, settings)
            decompositions.setdefault(str(model), []).append((found, n_folds))
            frames += [one.to_frame().assign(model=model, cohort=cohort, n_folds=n_folds) for one in found]
        concatenated = [column for column in rows if column.startswith(CONCATENATED)]
        if concatenated and rows[concatenated].notna().all(axis=None):
            with without_rows(cohort, f"the check by {CONCATENATED_MODEL}"):
                check = concatenated_check(rows, modalities, settings)
                frames.append(check.assign(model=CONCATENATED_MODEL, cohort=cohort))
                checks.append(frames[-1])
    if not frames:
        return pd.DataFrame(columns=PID_COLUMNS)
    table = pd.concat(frames, ignore_index=True)[PID_COLUMNS]
    pooled = [
        row for model, cohorts in decompositions.items() if len(cohorts) > 1
        for row in pool_model(model, cohorts, settings)
    ]  # fmt: skip
    if len(checks) > 1:
        pooled.append(pool_check(pd.concat(checks, ignore_index=True), settings))
    return with_p_values(pd.concat([table, *pooled], ignore_index=True)[PID_COLUMNS], modalities, nulls)


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
    """Joint normality of latents and target, of every model in every cohort (`brainpid.crossfit.normality`)."""
    records = []
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in decomposable(told, modalities).groupby(["model", "cohort"], sort=False):
        values, age, _ = by_repeat(rows, [LATENT + modality for modality in modalities])
        with without_rows(cohort, f"normality of {model}"):
            found = check_normality({m: values[LATENT + m] for m in modalities}, normal_scores(age))
            records.append({"cohort": cohort, "model": model, **asdict(found), "doubts": "; ".join(found.doubts)})
    return pd.DataFrame(records, columns=NORMALITY_COLUMNS)


def joint_distances(latents: pd.DataFrame, model: str, modalities: Sequence[str]) -> dict[str, FloatArray]:
    """Squared distances (n,) of `brainpid.crossfit.normality` by cohort, in the first repeat of one model."""
    chosen = decomposable(latents[(latents["model"] == model) & (latents["repeat"] == 0)], modalities)
    distances = {}
    for cohort, rows in chosen.groupby("cohort", sort=False):
        own = {modality: rows[LATENT + modality].to_numpy(float)[None] for modality in modalities}
        with without_rows(cohort, "the figure of normality"):
            distances[str(cohort)] = squared_mahalanobis(own, normal_scores(rows["age"]))[0]
    return distances


def pool_model(
    model: str, cohorts: Sequence[tuple[list[Decomposition], int]], settings: DecompositionSettings
) -> list[pd.DataFrame]:
    """Pool one model's informations over cohorts and form the atoms of what is pooled, a table for each measure."""
    n_folds = max(folds for _, folds in cohorts)
    tables = []
    for place, measure in enumerate(settings.measures):
        own = [found[place] for found, _ in cohorts]
        joint = pool_decompositions(own, measure, settings.heterogeneity, settings.confidence)
        tables.append(joint.random.to_frame().assign(model=model, cohort=POOLED, n_folds=n_folds))
    return tables


def pool_check(table: pd.DataFrame, settings: DecompositionSettings) -> pd.DataFrame:
    """Pool the rows of ridge on concatenated features, which are linear in the informations, one by one."""
    records = []
    for key, rows in table.groupby(PID_KEYS, sort=False):
        if len(rows) < 2:
            continue
        joint = pool(rows["bits"], rows["se"], rows["n"], settings.heterogeneity, settings.confidence)
        numbers = {"bits": joint.estimate, "se": joint.se, "ci_low": joint.ci_low, "ci_high": joint.ci_high}
        people = {"n": rows["n"].sum(), "n_folds": rows["n_folds"].max()}
        records.append(dict(zip(PID_KEYS, key, strict=True)) | {"cohort": POOLED} | numbers | people)
    return pd.DataFrame(records, columns=PID_COLUMNS)
