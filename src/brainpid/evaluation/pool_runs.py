"""Meta-analysis over finished runs, from what each of them tells of its cohorts (`brainpid.evaluation.pool_summary`).

The tables are those of one run that has all cohorts: the same pooled rows from the same informations and covariances.
Two things differ. Neither smallest nor largest ages stand in a summary. And draws of the nulls do not, so that the
p-value of all cohorts together is that of a normal distribution with the moments of the mean over cohorts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.errors import InputError, list_some
from brainpid.core.modalities import subsets_of
from brainpid.core.names import GAUSSIAN_SCORE, WITHIN_COHORT
from brainpid.evaluation.accuracy import ACCURACY_COLUMNS, with_pooled
from brainpid.evaluation.coverage import COVERAGE_COLUMNS, wilson
from brainpid.evaluation.decomposition import Estimated
from brainpid.evaluation.information import ByCohort, information_tables
from brainpid.evaluation.pool_summary import CohortSummary, InformationSummary, NullSummary, PoolSummary, ages_of
from brainpid.evaluation.random_effects import POOLED
from brainpid.pid.assemble import decompose_information


class PooledRuns(NamedTuple):
    """Tables of all cohorts, as they stand under ``aggregate/``."""

    pid: pd.DataFrame
    pooling: pd.DataFrame
    accuracy: pd.DataFrame
    coverage: pd.DataFrame


ALIKE: Mapping[str, tuple[Callable[[PoolSummary], object], str]] = {
    "version": (
        lambda one: ".".join(one.version.split(".")[:2]),
        "the versions of brainpid that made the summaries; run the older one again with the newer",
    ),
    "definitions": (lambda one: one.definitions, "what the numbers mean; run the older one again with the newer"),
    "target": (lambda one: one.column, "the columns of the target (target.column)"),
    "units": (lambda one: one.units, "the units of the target (target.units)"),
    "modalities": (lambda one: frozenset(one.modalities), "the modalities"),
    "measures": (lambda one: frozenset(one.measures), "the measures of redundancy (pid.measures)"),
    "schemes": (lambda one: one.schemes, "how test sets were made (splits.scheme)"),
    "confidence": (lambda one: one.confidence, "the coverage of the intervals (pid.confidence)"),
    "heterogeneity": (
        lambda one: one.heterogeneity,
        "the scale of tau (pid.heterogeneity)",
    ),
    "interval_coverage": (lambda one: one.interval_coverage, "the coverage of people's intervals (interval_coverage)"),
    "reference_ages": (lambda one: one.reference_ages or "none", "the reference ages (reference_ages)"),
    "null": (lambda one: (one.null_encoder, one.null_folds), "the encoder and folds of the null (null)"),
}
"""What has to be the same in runs that are pooled, and what it is called."""


def check_alike(runs: Mapping[str, PoolSummary]) -> None:
    """Refuse runs whose numbers do not mean the same.

    Parameters
    ----------
    runs : mapping of str to PoolSummary
        By the name of each for messages: its file.

    Raises
    ------
    InputError
        Where fewer than two cohorts are given in all, something of `ALIKE` or the features differ, no model is in all
        runs, two cohorts have one name, or the same people are given twice.
    """
    names = list(runs)
    first = runs[names[0]]
    for own, (value, words) in ALIKE.items():
        for name in names[1:]:
            if value(runs[name]) != value(first):
                raise InputError(
                    f"{name}: expected the same as in {names[0]} of {words}; found {_said(value(runs[name]))} and "
                    f"{_said(value(first))} ({own})"
                )
    for name in names[1:]:
        for modality, features in first.features.items():
            other = runs[name].features.get(modality)
            if other != features:
                found = 0 if other is None else other.n
                raise InputError(
                    f"{name}: expected the features of {modality} that {names[0]} has ({features.n}, names and units), "
                    f"found others ({found}); bits of other features do not mean the same"
                )
    if not common_models(list(runs.values())):
        raise InputError(f"{list_some(names)}: expected a model that all of them have, found none")
    cohorts = [(name, cohort) for name, run in runs.items() for cohort in run.cohorts]
    if len(cohorts) < 2:
        raise InputError(f"{list_some(names)}: pooling needs 2 cohorts or more, found {len(cohorts)}")
    places: dict[str, str] = {}
    for name, cohort in cohorts:
        place = places.setdefault(cohort.digest, f"{cohort.name} of {name}")
        if place != f"{cohort.name} of {name}":
            raise InputError(
                f"{cohort.name} of {name} has the very numbers of {place}: the same people are given twice"
            )
    counts = Counter(cohort.name for _, cohort in cohorts)
    if twice := [cohort for cohort, count in counts.items() if count > 1]:
        raise InputError(
            f"{list_some(names)}: the name {list_some(twice)} is that of several cohorts; write NAME=RUN to rename one"
        )


def joined(runs: Sequence[PoolSummary]) -> PoolSummary:
    """Summary of all cohorts of runs that `check_alike` has passed, which can be pooled further."""
    return runs[0].model_copy(
        update={
            "cohorts": tuple(cohort for run in runs for cohort in run.cohorts),
            "models": common_models(runs),
            "harmonised": tuple(sorted({own for run in runs for own in run.harmonised})),
            "trained_on": tuple(sorted({own for run in runs for own in run.trained_on})),
        }
    )


def mixed_in_words(summary: PoolSummary) -> list[str]:
    """What cohorts that are joined do not have in common, though it does not keep them apart; one sentence each."""
    told = []
    if len(summary.harmonised) > 1:
        told.append(f"Site effects were taken from features of some runs alone, or in ways that differ (harmonise: "
                    f"{'; '.join(summary.harmonised)})")  # fmt: skip
    if len(summary.trained_on) > 1:
        told.append(f"Runs are of different people (train_on: {' / '.join(summary.trained_on)})")
    return told


def common_models(runs: Sequence[PoolSummary]) -> tuple[str, ...]:
    """Models that all runs have, in the order of the first."""
    return tuple(model for model in runs[0].models if all(model in run.models for run in runs))


def pool_runs(runs: Sequence[PoolSummary]) -> PooledRuns:
    """Tables of the cohorts of all runs, and pooled over them.

    Parameters
    ----------
    runs : sequence of PoolSummary
        That `check_alike` has passed; modalities and models are those of the first, in its order.

    Raises
    ------
    InputError
        Where an information's arrays do not fit the modalities.
    """
    first, models = runs[0], common_models(runs)
    settings = DecompositionSettings(
        measures=first.measures, confidence=first.confidence, heterogeneity=first.heterogeneity
    )
    decomposed: ByCohort = {model: {} for model in models}
    for run in runs:
        for cohort in run.cohorts:
            for model in models:
                if own := _estimates(cohort, model, run.modalities, first):
                    decomposed[model][cohort.name] = own
    decomposed = {model: cohorts for model, cohorts in decomposed.items() if cohorts}
    cohorts = [cohort for run in runs for cohort in run.cohorts]
    tested = _tests(cohorts, first)
    pid, pooling = information_tables(decomposed, first.modalities, settings, tested)
    return PooledRuns(
        pid,
        pooling,
        with_pooled(_accuracy(cohorts, models, first), first.modalities, first.confidence),
        _coverage(cohorts, models),
    )


def _estimates(cohort: CohortSummary, model: str, own: Sequence[str], first: PoolSummary) -> list[Estimated]:
    """Decompositions of one model in one cohort, as `decompose_cohort` gives them: estimators, each by all measures."""
    places = {frozenset(subset): k for k, subset in enumerate(subsets_of(own))}
    order = [places[frozenset(subset)] for subset in subsets_of(first.modalities)]
    return [
        _estimated(cohort.name, one, order, measure, first)
        for one in cohort.information
        if one.model == model
        for measure in first.measures
    ]


def _estimated(name: str, one: InformationSummary, order: list[int], measure: Any, first: PoolSummary) -> Estimated:
    bits, covariance = np.array(one.bits), np.array(one.covariance)
    if bits.shape != (len(order),) or covariance.shape != (len(order), len(order)):
        raise InputError(
            f"{name}: information of {one.model}: expected {len(order)} subsets of the modalities, found bits of shape "
            f"{bits.shape} and a covariance of shape {covariance.shape}"
        )
    found = decompose_information(
        bits[order], covariance[np.ix_(order, order)], first.modalities, one.n, measure, first.confidence
    )
    return Estimated(one.estimator, found, one.n_folds, one.se_factor, ages_of(one), one.given)


def _accuracy(cohorts: Sequence[CohortSummary], models: Sequence[str], first: PoolSummary) -> pd.DataFrame:
    """Rows of the cohorts, model by model; patterns are named in the order of the first run's modalities."""
    rows = [
        row.model_dump()
        | {"cohort": cohort.name}
        | {"modalities": "+".join(m for m in first.modalities if m in row.modalities.split("+"))}
        for model in models
        for cohort in cohorts
        for row in cohort.accuracy
        if row.model == model
    ]
    table = pd.DataFrame(rows, columns=[*ACCURACY_COLUMNS, "mae_se"])
    return table.astype({"r2": float, "pearson_r": float})


def _coverage(cohorts: Sequence[CohortSummary], models: Sequence[str]) -> pd.DataFrame:
    """Coverage of everybody, and of each cohort."""
    rows = [
        row.model_dump() | {"kind": "cohort", "group": cohort.name}
        for model in models
        for cohort in cohorts
        for row in cohort.coverage
        if row.model == model
    ]
    table, values = pd.DataFrame(rows, columns=COVERAGE_COLUMNS), ["coverage", "mean_width", "interval_score"]
    parts = []
    for model, own in table.groupby("model", sort=False):
        means = {value: float(np.average(own[value], weights=own["n"])) for value in values}
        everybody = {"model": model, "kind": "all", "group": "everybody", "n": int(own["n"].sum())} | means
        parts += [pd.DataFrame([everybody]), own]
    table = pd.concat(parts, ignore_index=True)[COVERAGE_COLUMNS] if parts else table
    ends = [wilson(part, n) for part, n in zip(table["coverage"], table["n"], strict=True)]
    return table.assign(ci_low=[low for low, _ in ends], ci_high=[high for _, high in ends])


def _tests(cohorts: Sequence[CohortSummary], first: PoolSummary) -> pd.DataFrame:
    """Rows of the null's encoder, of each cohort and of those that have one together."""
    keys = [("total", "+".join(first.modalities)), *(("added", modality) for modality in first.modalities)]
    found: dict[str, dict[tuple[str, str], NullSummary]] = {}
    for cohort in cohorts:
        for row in cohort.tests:
            key = (row.atom, keys[0][1] if row.atom == "total" else row.modalities)
            found.setdefault(cohort.name, {})[key] = row
    records: list[dict[str, Any]] = [
        {"cohort": name, "atom": atom, "modalities": names, "bits": rows[atom, names].bits,
         "p_value": rows[atom, names].p_value, "n": rows[atom, names].n}
        for name, rows in found.items() for atom, names in keys if (atom, names) in rows
    ]  # fmt: skip
    for atom, names in keys if len(found) > 1 else []:
        tested = [rows[atom, names] for rows in found.values() if (atom, names) in rows]
        if tested:
            records.append({"cohort": POOLED, "atom": atom, "modalities": names} | _together(tested))
    if not records:
        return pd.DataFrame()
    table = pd.DataFrame(records)
    table = table.assign(
        model=first.null_encoder + WITHIN_COHORT, estimator=GAUSSIAN_SCORE, given="", n_folds=first.null_folds,
        scope=np.where(table["atom"] == "total", "all", "one_vs_rest"),
    )  # fmt: skip
    return pd.concat([table.assign(measure=measure) for measure in first.measures], ignore_index=True)


def _together(tested: Sequence[NullSummary]) -> dict[str, float]:
    """Mean over cohorts weighted by their people, and its one-sided p-value, no smaller than that of the draws."""
    n = np.array([row.n for row in tested], dtype=float)
    part = n / n.sum()
    bits, mean = (part @ np.array([getattr(row, name) for row in tested]) for name in ("bits", "null_mean"))
    sd = float(np.sqrt(part**2 @ np.array([row.null_sd for row in tested]) ** 2))
    least = 1 / (1 + min(row.permutations for row in tested))
    p = float(norm.sf((bits - mean) / sd)) if sd > 0 else 1.0
    return {"bits": float(bits), "p_value": max(p, least), "n": int(n.sum())}


def _said(value: object) -> str:
    """Write a value for a message."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
