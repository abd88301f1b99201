"""A smooth course of a quantity, such as age, as columns of a regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brainpid.core.arrays import FloatArray

HARRELL = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Quantiles at which a spline of 4 degrees of freedom bends (Harrell 2015, Regression Modeling Strategies)."""


def natural_spline(at: FloatArray, training: FloatArray, quantiles: Sequence[float] = HARRELL) -> FloatArray:
    """Natural cubic spline without its intercept, linear beyond the outer knots.

    Parameters
    ----------
    at, training : ndarray, shape (n,), (m,)
        Values, and those whose `quantiles` are the knots.
    quantiles : sequence of float, length K
        From 0 to 1, ascending.

    Returns
    -------
    ndarray, shape (n, k)
        In standard deviations of `training`; k is K - 1, less where knots coincide, and 0 where `training` has one
        value.
    """
    scale = float(training.std())
    if not scale > 0:
        return np.empty((len(at), 0))
    x = (at - training.mean()) / scale
    knots = (np.unique(np.quantile(training, quantiles)) - training.mean()) / scale
    if len(knots) < 3:
        return x[:, None]
    last, before = knots[-1], knots[-2]

    def cubed(knot: float) -> FloatArray:
        return np.maximum(x - knot, 0.0) ** 3

    columns = [x]
    for knot in knots[:-2]:
        bend = cubed(knot) - (cubed(before) * (last - knot) - cubed(last) * (before - knot)) / (last - before)
        columns.append(bend / (last - knots[0]) ** 2)
    return np.column_stack(columns)
