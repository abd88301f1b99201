"""The decomposition of every model in every cohort: pooled over cohorts, with its tests, and if it is justified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.names import WITHOUT_LATENTS
from brainpid.crossfit.normality import Normality, check_normality, squared_mahalanobis
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.decomposition import PID_COLUMNS, concatenated_check, decompose_cohort
from brainpid.evaluation.predictions import CONCATENATED, LATENT, by_repeat, decomposable, without_rows
from brainpid.evaluation.random_effects import POOLED, pool
from brainpid.evaluation.within_cohort import WithinCohorts, rows_of_tests
from brainpid.pid.decompose import OUT_OF_FOLD_SE_FACTOR
from brainpid.pid.result import MIN_PEOPLE_FOR_SHARES

CONCATENATED_MODEL = "ridge_concatenated"


PID_KEYS = ["model", "measure", "scope", "modalities", "atom"]


NORMALITY_COLUMNS = ["cohort", "model", *(field.name for field in fields(Normality))]


def decompose_all(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    within: WithinCohorts,
) -> pd.DataFrame:
    """Decompose every model in every cohort, and pool over cohorts where there are two or more.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions and latents of all models and cohorts.
    modalities : sequence of str
    settings : Decomposition
    within : WithinCohorts
        What is tested in each cohort, by its own readers, and how far standard errors there are widened:
        `OUT_OF_FOLD_SE_FACTOR` where no factor is given.

    Notes
    -----
    People with every modality count, in the cohorts that can be decomposed; the others have no rows.
    """
    frames = []
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in decomposable(told, modalities).groupby(["model", "cohort"], sort=False):
        factor = within.se_factors.get(cohort, OUT_OF_FOLD_SE_FACTOR)
        with without_rows(cohort, f"the decomposition of {model}"):
            frames.append(decompose_cohort(rows, modalities, settings, factor).assign(model=model, cohort=cohort))
        concatenated = [column for column in rows if column.startswith(CONCATENATED)]
        if concatenated and rows[concatenated].notna().all(axis=None):
            with without_rows(cohort, f"the check by {CONCATENATED_MODEL}"):
                check = concatenated_check(rows, modalities, settings, factor)
                frames.append(check.assign(model=CONCATENATED_MODEL, cohort=cohort))
    if not frames:
        return pd.DataFrame(columns=PID_COLUMNS)
    table = pd.concat(frames, ignore_index=True)[PID_COLUMNS]
    pooled = pool_pid(table, settings.confidence)
    if len(pooled):
        table = pd.concat([table, pooled], ignore_index=True)
    tested = rows_of_tests(within, modalities, settings.measures)
    return pd.concat([table, tested], ignore_index=True)[PID_COLUMNS] if len(tested) else table


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


def pool_pid(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Pool every atom that two or more cohorts have; a share is the ratio of the pooled atom to the pooled total."""
    records = []
    for key, rows in table.groupby(PID_KEYS, sort=False):
        if len(rows) < 2:
            continue
        record = dict(zip(PID_KEYS, key, strict=True)) | {"cohort": POOLED, "p_value": np.nan}
        if rows["se"].notna().any():
            joint = pool(rows["bits"], rows["se"], rows["n"], confidence)
            record |= {"bits": joint.estimate, "se": joint.se, "ci_low": joint.ci_low, "ci_high": joint.ci_high}
        else:  # on the boundary in every cohort: there is no standard error to pool
            record |= {"bits": np.average(rows["bits"], weights=rows["n"])}
        records.append(record | {"n": rows["n"].sum(), "n_folds": rows["n_folds"].max()})
    pooled = pd.DataFrame(records, columns=PID_COLUMNS)
    if pooled.empty:
        return pooled
    totals = pooled[pooled["atom"] == "total"].drop_duplicates(["model", "measure"])
    total = pooled[["model", "measure"]].merge(totals, how="left")["bits"].to_numpy()
    shown = (pooled["n"] >= MIN_PEOPLE_FOR_SHARES) & (total > 0) & (pooled["model"] != CONCATENATED_MODEL)
    return pooled.assign(share=np.where(shown, pooled["bits"] / np.where(total > 0, total, np.nan), np.nan))
