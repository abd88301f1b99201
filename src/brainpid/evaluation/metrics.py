"""Accuracy of a prediction, with intervals over people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import pearsonr
from scipy.stats import t as student_t

from brainpid.core.arrays import FloatArray


@dataclass(frozen=True)
class Accuracy:
    """Accuracy over people.

    Attributes
    ----------
    n : int
        Number of people.
    mae, mae_se, mae_ci_low, mae_ci_high : float
        Mean absolute error, its standard error and interval, in the target's units.
    rmse : float
        Root mean squared error, in the target's units.
    r2 : float
        ``1 - SS_residual / SS_total``, against the mean of the evaluated people.
    pearson_r : float
        Correlation of predicted and true target.
    """

    n: int
    mae: float
    mae_se: float
    mae_ci_low: float
    mae_ci_high: float
    rmse: float
    r2: float
    pearson_r: float


def accuracy(predicted: ArrayLike, target: ArrayLike, confidence: float = 0.95) -> Accuracy:
    """Accuracy of repeated out-of-fold predictions.

    The unit of replication is the person: a person's absolute errors are averaged over repeats first, and the
    interval of the mean absolute error is Student's over people. RMSE, R2 and the correlation are taken for each
    repeat and averaged.

    Parameters
    ----------
    predicted : array_like, shape (repeats, n) or (n,)
        Predictions in the target's units.
    target : array_like, shape (n,)
        True values in the same units.
    confidence : float
        Coverage of the interval.

    Notes
    -----
    The interval is over the people who were evaluated, with the models as they were trained.
    """
    target = np.asarray(target, dtype=float)
    predicted = np.atleast_2d(np.asarray(predicted, dtype=float))
    error = predicted - target
    n = len(target)
    mae, se, low, high = _student(np.abs(error).mean(axis=0), confidence)
    spread = ((target - target.mean()) ** 2).mean()
    mse = (error**2).mean(axis=1)
    return Accuracy(
        n=n,
        mae=mae,
        mae_se=se,
        mae_ci_low=low,
        mae_ci_high=high,
        rmse=float(np.sqrt(mse).mean()),
        r2=float(1 - mse.mean() / spread) if spread > 0 else np.nan,
        pearson_r=float(np.mean([_correlation(row, target) for row in predicted])),
    )


@dataclass(frozen=True)
class PairedDifference:
    """Difference of the absolute errors of two models over the same people.

    Attributes
    ----------
    n : int
        Number of people.
    difference, se, ci_low, ci_high : float
        Mean of the first model's absolute error minus the second's, its standard error and interval, in the target's
        units; negative where the first is the more accurate.
    """

    n: int
    difference: float
    se: float
    ci_low: float
    ci_high: float


def paired_difference(
    first: ArrayLike, second: ArrayLike, target: ArrayLike, confidence: float = 0.95
) -> PairedDifference:
    """Compare two models by their absolute errors, person by person.

    A person's absolute errors are averaged over repeats first; the interval of the mean difference is Student's over
    people.

    Parameters
    ----------
    first, second : array_like, shape (repeats, n) or (n,)
        Out-of-fold predictions of the two models, in the target's units.
    target : array_like, shape (n,)
        True values in the same units.
    confidence : float
        Coverage of the interval.

    Notes
    -----
    The interval is over people, with the models as they were trained. Trainings of different folds share most of their
    people, which it does not see: a claim about the methods on new training people needs a wider one, such as that of
    Nadeau and Bengio 2003, Machine Learning 52:239.
    """
    target = np.asarray(target, dtype=float)
    errors = [np.abs(np.atleast_2d(np.asarray(model, dtype=float)) - target).mean(axis=0) for model in (first, second)]
    difference = errors[0] - errors[1]
    return PairedDifference(len(target), *_student(difference, confidence))


def mean_of_people(values: FloatArray, confidence: float) -> tuple[float, float, float]:
    """Mean of people's values (n,) and Student's interval; NaN of nobody, and no interval of one person."""
    if len(values) == 0:
        return np.nan, np.nan, np.nan
    mean, _, low, high = _student(values, confidence)
    return mean, low, high


def _student(values: FloatArray, confidence: float) -> tuple[float, float, float, float]:
    """Mean of people's values (n,), its standard error, and Student's interval; NaN for one person."""
    n, mean = len(values), float(values.mean())
    if n < 2:
        return mean, np.nan, np.nan, np.nan
    se = float(values.std(ddof=1) / np.sqrt(n))
    # Of the standard distribution: scipy's interval with a scale of 0 is NaN, where it is the mean itself.
    low, high = student_t.interval(confidence, n - 1)
    return mean, se, float(mean + low * se), float(mean + high * se)


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Pearson correlation; NaN where one of both has no spread."""
    return float(pearsonr(a, b).statistic) if np.ptp(a) > 0 and np.ptp(b) > 0 else np.nan
