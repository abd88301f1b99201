"""What the encoders of the null tell within each cohort: their own rows of the decomposition, and its standard errors.

A p-value is that of the reader whose statistic was compared with draws of it, and stands beside that reader's bits: an
encoder that is fitted within the cohort, in the null's folds. Models that are fitted otherwise have no p-values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from brainpid.core.names import GAUSSIAN_SCORE, WITHIN_COHORT
from brainpid.crossfit.null import Null, p_value, pool_nulls
from brainpid.evaluation.random_effects import POOLED
from brainpid.pid.decompose import OUT_OF_FOLD_SE_FACTOR

NULL_COLUMNS = ["cohort", "given", "modalities", "atom", "bits", "null_mean", "null_95", "p_value", "permutations", "n"]


@dataclass(frozen=True)
class WithinCohorts:
    """What `brainpid null` found.

    Attributes
    ----------
    nulls : mapping of str to Null
        Of each cohort that has one.
    encoder : str
        Name of the null's encoder (`brainpid.crossfit.encoders`).
    folds : int
        Of the null.
    se_factors : mapping of str to mapping of str to float
        Widening of standard errors (`brainpid.crossfit.inflation`) by cohort and by what is given: the names of
        controls joined by ``+``, empty for none.
    """

    nulls: Mapping[str, Null]
    encoder: str
    folds: int
    se_factors: Mapping[str, Mapping[str, float]]
    beyond: Mapping[str, Null] = field(default_factory=dict)
    """As `nulls`, of what is told beyond controls."""
    given: str = ""
    """These controls, joined by ``+``."""

    def se_factor(self, cohort: str, given: str = "") -> float:
        """Widening in a cohort; controls that do not differ there leave that without them."""
        own = self.se_factors.get(cohort, {})
        return own.get(given, own.get("", OUT_OF_FOLD_SE_FACTOR))


def with_pooled_null(nulls: Mapping[str, Null]) -> dict[str, Null]:
    """Add the null of all cohorts together, where there are two or more."""
    return dict(nulls) | ({POOLED: pool_nulls(nulls)} if len(nulls) > 1 else {})


def null_summary(nulls: Mapping[str, Null], modalities: Sequence[str], given: str = "") -> pd.DataFrame:
    """Observed statistic, null distribution and p-value of each cohort, and of all together.

    Returns
    -------
    DataFrame
        Columns cohort, given, modalities, atom, bits, null_mean, null_95 (95% point), p_value, permutations, n.
    """
    records = []
    for cohort, null in with_pooled_null(nulls).items():
        statistics = {("+".join(modalities), "total"): null.total} | {(m, "added"): null.added[m] for m in modalities}
        for (names, atom), values in statistics.items():
            records.append(
                {
                    "cohort": cohort, "given": given, "modalities": names, "atom": atom, "bits": values[0],
                    "null_mean": values[1:].mean(), "null_95": np.quantile(values[1:], 0.95),
                    "p_value": p_value(values), "permutations": len(values) - 1, "n": null.n,
                }
            )  # fmt: skip
    return pd.DataFrame(records, columns=NULL_COLUMNS)


def summary_of(found: WithinCohorts, modalities: Sequence[str]) -> pd.DataFrame:
    """`null_summary` without controls, and beyond them where there are any."""
    parts = [null_summary(found.nulls, modalities)]
    if found.beyond:
        parts.append(null_summary(found.beyond, modalities, found.given))
    return pd.concat(parts, ignore_index=True)


def rows_of_tests(found: WithinCohorts, modalities: Sequence[str], measures: Sequence[str]) -> pd.DataFrame:
    """Rows of ``aggregate/pid.tsv`` of the encoder within the cohorts: `total` and `added`, equal under every measure.

    Returns
    -------
    DataFrame
        Columns cohort, model, estimator, given, measure, scope, modalities, atom, bits, p_value, n, n_folds; no
        interval.
    """
    summary = summary_of(found, modalities)
    rows = summary[["cohort", "given", "modalities", "atom", "bits", "p_value", "n"]].assign(
        model=found.encoder + WITHIN_COHORT,
        estimator=GAUSSIAN_SCORE,
        scope=np.where(summary["atom"] == "total", "all", "one_vs_rest"),
        n_folds=found.folds,
    )
    columns = [
        "cohort",
        "model",
        "estimator",
        "given",
        "measure",
        "scope",
        "modalities",
        "atom",
        "bits",
        "p_value",
        "n",
        "n_folds",
    ]
    return pd.concat([rows.assign(measure=measure) for measure in measures], ignore_index=True)[columns]
