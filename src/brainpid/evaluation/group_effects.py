r"""Groups of people compared in brain-PAD, people of equal target, sex and site with each other.

Patients and controls differ in age, and predictions lie nearer to the mean than ages, so that means of brain-PAD
differ between groups of other ages whatever their brains are (Le et al. 2018; Butler et al. 2021). Two things keep that
out. First, the line that corrects predictions for age bias is that of the training people alone, of the fold by which
somebody is predicted, and is the same for both groups (de Lange et al. 2022): a line through both, or through each,
would take away or bring in a part of the effect. Second, the difference is that of people of equal age: with brain-PAD
:math:`y`, the group :math:`g` (0 or 1), the natural spline :math:`s` of age with 3 degrees of freedom, and sex and site
as levels,

.. math:: y = \beta g + s(\text{age}) + \text{sex} + \text{site} + \varepsilon .

:math:`\beta` is in the target's units. Ages that one of both groups does not have, and sites where there is one group
alone, are left out: nothing there could be compared. Its standard error is HC3 (MacKinnon & White 1985), because
patients often vary more than controls. The test permutes the residuals of the model without the group within sites, and
refits (Freedman & Lane 1983); its statistic is :math:`\beta` over that standard error, with which a permutation holds
its size where the groups vary by different amounts (DiCiccio & Romano 2017). Cohen's d is :math:`\beta` over the
standard deviation of :math:`\varepsilon`, and is the same for the corrected and the uncorrected brain-PAD but for
differences between folds.

The uncorrected difference stands beside it. It is smaller, by the slope of predicted on true age: a brain that is 3
years older is predicted 3 slopes older. People of one group of `splits.group`, such as visits of a person, are averaged
first.

References
----------
Butler et al. 2021, Human Brain Mapping 42:4092. DiCiccio & Romano 2017, JASA 112:1211. Freedman & Lane 1983, J Bus Econ
Stat 1:292. de Lange et al. 2022, Human Brain Mapping 43:3113. Le et al. 2018, Front Aging Neurosci 10:317. MacKinnon &
White 1985, J Econometrics 29:305.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.crossfit.splines import natural_spline

PERMUTATIONS = 1999
FEWEST = 10
"""People of each group, of ages and sites that both have, below which nothing is compared."""
KNOTS = (0, 1 / 3, 2 / 3, 1)
"""Quantiles of age at which its smooth bends: 3 degrees of freedom."""
_BLOCK = 200
"""Permutations that are made at once."""
_TINY = 1e-8


@dataclass(frozen=True)
class GroupEffect:
    """Difference of one group from another among people of equal target, sex and site.

    Attributes
    ----------
    n, n_reference : int
        People compared.
    left_out : int
        People of both who are of an age or a site that the other does not have.
    age, age_reference : float
        Mean target of those compared; NaN without any.
    difference, ci_low, ci_high : float
        In the units of the values; NaN where nothing is compared.
    cohens_d : float
        Difference in standard deviations of people of one group, target, sex and site.
    p_value : float
        Two-sided, by permutation.
    unadjusted : float
        Plain difference of the means of everybody.
    reason : str
        Why nothing is compared; empty where something is.
    """

    n: int
    n_reference: int
    left_out: int
    age: float
    age_reference: float
    difference: float
    ci_low: float
    ci_high: float
    cohens_d: float
    p_value: float
    unadjusted: float
    reason: str


def group_effect(
    values: FloatArray,
    group: BoolArray,
    age: FloatArray,
    site: IntArray,
    sex: IntArray,
    *,
    confidence: float,
    seed: int,
    clusters: IntArray | None = None,
    permutations: int = PERMUTATIONS,
) -> GroupEffect:
    """Compare the values of a group with those of a reference.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Such as brain-PAD in years; finite.
    group : ndarray of bool, shape (n,)
        Who is of the group; the others are the reference.
    age : ndarray, shape (n,)
        The target; finite.
    site, sex : ndarray of int, shape (n,)
        Levels; within those of `site` is permuted.
    confidence : float
        Coverage of the interval.
    seed : int
        Of the permutations.
    clusters : ndarray of int, shape (n,), optional
        People who belong together, such as visits of a person; those of one group and site are averaged.
    permutations : int

    Returns
    -------
    GroupEffect
    """
    unadjusted = _difference(values, group)
    kept = comparable(group, age, site)
    left_out = int((~kept).sum())
    values, group, age, site, sex = values[kept], group[kept], age[kept], site[kept], sex[kept]
    told = partial(
        GroupEffect,
        n=int(group.sum()),
        n_reference=int((~group).sum()),
        left_out=left_out,
        age=_mean(age[group]),
        age_reference=_mean(age[~group]),
        unadjusted=unadjusted,
    )
    y, g, nuisance, strata = _design(
        values, group, age, site, sex, np.arange(len(age)) if clusters is None else clusters[kept]
    )
    free = len(y) - nuisance.shape[1] - 1
    alone = _residual(nuisance, g)
    reason = ""
    own, others = int((g > 0.5).sum()), int((g < 0.5).sum())
    if min(own, others) < FEWEST:
        averaged = ", those who belong together counted once" if len(y) < len(group) else ""
        reason = (
            f"{own} of the group and {others} of the reference are of ages and sites that both have{averaged}; "
            f"expected at least {FEWEST} of each"
        )
    elif free < FEWEST:
        reason = (
            f"{own} of the group and {others} of the reference are too few beside {nuisance.shape[1]} effects of age, "
            f"sex and site; expected at least {nuisance.shape[1] + 1 + FEWEST} together"
        )
    elif alone @ alone < _TINY * len(g):
        reason = "sex and site say who is of which group"
    elif np.ptp(y) == 0:
        reason = "all values are the same"
    if reason:
        nothing = np.nan
        return told(
            difference=nothing, ci_low=nothing, ci_high=nothing, cohens_d=nothing, p_value=nothing, reason=reason
        )
    left = _residual(nuisance, y)
    leverage = np.sum(nuisance**2, axis=1) + alone**2 / (alone @ alone)
    estimate, error = _estimates(left[:, None], alone, leverage)
    drawn = _null(left, nuisance, alone, leverage, strata, permutations, seed)
    beyond = int((np.abs(drawn) >= abs(estimate[0] / error[0]) * (1 - 1e-12)).sum())
    reach = float(student_t.ppf(0.5 + confidence / 2, free)) * error[0]
    spread = np.sqrt(np.sum((left - estimate[0] * alone) ** 2) / free)
    return told(
        difference=float(estimate[0]),
        ci_low=float(estimate[0] - reach),
        ci_high=float(estimate[0] + reach),
        cohens_d=float(estimate[0] / spread),
        p_value=(1 + beyond) / (1 + permutations),
        reason="",
    )


def comparable(group: BoolArray, age: FloatArray, site: IntArray) -> BoolArray:
    """Mark people of ages that both groups have, of sites that then have both; parameters as of `group_effect`."""
    kept = _with_both(np.ones(len(group), dtype=bool), group, site)
    if kept.any():
        low = max(age[kept & group].min(), age[kept & ~group].min())
        high = min(age[kept & group].max(), age[kept & ~group].max())
        kept &= (age >= low) & (age <= high)
    return _with_both(kept, group, site)


def _with_both(kept: BoolArray, group: BoolArray, site: IntArray) -> BoolArray:
    """Mark those kept whose site has both groups among them."""
    both = set(site[kept & group].tolist()) & set(site[kept & ~group].tolist())
    return kept & np.isin(site, list(both))


def _design(
    values: FloatArray, group: BoolArray, age: FloatArray, site: IntArray, sex: IntArray, clusters: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """Values, group, an orthonormal basis of age, sex and site, and site, of people whose clusters are averaged."""
    n = len(values)
    if n == 0:
        return values, group.astype(float), np.empty((0, 0)), site
    columns = [_levels(site), _levels(sex)[:, 1:], natural_spline(age, age, KNOTS if n >= 6 * FEWEST else (0, 1))]
    frame = pd.DataFrame(np.column_stack([values, group, *columns]))
    means = frame.groupby([site, group, clusters], sort=True).mean()
    table = means.to_numpy()
    left, sizes, _ = np.linalg.svd(table[:, 2:], full_matrices=False)
    basis = left[:, sizes > _TINY * sizes[0]]
    return table[:, 0], table[:, 1], basis, means.index.get_level_values(0).to_numpy()


def _levels(codes: IntArray) -> FloatArray:
    """One column a level, shape (n, levels)."""
    return (codes[:, None] == np.unique(codes)[None]).astype(float)


def _residual(basis: FloatArray, values: FloatArray) -> FloatArray:
    """Values (n, ...) without what an orthonormal basis (n, q) explains."""
    return np.asarray(values - basis @ (basis.T @ values))


def _estimates(left: FloatArray, alone: FloatArray, leverage: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Differences and their HC3 standard errors, each (b,), of residuals (n, b); `alone` is the group's residual."""
    size = alone @ alone
    estimate = alone @ left / size
    errors = (left - alone[:, None] * estimate) / np.maximum(1 - leverage, _TINY)[:, None]
    return estimate, np.sqrt(alone**2 @ errors**2) / size


def _null(
    left: FloatArray,
    nuisance: FloatArray,
    alone: FloatArray,
    leverage: FloatArray,
    strata: IntArray,
    permutations: int,
    seed: int,
) -> FloatArray:
    """Statistics (b,) of residuals that are permuted within strata, refitted each time."""
    random = np.random.default_rng(seed)
    rows = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    found = []
    for first in range(0, permutations, _BLOCK):
        drawn = np.empty((len(left), min(_BLOCK, permutations - first)))
        for own in rows:
            drawn[own] = random.permuted(np.repeat(left[own][:, None], drawn.shape[1], axis=1), axis=0)
        estimate, error = _estimates(_residual(nuisance, drawn), alone, leverage)
        found.append(estimate / np.maximum(error, _TINY))
    return np.concatenate(found) if found else np.empty(0)


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _difference(values: FloatArray, group: BoolArray) -> float:
    """Difference of plain means; NaN where one of both has nobody."""
    return _mean(values[group]) - _mean(values[~group])
