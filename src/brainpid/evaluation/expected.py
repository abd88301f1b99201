"""What a study is expected to find with more people: its own level, and the way of a cheap reader's learning curve.

The level is that of the study's first model, out of fold. How it goes on with more people is taken from refits of a
reader to parts of the training people, over the same held-out people (`brainpid.evaluation.refits`,
`brainpid.evaluation.learning_curve`): errors change in proportion to their level, information by as many bits. Another
model need not gain as much as the reader, and `UNLIKE` says by how much it may differ.

The interval of an expected value holds which people the study has, widened as standard errors of information are, which
curve goes through the refits, and how unlike the reader the model gains. That of a gain does without the first: it is
the difference to what the same study has now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import norm

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.modalities import subsets_of
from brainpid.core.seeds import derive
from brainpid.evaluation.learning_curve import (
    LearningCurve,
    checked_times,
    covariance_of_means,
    fit_learning_curve,
)
from brainpid.evaluation.predictions import LOG_SCORE, SUBSET, by_repeat
from brainpid.evaluation.random_effects import POOLED

MAE, TOTAL, ALONE, ADDED, INFORMATION = "mae", "total", "alone", "added", "information"
OBSERVED, CURVE, EXPECTED = "observed", "curve", "expected"
COLUMNS = [
    "cohort", "model", "quantity", "modalities", "kind", "times", "n", "value", "ci_low", "ci_high", "gain",
    "gain_low", "gain_high", "units", "n_evaluated",
]  # fmt: skip
UNLIKE = 0.35
"""Standard deviation of the logarithm of what a model gains relative to the reader, where it is another model: in 19 of
20 cases between half and twice as much."""
DRAWS = 20_000


class Quantity(NamedTuple):
    """What is told: its name, and the modalities that it is of, joined by +."""

    name: str
    modalities: str


@dataclass(frozen=True)
class Held:
    """Values of held-out people of one cohort in repeats of the folds.

    Attributes
    ----------
    values : dict of Quantity to ndarray, shape (R, n)
    cell : ndarray of int, shape (R, n)
        Fold that held each person out.
    """

    values: dict[Quantity, FloatArray]
    cell: IntArray


@dataclass(frozen=True)
class Plan:
    """Settings of `expected_table`.

    Attributes
    ----------
    modalities : sequence of str
    model, reader : str
        The study's first model, whose level it is, and the one that was refitted.
    n : int
        People of the study who take part.
    times : sequence of float
        Multiples of n that are asked for.
    confidence : float
    units : str
        Of the target.
    seed : int
    """

    modalities: Sequence[str]
    model: str
    reader: str
    n: int
    times: Sequence[float]
    confidence: float
    units: str
    seed: int


def expected_table(
    observed: pd.DataFrame, refits: pd.DataFrame, se_factors: Mapping[str, float], plan: Plan
) -> pd.DataFrame:
    """Observed values, the reader's curve at their level, and expected values at multiples of the people.

    Parameters
    ----------
    observed : DataFrame
        Out-of-fold rows of the study's first model of people with every modality: cohort, participant_id, age, repeat,
        fold, and of every subset of the modalities prediction and log score.
    refits : DataFrame
        What `brainpid.evaluation.refits.refit` gave.
    se_factors : mapping of str to float
        Widening of standard errors, by cohort.
    plan : Plan

    Returns
    -------
    DataFrame
        `COLUMNS`; errors in the target's units, information in bits. Where there are several cohorts, ``pooled`` is
        the mean over the people of all of them.

    Raises
    ------
    InputError
        Where a multiple is larger than `brainpid.evaluation.learning_curve.FARTHEST`, or there are too few parts.
    """
    checked_times(plan.times)
    cohorts = list(dict.fromkeys(observed["cohort"]))
    people = observed[["cohort", "participant_id"]].drop_duplicates()
    refits = refits.merge(people, on=["cohort", "participant_id"])
    parts = sorted(set(refits["fraction"]))
    now = {cohort: _held(observed[observed["cohort"] == cohort], plan.modalities) for cohort in cohorts}
    then = {
        cohort: [
            _held(refits[(refits["cohort"] == cohort) & (refits["fraction"] == part)], plan.modalities)
            for part in parts
        ]
        for cohort in cohorts
    }
    factors = dict(se_factors)
    if len(cohorts) > 1:
        now[POOLED] = _joined([now[cohort] for cohort in cohorts])
        then[POOLED] = [_joined([then[cohort][k] for cohort in cohorts]) for k in range(len(parts))]
        factors[POOLED] = max(factors[cohort] for cohort in cohorts)
    records = [
        row
        for cohort in now
        for quantity in now[cohort].values
        for row in _rows(cohort, quantity, now[cohort], then[cohort], parts, factors[cohort], plan)
    ]
    table = pd.DataFrame(records, columns=COLUMNS)
    errors = table["quantity"] == MAE  # none is below 0, but the interval of few people would be
    table.loc[errors, ["value", "ci_low"]] = table.loc[errors, ["value", "ci_low"]].clip(lower=0.0)
    return table


def _held(rows: pd.DataFrame, modalities: Sequence[str]) -> Held:
    """Values of the people of one cohort who have every modality."""
    names = ["+".join(subset) for subset in subsets_of(modalities)]
    everything = names[-1]
    columns = [start + name for start in (SUBSET, LOG_SCORE) for name in names]
    arranged, age, _ = by_repeat(rows, [*columns, "fold"])
    values = {Quantity(MAE, name): np.abs(arranged[SUBSET + name] - age) for name in names}
    for name in reversed(names):
        label = TOTAL if name == everything else ALONE if name in modalities else INFORMATION
        values[Quantity(label, name)] = arranged[LOG_SCORE + name]
    for modality in modalities if len(modalities) > 1 else ():
        rest = "+".join(m for m in modalities if m != modality)
        values[Quantity(ADDED, modality)] = arranged[LOG_SCORE + everything] - arranged[LOG_SCORE + rest]
    return Held(values, arranged["fold"].astype(np.int64))


def _joined(parts: Sequence[Held]) -> Held:
    """People of several cohorts together."""
    values = {
        quantity: np.concatenate([part.values[quantity] for part in parts], axis=1) for quantity in parts[0].values
    }
    return Held(values, np.concatenate([part.cell for part in parts], axis=1))


def _rows(
    cohort: str,
    quantity: Quantity,
    now: Held,
    then: Sequence[Held],
    parts: Sequence[float],
    factor: float,
    plan: Plan,
) -> list[dict[str, object]]:
    """Rows of one quantity of one cohort."""
    own = now.values[quantity].mean(axis=0)
    level, se = float(own.mean()), factor * float(own.std(ddof=1) / np.sqrt(len(own)))
    stacked = np.stack([held.values[quantity] for held in then], axis=1)
    means = stacked.mean(axis=(0, 2))
    covariance = covariance_of_means(stacked, then[0].cell)
    curve = fit_learning_curve(parts, means, covariance)
    # An error of zero stays one, whatever the reader's is.
    ratio = level / means[-1] if quantity.name == MAE and means[-1] > 0 else 1.0
    normal = float(norm.ppf((1 + plan.confidence) / 2))
    shared: dict[str, object] = {
        "cohort": cohort, "model": plan.model, "quantity": quantity.name, "modalities": quantity.modalities,
        "units": plan.units if quantity.name == MAE else "bits", "n_evaluated": len(own),
    }  # fmt: skip

    def row(kind: str, times: float, value: float, half: float) -> dict[str, object]:
        return shared | {
            "kind": kind, "times": times, "n": round(times * plan.n), "value": value,
            "ci_low": value - half, "ci_high": value + half,
        }  # fmt: skip

    found = []
    for k, part in enumerate(parts[:-1]):
        off = np.zeros(len(parts))
        off[[k, -1]] = 1.0, -1.0
        half = normal * ratio * float(np.sqrt(max(float(off @ covariance @ off), 0.0)))
        found.append(row(CURVE, part, level + ratio * float(off @ means), half))
    found.append(row(OBSERVED, 1.0, level, normal * se))
    rng = np.random.default_rng(derive(plan.seed, "plan", cohort, *quantity))
    gains = ratio * _drawn(curve, plan, rng)
    values = level + se * rng.standard_normal(len(gains))[:, None] + gains
    tails = [(1 - plan.confidence) / 2, (1 + plan.confidence) / 2]
    around, of_gain = np.quantile(values, tails, axis=0), np.quantile(gains, tails, axis=0)
    middle = ratio * curve.mean_gains(plan.times)
    for k, times in enumerate(plan.times):
        found.append(
            row(EXPECTED, times, level + float(middle[k]), 0.0)
            | {
                "ci_low": around[0, k], "ci_high": around[1, k], "gain": middle[k], "gain_low": of_gain[0, k],
                "gain_high": of_gain[1, k],
            }
        )  # fmt: skip
    return found


def _drawn(curve: LearningCurve, plan: Plan, rng: np.random.Generator) -> FloatArray:
    """Draws (DRAWS, T) of the gain of the study's model."""
    gains = curve.draw_gains(plan.times, DRAWS, rng)
    if plan.model == plan.reader:
        return gains
    return np.asarray(gains * np.exp(UNLIKE * rng.standard_normal(DRAWS))[:, None])
