"""Weights with which a cohort's people stand for a reference distribution of the target.

What they are for stands in `brainpid.evaluation.reference_ages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError

MOST_BANDS, ASKED_BANDS, FEWEST_BANDS, PEOPLE_A_BAND = 20, 6, 3, 10
"""Bands at most; those in each of which a cohort must have somebody; the same for one of few people; and people of a
cohort within the reference for each band."""
FEWEST_EFFECTIVE = 10.0
"""Effective number of people below which a cohort has no rows."""
WEIGHT = "weight"
"""Column of a person's weight; 0 outside of the reference, and NaN in cohorts that are refused."""


@dataclass(frozen=True)
class Weights:
    """How a cohort's people stand for the reference.

    Attributes
    ----------
    weights : ndarray, shape (n,)
        0 outside of the reference; with a mean of 1 within.
    n, n_effective : int and float
        People within the reference, and how many of equal weight would tell as much.
    reason : str
        Why the cohort has no rows; empty where it has.
    """

    weights: FloatArray
    n: int
    n_effective: float
    reason: str


def weights_for(ages: ArrayLike, reference: ArrayLike, units: str) -> Weights:
    """Weight people so that their targets are distributed as a reference.

    Parameters
    ----------
    ages : array_like, shape (n,)
        Targets of one cohort's people.
    reference : array_like, shape (k,)
        Targets of the reference.
    units : str
        Of both, for words.

    Raises
    ------
    InputError
        Where the reference has fewer than two different values.
    """
    own, wanted = np.asarray(ages, dtype=float), np.asarray(reference, dtype=float)
    if len(wanted) < 2 or np.ptp(wanted) == 0:
        raise InputError("reference_ages: expected two different values or more, found fewer")
    low, high = _ends(wanted)
    within = (own >= low) & (own <= high)
    n = int(within.sum())
    most = int(np.clip(n // PEOPLE_A_BAND, FEWEST_BANDS, MOST_BANDS))
    for bands in range(most, min(most, ASKED_BANDS) - 1, -1):
        edges = np.unique(np.quantile(wanted, np.arange(1, bands) / bands).round(9))  # whole ages lie on edges
        edges = edges[(edges > low) & (edges < high)]
        place = np.searchsorted(edges, own, side="right")
        counts = np.bincount(place[within], minlength=len(edges) + 1)
        share = np.bincount(np.searchsorted(edges, wanted, side="right"), minlength=len(edges) + 1) / len(wanted)
        lacking = np.flatnonzero((counts == 0) & (share > 0))
        if not len(lacking):
            break
    none = np.zeros(len(own))
    if len(lacking):
        # Neighbouring bands are one part of the range.
        last = lacking[np.argmax(np.diff(lacking, append=len(counts) + 1) > 1)]
        ends = np.concatenate([[low], edges, [high]])
        part = f"{ends[lacking[0]]:.3g} to {ends[last + 1]:.3g} {units}"
        return Weights(none, n, 0.0, f"nobody with every modality is of {part}, which the reference has")
    weights = np.where(within, share[place] / np.maximum(counts[place], 1), 0.0) * n
    effective = float(weights.sum() ** 2 / np.sum(weights**2))
    if effective < FEWEST_EFFECTIVE:
        few = f"{n} people within the reference stand for {effective:.1f} of equal weight"
        return Weights(none, n, effective, f"{few}; expected at least {FEWEST_EFFECTIVE:g}")
    return Weights(weights, n, effective, "")


def _ends(reference: FloatArray) -> tuple[float, float]:
    """Ends of a reference, half a step beyond its values as for an even one."""
    half = np.ptp(reference) / (len(reference) - 1) / 2
    return float(reference.min() - half), float(reference.max() + half)


def refuse_no_cohort(reasons: Mapping[str, str]) -> None:
    """Raise an `InputError` where no cohort has rows; `reasons` why, by cohort, empty where one has."""
    if reasons and all(reasons.values()):
        found = "; ".join(f"{cohort}: {reason}" for cohort, reason in reasons.items())
        raise InputError(f"reference_ages: no cohort has the targets of the reference ({found}); narrow it")
