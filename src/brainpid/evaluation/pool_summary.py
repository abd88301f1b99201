"""What a meta-analysis needs of a finished run, and nothing of a single person: ``aggregate/pool.json``.

Of each cohort the information of every subset of the modalities with its joint sampling covariance, moments of the
targets, accuracy, coverage, and what the null of the cohort was. All are of `FEWEST` people or more; neither a smallest
nor a largest value stands in it, nor a label or anything that has a value for each person. Beside them stands what has
to agree between runs that are pooled.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from brainpid import __version__
from brainpid.config.analysis import Coverage, schemes_of
from brainpid.config.section import Name, Section
from brainpid.config.slices import AggregateSettings
from brainpid.core.errors import list_some
from brainpid.core.modalities import subsets_of
from brainpid.core.names import Measure
from brainpid.evaluation.ages import Ages
from brainpid.evaluation.coverage import coverage_table
from brainpid.evaluation.decomposition import Estimated
from brainpid.evaluation.information import ByCohort
from brainpid.evaluation.within_cohort import WithinCohorts
from brainpid.evaluation.within_cohort import null_summary as null_rows

log = logging.getLogger(__name__)

FORMAT = 2
"""Of the file; another one has other keys."""
DEFINITIONS = 1
"""Of what the numbers mean: estimators, subsets, widening. Raise it where one of them comes to mean something else."""
FEWEST = 10
"""People behind every number that is written: fewer would be told of one by one."""


class AgesSummary(Section):
    """Moments of the targets of the people behind an information, in the target's units."""

    mean: float
    sd: float
    skewness: float | None
    kurtosis: float | None


class InformationSummary(Section):
    """Information of every subset of the modalities, in bits, in the order of `subsets_of`."""

    model: str
    estimator: str
    given: str
    n: int
    n_folds: int
    se_factor: float
    bits: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    ages: AgesSummary


class AccuracySummary(Section):
    """A row of ``accuracy.tsv``, with its standard error."""

    scheme: str
    model: str
    modalities: str
    n: int
    mae: float
    mae_se: float
    mae_ci_low: float
    mae_ci_high: float
    rmse: float
    r2: float | None
    pearson_r: float | None
    mae_corrected: float | None


class CoverageSummary(Section):
    """Coverage of the intervals of all people of a cohort."""

    model: str
    n: int
    coverage: float
    mean_width: float
    interval_score: float


class NullSummary(Section):
    """A statistic of the null's encoder, in bits, and its distribution under the null."""

    modalities: str
    atom: Literal["total", "added"]
    bits: float
    null_mean: float
    null_sd: float
    p_value: float
    permutations: int
    n: int


class CohortSummary(Section):
    """One cohort."""

    name: Name
    information: tuple[InformationSummary, ...]
    accuracy: tuple[AccuracySummary, ...]
    coverage: tuple[CoverageSummary, ...]
    tests: tuple[NullSummary, ...]

    @property
    def digest(self) -> str:
        """Digest of the numbers without the name: the same of no two groups of people."""
        numbers = json.dumps(self.model_dump(mode="json", exclude={"name"}), sort_keys=True)
        return hashlib.sha256(numbers.encode()).hexdigest()


class FeatureNames(Section):
    """Features of a modality: how many, and a digest of their names and units."""

    n: int
    digest: str


class PoolSummary(Section):
    """Content of ``aggregate/pool.json``."""

    format: Literal[2]
    version: str
    definitions: int
    column: str
    units: str
    modalities: tuple[Name, ...]
    models: tuple[str, ...]
    measures: tuple[Measure, ...]
    schemes: tuple[str, ...]
    confidence: float
    heterogeneity: float
    interval_coverage: Coverage
    null_encoder: str
    null_folds: int
    reference_ages: str
    harmonised: tuple[str, ...]
    """What was done to features, of all runs that are joined here."""
    trained_on: tuple[str, ...]
    """Who was trained on, likewise."""
    features: dict[Name, FeatureNames]
    cohorts: tuple[CohortSummary, ...]


class Found(NamedTuple):
    """What `aggregate` has at hand of the cohorts.

    Attributes
    ----------
    predictions : DataFrame
        Of every model and cohort.
    decompositions : mapping of str to mapping of str to list of Estimated
        By model and cohort.
    accuracy : DataFrame
        Of `brainpid.evaluation.accuracy.accuracy_of_cohorts`.
    within : WithinCohorts
    """

    predictions: pd.DataFrame
    decompositions: ByCohort
    accuracy: pd.DataFrame
    within: WithinCohorts


def cohort_summaries(
    found: Found, modalities: Sequence[str], target_range: tuple[float, float], coverage: float
) -> list[CohortSummary]:
    """Summaries of the cohorts, in the order of the predictions.

    Numbers of fewer than `FEWEST` people are left out, and a cohort that has no others with it.
    """
    summaries, few = [], []
    for cohort, own in found.predictions.groupby("cohort", sort=False):
        name = str(cohort)
        covered = coverage_table(own, target_range, coverage)
        summary = CohortSummary(
            name=name,
            information=tuple(
                information_summary(model, one)
                for model, cohorts in found.decompositions.items()
                for one in cohorts.get(name, [])
                if one.decomposition.measure == cohorts[name][0].decomposition.measure and _enough(one.ages.n)
            ),
            accuracy=tuple(
                AccuracySummary(**_known(row, AccuracySummary))
                for row in found.accuracy[found.accuracy["cohort"] == name].to_dict("records")
                if _enough(row["n"])
            ),
            coverage=tuple(
                CoverageSummary(**_known(row, CoverageSummary))
                for row in covered[covered["kind"] == "all"].to_dict("records")
                if _enough(row["n"])
            ),
            tests=_tests(found.within, name, modalities),
        )
        if summary.accuracy or summary.information:
            summaries.append(summary)
        else:
            few.append(name)
    if few:
        log.warning("%s: fewer than %d people; not in the summary for `brainpid pool`", list_some(few), FEWEST)
    return summaries


def information_summary(model: str, one: Estimated) -> InformationSummary:
    """Summary of a decomposition; informations are the same under every measure."""
    found = one.decomposition
    if found.covariance is None or found.n is None:
        raise ValueError("a decomposition of people has their number and a sampling covariance")
    ages = one.ages
    return InformationSummary(
        model=model,
        estimator=one.estimator,
        given=one.given,
        n=found.n,
        n_folds=one.n_folds,
        se_factor=one.se_factor,
        bits=tuple(found.information[frozenset(subset)] for subset in subsets_of(found.modalities)),
        covariance=tuple(map(tuple, found.covariance.tolist())),
        ages=AgesSummary(
            mean=ages.mean, sd=ages.sd, skewness=_or_none(ages.skewness), kurtosis=_or_none(ages.kurtosis)
        ),
    )


def ages_of(summary: InformationSummary) -> Ages:
    """Moments of the targets, without their ends."""
    told = summary.ages
    skewness, kurtosis = (float("nan") if value is None else value for value in (told.skewness, told.kurtosis))
    return Ages(summary.n, told.mean, told.sd, skewness, kurtosis, float("nan"), float("nan"))


def feature_names(features: pd.DataFrame) -> dict[str, FeatureNames]:
    """Number and digest of the features of each modality in ``features.tsv``, those that are left out included."""
    found = {}
    for modality, own in features.groupby("modality", sort=False):
        lines = sorted(own["feature"].astype(str) + "\t" + own["units"].fillna("").astype(str))
        found[str(modality)] = FeatureNames(n=len(own), digest=hashlib.sha256("\n".join(lines).encode()).hexdigest())
    return found


def pool_summary(
    cohorts: Sequence[CohortSummary],
    features: pd.DataFrame,
    within: WithinCohorts,
    settings: AggregateSettings,
    reference: Mapping[str, Any] | None = None,
) -> PoolSummary:
    """Summary of a run: cohorts, ``features.tsv``, what was set, and what `rescore` says of the reference."""
    return PoolSummary(
        format=FORMAT,
        version=__version__,
        definitions=DEFINITIONS,
        column=settings.target_column,
        units=settings.target_units,
        modalities=settings.modalities,
        models=settings.models,
        measures=settings.pid.measures,
        schemes=schemes_of(settings.scheme)[:1],
        confidence=settings.pid.confidence,
        heterogeneity=settings.pid.heterogeneity,
        interval_coverage=settings.interval_coverage,
        null_encoder=within.encoder,
        null_folds=within.folds,
        reference_ages="" if reference is None else f"{reference['words']} ({reference['digest'][:12]})",
        harmonised=(settings.harmonised,),
        trained_on=(settings.trained_on,),
        features=feature_names(features),
        cohorts=tuple(cohorts),
    )


def _tests(within: WithinCohorts, cohort: str, modalities: Sequence[str]) -> tuple[NullSummary, ...]:
    """What the null of a cohort was, without its draws; nothing where there is none."""
    null = within.nulls.get(cohort)
    if null is None or not _enough(null.n):
        return ()
    values = {"total": null.total} | null.added
    told = []
    for row in null_rows({cohort: null}, modalities).to_dict("records"):
        draws = values["total" if row["atom"] == "total" else row["modalities"]][1:]
        if len(draws) > 1 and np.isfinite([*draws, row["bits"]]).all():
            told.append(NullSummary(**_known(row | {"null_sd": float(draws.std(ddof=1))}, NullSummary)))
    return tuple(told)


def _enough(n: int) -> bool:
    return n >= FEWEST


def _known(row: Mapping[Any, Any], section: type[Section]) -> dict[str, Any]:
    """Cells of a row that a section has, None for one without a value."""
    return {name: _or_none(row[name]) if isinstance(row[name], float) else row[name] for name in section.model_fields}


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
