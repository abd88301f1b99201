"""The report of pooled runs as one HTML page: what can be said without their people."""

from __future__ import annotations

from typing import Any

import jinja2
import numpy as np
import pandas as pd

from brainpid.core.names import LOG_SCORE_ESTIMATOR, WITHIN_COHORT
from brainpid.evaluation.pool_runs import PooledRuns, mixed_in_words
from brainpid.evaluation.pool_summary import PoolSummary
from brainpid.evaluation.random_effects import POOLED
from brainpid.pid.result import MIN_PEOPLE_FOR_SHARES
from brainpid.report.age_ranges import age_range_words
from brainpid.report.glossary import CANNOT_SAY
from brainpid.report.information import told_and_added
from brainpid.report.inlined import inline, packaged
from brainpid.report.methods import MEASURES
from brainpid.report.words import ESTIMATOR_LABELS, LABELS, interval, listed, number, people

ALTERNATIVE = "Information of every cohort and of all pooled, with intervals; the numbers stand in tables"


def render_pooled(tables: PooledRuns, first: PoolSummary, model: str, forest: str, generated_by: str) -> str:
    """Compose the page.

    Parameters
    ----------
    tables : PooledRuns
    first : PoolSummary
        Of the runs together.
    model : str
        Model that is shown; the tables have the others.
    forest : str
        SVG text of the forest plot.
    generated_by : str
        Program and version, for the foot of the page.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    accuracy = tables.accuracy[tables.accuracy["modalities"] == "+".join(first.modalities)]
    return environment.from_string(packaged("report/templates/pooled.html")).render(
        style=packaged("report/templates/report.css"),
        summary=_summary(tables, accuracy, first, model),
        flags=mixed_in_words(first) + flags_of_pooled(tables, model),
        forest=inline("forest", forest, ALTERNATIVE),
        rows=_pooled_rows(tables.pooling, first.measures[0]),
        cohorts=_cohorts(tables.pid, model),
        accuracy=accuracy.to_dict("records"),
        coverage=tables.coverage.to_dict("records"),
        tests=_tests(tables.pid, first),
        methods=pooled_methods(tables, first),
        cannot_say=CANNOT_SAY,
        first=first,
        level=round(100 * first.confidence),
        labels=LABELS,
        estimator_labels=ESTIMATOR_LABELS,
        generated_by=generated_by,
        number=number,
        interval=interval,
    )


def flags_of_pooled(tables: PooledRuns, model: str) -> list[str]:
    """What to be careful about, one sentence each without its full stop."""
    own = tables.pid[tables.pid["model"] == model]
    if not (own["cohort"] == POOLED).any():
        return ["Fewer than two cohorts have a decomposition, and none is pooled"]
    told = age_range_words(own)
    n = int(own.loc[own["cohort"] == POOLED, "n"].max())
    if n < MIN_PEOPLE_FOR_SHARES:
        told.append(f"Only {people(n)} in all: with fewer than {MIN_PEOPLE_FOR_SHARES} no shares are given")
    rows = tables.pooling
    rows = rows[(rows["model"] == model) & (rows["estimator"] == LOG_SCORE_ESTIMATOR) & (rows["atom"] == "added")]
    for name, part in rows.drop_duplicates("modalities").groupby("modalities", sort=False):
        if (part["predicted_low"] <= 0).all() and (part["ci_low"] > 0).all():
            told.append(f"{name} adds information on average over cohorts, and another cohort may show none")
        elif (part["ci_low"] <= 0).all():
            told.append(f"That {name} adds information to the others is not shown")
    return told


def pooled_methods(tables: PooledRuns, first: PoolSummary) -> str:
    """Methods of the meta-analysis, to paste below those of the single runs."""
    n = tables.accuracy.loc[tables.accuracy["cohort"] != POOLED].groupby("cohort")["n"].max()
    moderated = (
        " The logarithm of the standard deviation of the target entered as a moderator."
        if tables.pooling["moderated_bits"].notna().any()
        else ""
    )
    return (
        f"{len(n)} cohorts ({people(int(n.sum()))}) were analysed where they were acquired, each run with the same "
        "features, and joined from summaries without participants: for each model the information of every subset of "
        f"{listed(first.modalities)} about {first.column} with its joint sampling covariance, and accuracy with its "
        "standard error. Informations were pooled by a Bayesian random-effects model with a half-normal prior on the "
        f"standard deviation between cohorts (scale {first.heterogeneity:g} bits), and then decomposed by "
        f"{listed([MEASURES[measure] for measure in first.measures])}; mean absolute errors likewise.{moderated} "
        f"Intervals are of {number(100 * first.confidence, 0)}%."
    )


def _summary(tables: PooledRuns, accuracy: pd.DataFrame, first: PoolSummary, model: str) -> list[str]:
    """Who, how accurate, and what each modality tells, one sentence each."""
    own = accuracy[accuracy["model"] == model]
    cohorts = own[own["cohort"] != POOLED]
    said = [f"{people(int(cohorts['n'].sum()))} of {len(cohorts)} cohorts, none of whom is in these files."]
    joint = own[own["cohort"] == POOLED]
    said += [
        f"Mean absolute error of {LABELS[model]} {number(row['mae'])} {first.units} [{number(row['mae_ci_low'])}, "
        f"{number(row['mae_ci_high'])}] (random-effects mean over cohorts, {row['scheme'].replace('_', ' ')})."
        for row in joint.to_dict("records")
    ]
    rows = told_and_added(tables.pid[tables.pid["cohort"] == POOLED], model, LOG_SCORE_ESTIMATOR)
    if len(rows):
        known = rows.set_index(["modalities", "atom"])
        added = listed([f"{name} adds {interval(known.loc[(name, 'added')], 2)}" for name in first.modalities])
        total = interval(known.loc[(first.modalities[0], "total")], 2)
        said.append(f"Together the modalities tell {total} bits about {first.column}; beyond the others, {added}.")
    return said


def _pooled_rows(pooling: pd.DataFrame, measure: str) -> list[dict[str, Any]]:
    """Total, alone and added of every model and estimator, pooled."""
    rows = pooling[(pooling["measure"] == measure) & (pooling["scope"] == "one_vs_rest")]
    rows = rows[rows["atom"].isin(["total", "alone", "added"])]
    total = rows["atom"] == "total"
    rows = rows[~total | ~rows.assign(total=total).duplicated(["model", "estimator", "total"])]
    return rows.to_dict("records")


def _cohorts(pid: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """People and spread of targets of each cohort, with what is told there."""
    rows = told_and_added(pid, model, LOG_SCORE_ESTIMATOR)
    return rows[rows["atom"] == "total"].drop_duplicates("cohort").to_dict("records")


def _tests(pid: pd.DataFrame, first: PoolSummary) -> list[dict[str, Any]]:
    """Rows of the null's encoder that have a p-value, once for all measures."""
    rows = pid[(pid["model"] == first.null_encoder + WITHIN_COHORT) & (pid["measure"] == first.measures[0])]
    return rows[np.isfinite(rows["p_value"].astype(float))].to_dict("records")
