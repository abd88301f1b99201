r"""How a quantity of held-out people goes on with more training people, and how far that can be told.

Refits to parts f of the training people give means v(f) of a quantity over the same held-out people. They are taken to
follow a power law,

    v(f) = a + d h(f),    h(f) = (f^-c - 1) / (2^c - 1),

with a the value at the present number and d what half of the people would lose. It goes on as a + d h(t) at t times the
present number: twice the people bring ``2^-c`` of what the second half of them brought. Of a and d nothing is assumed;
d may have either sign, so that a quantity that no number of people changes is promised nothing. The exponent c is hard
to tell from the curve of one study, and has a prior: lognormal about `EXPONENT`, from the rate of a model with fewer
parameters than people, 1, down to that of one with more features than people, whose information grows by nearly as much
with each doubling (c near 0). Given c the model is linear and fitted by generalised least squares; c is integrated over
a grid.

References
----------
Cortes et al. 1994, NIPS 6:327 (power laws of learning curves); Viering & Loog 2023, IEEE TPAMI 45:7799 (what they do
not hold for, and why not to go far beyond the data). Nadeau & Bengio 2003, Machine Learning 52:239.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError, NumericalError

FARTHEST = 2.0
"""Multiple of the present number of people beyond which nothing is said."""
EXPONENT, EXPONENT_SPREAD = 0.5, 0.7
"""Median of the prior of the exponent, and standard deviation of its logarithm: 95% are from 0.13 to 2."""
FEWEST_FRACTIONS = 3
"""Parts of the training people that a curve of three parameters is drawn through, at least."""
_EXPONENTS = np.geomspace(0.04, 4.0, 60)
_SHRUNK = 0.1  # part of the covariance of a curve's points that is taken as independent, for few people tell it
_NOTHING = 1e-12  # variance of points, as a part of their square, that is only of rounding


@dataclass(frozen=True)
class LearningCurve:
    """Posterior of a power law.

    Attributes
    ----------
    exponent : ndarray, shape (C,)
        Grid of exponents c.
    weight : ndarray, shape (C,)
        Probability of each.
    lost, variance : ndarray, shape (C,)
        Mean and variance of d given each, in the quantity's units and their square.
    level : float
        Mean of the fitted value at the present number of people.
    """

    exponent: FloatArray
    weight: FloatArray
    lost: FloatArray
    variance: FloatArray
    level: float

    def draw_gains(self, times: ArrayLike, draws: int, rng: np.random.Generator) -> FloatArray:
        """Draws (draws, T) of the change of the quantity from the present number of people to multiples of it.

        Parameters
        ----------
        times : array_like, shape (T,)
            Multiples, at most `FARTHEST`.
        draws : int
        rng : numpy.random.Generator

        Raises
        ------
        InputError
            Where a multiple is too large, or not above 0.
        """
        asked = checked_times(times)
        chosen = rng.choice(len(self.exponent), size=draws, p=self.weight)
        lost = rng.normal(self.lost[chosen], np.sqrt(self.variance[chosen]))
        return lost[:, None] * _shape(asked[None], self.exponent[chosen, None])

    def mean_gains(self, times: ArrayLike) -> FloatArray:
        """Means (T,) of what `draw_gains` draws."""
        asked = checked_times(times)
        return np.asarray((self.weight * self.lost) @ _shape(asked[None], self.exponent[:, None]))


def checked_times(times: ArrayLike) -> FloatArray:
    """Multiples of the present number of people, as an array (T,).

    Raises
    ------
    InputError
        Where one is not above 0 or larger than `FARTHEST`.
    """
    asked = np.atleast_1d(np.asarray(times, dtype=float))
    if bad := [f"{time:g}" for time in asked if not 0 < time <= FARTHEST]:
        raise InputError(
            f"expected multiples of the present number of people above 0 and up to {FARTHEST:g}, found "
            f"{', '.join(bad)}: beyond twice the people the curves that fit equally well part, and the value of a "
            "whole population cannot be told from them"
        )
    return asked


def fit_learning_curve(fractions: ArrayLike, values: ArrayLike, covariance: ArrayLike) -> LearningCurve:
    """Fit the power law to means at parts of the training people.

    Parameters
    ----------
    fractions : array_like, shape (F,)
        Parts of the training people, above 0 and up to 1, all different.
    values : array_like, shape (F,)
        Mean of the quantity at each.
    covariance : array_like, shape (F, F)
        Of the values; what is common to all does not matter. See `covariance_of_means`.

    Raises
    ------
    InputError
        Where there are fewer than `FEWEST_FRACTIONS`, or the arrays do not fit together.
    NumericalError
        Where values or covariance are not finite.
    """
    f, v, given = (np.asarray(array, dtype=float) for array in (fractions, values, covariance))
    if f.ndim != 1 or v.shape != f.shape or given.shape != (len(f), len(f)):
        raise InputError(
            f"learning curve: fractions of shape {f.shape}, values of shape {v.shape}, covariance of shape "
            f"{given.shape}; expected (F,), (F,) and (F, F)"
        )
    if len(np.unique(f)) < FEWEST_FRACTIONS or len(np.unique(f)) < len(f) or not ((f > 0) & (f <= 1)).all():
        raise InputError(
            f"learning curve: expected {FEWEST_FRACTIONS} or more different parts of the training people above 0 and "
            f"up to 1, found {f.tolist()}"
        )
    if not (np.isfinite(v).all() and np.isfinite(given).all()):
        raise NumericalError(f"learning curve: values {v.tolist()} or their covariance are not finite")
    # What all points have in common is no part of the curve, and would drown what tells them apart.
    apart = given - given.mean(axis=0) - given.mean(axis=1)[:, None] + given.mean()
    scale = float(apart.diagonal().max())
    if scale <= _NOTHING * float(np.abs(v).max()) ** 2:  # nobody is predicted any differently
        scale = _NOTHING * float(np.abs(v).max()) ** 2 or 1.0
    s = (1 - _SHRUNK) * apart + _SHRUNK * np.diag(apart.diagonal()) + scale * (0.01 * np.eye(len(f)) + 1.0)
    precision = np.asarray(np.linalg.inv(s))
    found = [_given_exponent(c, f, v, precision) for c in _EXPONENTS]
    logs = np.array([log for log, *_ in found])
    logs -= 0.5 * (np.log(_EXPONENTS / EXPONENT) / EXPONENT_SPREAD) ** 2  # the grid is even in the logarithm
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    level, lost, variance = (np.array([row[k] for row in found]) for k in (1, 2, 3))
    return LearningCurve(_EXPONENTS, weight, lost, variance, float(weight @ level))


def covariance_of_means(values: FloatArray, cell: ArrayLike) -> FloatArray:
    """Covariance (F, F) of means over people, of who is held out and of which people the parts consist.

    Parameters
    ----------
    values : ndarray, shape (R, F, n)
        Values of n held-out people at F parts of the training people in R repeats of the folds.
    cell : array_like of int, shape (R, n)
        Number of the repeat's fold that held a person out, whose refits are the same for all of it.

    Notes
    -----
    The covariance over people of their means over repeats, over n, and that over folds of the folds' means, times
    ``1 / J + 1 / (K - 1)`` for J folds in all and K in a repeat: people of one fold share the refits, and refits of
    different folds share most of their people (Nadeau & Bengio 2003). Over random parts of a cohort the difference of
    the values at half and at all of the people scattered 1.0 to 1.6 times as much as is told without the term of
    sharing, and 0.6 to 1.0 times as much as with it.
    """
    repeats, points, n = values.shape
    of_people = np.cov(values.mean(axis=0)).reshape(points, points) / n
    cells = np.asarray(cell)
    means, sizes = [], []
    for repeat in range(repeats):
        for number in np.unique(cells[repeat]):
            rows = cells[repeat] == number
            means.append(values[repeat][:, rows].mean(axis=1))
            sizes.append(int(rows.sum()))
    if len(means) < 2:
        return np.asarray(of_people)
    a_repeat = len(means) / repeats
    shared = 1 / len(means) + (1 / (a_repeat - 1) if a_repeat > 1 else 0.0)
    of_folds = np.cov(np.array(means).T, aweights=sizes).reshape(points, points) * shared
    return np.asarray(of_people + of_folds)


def _shape(f: FloatArray, c: FloatArray | float) -> FloatArray:
    """``h(f)``: 0 at the present number of people, 1 at half of it."""
    return np.asarray((f**-c - 1) / (2**c - 1))


def _given_exponent(c: float, f: FloatArray, v: FloatArray, precision: FloatArray) -> tuple[float, float, float, float]:
    """Logarithm of the marginal likelihood with flat priors of a and d, means of a and d, and variance of d."""
    design = np.column_stack([np.ones(len(f)), _shape(f, c)])
    information = design.T @ precision @ design
    covariance = np.linalg.inv(information)
    a, d = covariance @ (design.T @ precision @ v)
    off = v - design @ np.array([a, d])
    log = -0.5 * float(off @ precision @ off) - 0.5 * float(np.linalg.slogdet(information)[1])
    return log, float(a), float(d), float(covariance[1, 1])
