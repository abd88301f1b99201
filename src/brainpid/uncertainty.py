"""Intervals for one person's prediction, with a coverage that holds without distributional assumptions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from brainpid.errors import InputError


def conformal_half_width(predicted: ArrayLike, target: ArrayLike, coverage: float) -> float:
    """Half width of a conformal interval from out-of-fold errors of training people.

    The ``ceil((n + 1) coverage)``-th smallest absolute error. A new person's interval is the prediction plus and
    minus that width; under exchangeability it covers about `coverage` (cross-conformal prediction, Vovk 2015; the
    stricter CV+ of Barber et al. 2021, Annals of Statistics 49:486 guarantees ``2 coverage - 1``).

    Parameters
    ----------
    predicted : array_like, shape (n,)
        Out-of-fold predictions of training people.
    target : array_like, shape (n,)
        Their targets, in the same units.
    coverage : float
        Wanted coverage, between 0 and 1.

    Returns
    -------
    float
        Half width in the target's units.

    Raises
    ------
    InputError
        Where n is too small for the coverage: ``n >= coverage / (1 - coverage)`` is needed.
    """
    errors = np.sort(np.abs(np.asarray(predicted, dtype=float) - np.asarray(target, dtype=float)))
    rank = int(np.ceil((len(errors) + 1) * coverage - 1e-9))
    if rank > len(errors):
        needed = np.ceil(coverage / (1 - coverage) - 1e-9)
        raise InputError(
            f"an interval of coverage {coverage:g} needs at least {needed:g} training people, found {len(errors)}; "
            "lower interval_coverage"
        )
    return float(errors[rank - 1])
