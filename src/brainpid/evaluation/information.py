"""The decomposition of every model in every cohort: pooled over cohorts, with tests, and whether it is justified."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, fields

import pandas as pd
from scipy.stats import pearsonr

from brainpid.config.analysis import DecompositionSettings
from brainpid.core.arrays import FloatArray
from brainpid.core.names import REFERENCE_AGES, WEIGHTED, WITHOUT_LATENTS, Measure
from brainpid.crossfit.normality import Normality, check_normality, squared_mahalanobis
from brainpid.crossfit.transforms import normal_scores
from brainpid.evaluation.ages import sd_of_all
from brainpid.evaluation.decomposition import PID_COLUMNS, Estimated, decompose_cohort
from brainpid.evaluation.given import Controls, decompose_given, reported_sets
from brainpid.evaluation.missingness import missingness
from brainpid.evaluation.moderator import MODERATED_COLUMNS, moderated_columns
from brainpid.evaluation.predictions import GROUP, LATENT, by_repeat, decomposable, without_rows
from brainpid.evaluation.random_effects import POOLED, pool_decompositions
from brainpid.evaluation.reference_ages import decompose_for_reference
from brainpid.evaluation.reference_weights import WEIGHT
from brainpid.evaluation.within_cohort import WithinCohorts, rows_of_tests

log = logging.getLogger(__name__)

NORMALITY_COLUMNS = ["cohort", "model", *(field.name for field in fields(Normality))]
POOLING_COLUMNS = [
    "model", "estimator", "given", "measure", "scope", "modalities", "atom", "bits", "ci_low", "ci_high", "fixed_bits",
    "fixed_ci_low", "fixed_ci_high", "predicted_low", "predicted_high", "tau", "tau_low", "tau_high", "cohorts", "n",
    *MODERATED_COLUMNS,
]  # fmt: skip
ByCohort = dict[str, dict[str, list[Estimated]]]
"""Decompositions by model and cohort."""
AGAINST = 0.001
"""Two-sided p-value below which a negative correlation of a reading with the target is told, among many readings."""


def decompose_all(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    within: WithinCohorts,
    controls: Controls | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Decompose every model in every cohort, and pool over cohorts where there are two or more.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions, latents and log scores of all models and cohorts.
    modalities : sequence of str
    settings : DecompositionSettings
    within : WithinCohorts
        Tests of each cohort, and the widening of its standard errors.
    controls : mapping of str to DataFrame, optional
        Columns of the controls that information is also given beyond (`brainpid.evaluation.given`).

    Returns
    -------
    pid : DataFrame
        Rows of ``aggregate/pid.tsv``.
    pooling : DataFrame
        Rows of ``aggregate/pooling.tsv``: what goes with the pooled rows.

    Notes
    -----
    People with every modality count, in the cohorts that can be decomposed; the others have no rows.
    """
    return information_tables(
        decompose_cohorts(predictions, modalities, settings, within, controls=controls),
        modalities,
        settings,
        rows_of_tests(within, modalities, settings.measures),
    )


def decompose_cohorts(
    predictions: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    within: WithinCohorts,
    reference: pd.DataFrame | None = None,
    controls: Controls | None = None,
) -> ByCohort:
    """Decompose every model in every cohort that can be; parameters as of `decompose_all`.

    With `reference`, out-of-fold rows with log scores and weights for reference ages
    (`brainpid.evaluation.reference_ages`), for these besides.
    """
    found: ByCohort = {}
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in decomposable(told, modalities).groupby(["model", "cohort"], sort=False):
        factor = within.se_factor(str(cohort))
        with without_rows(cohort, f"the decomposition of {model}"):
            weights = _weights(told[(told["model"] == model) & (told["cohort"] == cohort)], rows)
            own = decompose_cohort(rows, modalities, settings, factor, weights)
            for names in reported_sets(controls or {}):
                beyond = within.se_factor(str(cohort), "+".join(names))
                own += decompose_given(rows, modalities, settings, beyond, weights, controls or {}, names)
            if reference is not None:
                own += _for_reference(reference, rows, modalities, settings, factor)
            found.setdefault(str(model), {})[str(cohort)] = own
    return found


def information_tables(
    found: ByCohort, modalities: Sequence[str], settings: DecompositionSettings, tested: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of decompositions of cohorts, pooled where there are two or more of a model.

    Parameters
    ----------
    found : mapping of str to mapping of str to list of Estimated
        By model and cohort.
    modalities : sequence of str
    settings : DecompositionSettings
    tested : DataFrame
        Rows of the tests, of `brainpid.evaluation.within_cohort.rows_of_tests`.

    Returns
    -------
    pid, pooling : DataFrame
        As of `decompose_all`.
    """
    frames = [
        one.to_frame().assign(model=model, cohort=cohort)
        for model, cohorts in found.items()
        for cohort, own in cohorts.items()
        for one in own
    ]
    pooled = [
        pool_model(model, list(cohorts.values()), settings) for model, cohorts in found.items() if len(cohorts) > 1
    ]
    frames += [pid for pid, _ in pooled]
    if len(tested):
        frames.append(tested)
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=PID_COLUMNS)
    beside = [pooling for _, pooling in pooled] or [pd.DataFrame(columns=POOLING_COLUMNS)]
    return table.reindex(columns=PID_COLUMNS), pd.concat(beside, ignore_index=True)[POOLING_COLUMNS]


def pool_model(
    model: str, cohorts: Sequence[Sequence[Estimated]], settings: DecompositionSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pool one model's informations over cohorts and form the atoms of what is pooled, and what goes with them."""
    tables, beside = [], []
    by_key: dict[tuple[str, str, Measure], list[Estimated]] = {}
    for own in cohorts:
        for one in own:
            by_key.setdefault((one.estimator, one.given, one.decomposition.measure), []).append(one)
    for (estimator, given, measure), parts in by_key.items():
        if len(parts) < (2 if estimator == REFERENCE_AGES else len(cohorts)):  # weighted in some cohorts alone
            continue
        found = pool_decompositions(
            [part.decomposition for part in parts], measure, settings.heterogeneity, settings.confidence
        )
        told = {"model": model, "cohort": POOLED, "estimator": estimator, "given": given}
        table = found.random.to_frame().assign(
            **told, n_folds=max(part.n_folds for part in parts), age_sd=sd_of_all([part.ages for part in parts])
        )
        fixed, predicted = found.fixed.to_frame(), pd.DataFrame(found.predicted)
        tables.append(table)
        beside.append(
            table.assign(
                fixed_bits=fixed["bits"], fixed_ci_low=fixed["ci_low"], fixed_ci_high=fixed["ci_high"],
                predicted_low=predicted["low"], predicted_high=predicted["high"], tau=found.tau,
                tau_low=found.tau_low, tau_high=found.tau_high, cohorts=len(parts),
                **moderated_columns(parts, table, settings.heterogeneity, settings.confidence),
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True), pd.concat(beside, ignore_index=True)


def _for_reference(
    reference: pd.DataFrame,
    rows: pd.DataFrame,
    modalities: Sequence[str],
    settings: DecompositionSettings,
    factor: float,
) -> list[Estimated]:
    """Decompositions of a model's rows in a cohort for reference ages; none where the cohort is refused."""
    keys = ["participant_id", "cohort", "model", "repeat", "fold"]
    told = [*keys, "age", *([GROUP] if GROUP in rows else [])]
    scores = reference.drop(columns="age").dropna(subset=[WEIGHT])
    own = rows[told].merge(scores, on=keys, how="inner", validate="one_to_one")
    return decompose_for_reference(own, modalities, settings, factor) if len(own) else []


def _weights(everybody: pd.DataFrame, complete: pd.DataFrame) -> pd.Series | None:
    """Weights of one cohort's people with every modality by participant_id, where having it depends on the target."""
    people = everybody.drop_duplicates("participant_id").set_index("participant_id")["age"]
    has = people.index.isin(complete["participant_id"])
    found = missingness(people.to_numpy(dtype=float), has)
    if not found.depends:
        return None
    log.warning(
        "cohort '%s': having every modality depends on the target (p = %.2g, %d of %d people): rows of %s are weighted "
        "to stand for everybody", everybody["cohort"].iloc[0], found.p_value, has.sum(), len(has), WEIGHTED,
    )  # fmt: skip
    return pd.Series(found.weights, people.index[has])


def readings_against_target(predictions: pd.DataFrame, modalities: Sequence[str]) -> list[str]:
    """Sentences about readings that fall as the target rises in a cohort, which no Gaussian score tells from rising.

    A modality's own prediction is told where its correlation with the target, of the mean over repeats, is below zero
    with a two-sided p below `AGAINST`. Both are taken less their means of the fold: a reader that knows nothing
    predicts the mean of its training people, which is low where those who are held out are old.
    """
    said = []
    told = predictions[~predictions["model"].isin(WITHOUT_LATENTS)]
    for (model, cohort), rows in told.groupby(["model", "cohort"], sort=False):
        for modality in modalities:
            told_by = rows.dropna(subset=[LATENT + modality])
            columns = [LATENT + modality, "age"]
            level = told_by[columns] - told_by.groupby(["repeat", "fold"])[columns].transform("mean")
            people = level.assign(participant_id=told_by["participant_id"]).groupby("participant_id").mean()
            if len(people) < 3 or (people.nunique() < 2).any():
                continue
            r, p = pearsonr(people[LATENT + modality], people["age"])
            if r < 0 and p < AGAINST:
                said.append(
                    f"{cohort}: what {model} reads from {modality} falls as the target rises (r = {r:.2f}, n = "
                    f"{len(people)}); its log score says so, its Gaussian score counts it as information"
                )
    return said


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
