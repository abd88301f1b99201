r"""Site effects of features, estimated on training people and taken from those who come, whose age is not known.

A feature j of person i at site s is modelled as in ComBat (Johnson et al. 2007),

    x_ij = a_j + c_i' b_j + f_j(age_i) + sigma_j (gamma_sj + sqrt(delta_sj) e_ij),

with covariates c that are known without the target and a smooth f of it, a natural cubic spline. Site effects are drawn
towards those of the other features of the same site (empirical Bayes): the fewer people, the more.

**Location.** ``x - sigma gamma`` is all there is to take away: the mean ``a + c'b + f(age)`` cancels, so that no age is
needed and the result is that of ComBat with ``delta = 1``. (Programs that have it as an option draw every site to the
others as if it had one person; here the number of its people counts.)

**Location and scale.** ComBat scales a residual around the person's own mean ``m = a + c'b + f(age)``, to
``m + (x - sigma gamma - m) / sqrt(delta)``, which needs f(age). Here it is scaled around the mean of m over training
people of the site, with the person's own covariates. That costs ``(f(age) - mean f) (1 - 1 / sqrt(delta))``: nothing
at the site's mean age, and where residuals of a site are 20% wider, its slope on age is taken down by 17%. What is
preserved and known without the target goes with the covariates, and nothing is lost.

References
----------
Johnson, Li & Rabinovic 2007, Biostatistics 8:118. Fortin et al. 2018, NeuroImage 167:104.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brainpid.core.arrays import BoolArray, FloatArray
from brainpid.core.errors import NumericalError

FEWEST_OF_SCALE = 5
"""People of a site with a feature from whom its spread is estimated; with fewer it is that of all sites."""
FEWEST_OF_OWN = 5
"""People of a site that training has not seen whose own features tell its effect; with fewer it is left as it is."""
_CONSTANT = 1e-8  # of a feature's spread: what sites leave of it is rounding
_ROUNDS, _SETTLED = 500, 1e-10  # of the iteration of Johnson et al. for location and scale
Sites = NDArray[np.object_]


@dataclass(frozen=True)
class Harmonisation:
    """Effects of the training sites on p features.

    Attributes
    ----------
    sites : tuple of str
        The S sites of training people with any of the features.
    scaled : bool
        Whether spreads are made equal too.
    intercept, sigma : ndarray, shape (p,)
        Mean over training people without covariates and age, and pooled standard deviation, in the features' units; 1
        where sites leave no spread.
    regular : ndarray of bool, shape (p,)
        Where they leave some.
    covariates : ndarray, shape (c, p)
        Slopes on the covariates.
    by_age : ndarray, shape (S, p)
        Mean of f over the training people of each site.
    mean_by_age : ndarray, shape (p,)
        The same over all of them.
    gamma, delta : ndarray, shape (S, p)
        Additive effect, in units of sigma, and factor of the variance; 0 and 1 for none.
    """

    sites: tuple[str, ...]
    scaled: bool
    intercept: FloatArray
    sigma: FloatArray
    regular: BoolArray
    covariates: FloatArray
    by_age: FloatArray
    mean_by_age: FloatArray
    gamma: FloatArray
    delta: FloatArray

    @classmethod
    def fit(cls, values: FloatArray, site: Sites, covariates: FloatArray, preserved: FloatArray, scaled: bool) -> Self:
        """Estimate the effects of sites on training people.

        Parameters
        ----------
        values : ndarray, shape (n, p)
            Features; NaN is missing.
        site : ndarray of str or None, shape (n,)
            People without a site take no part.
        covariates : ndarray, shape (n, c)
            Known of everybody whose features are harmonised later.
        preserved : ndarray, shape (n, k)
            What is preserved and not known later, such as a spline of the age (`brainpid.crossfit.splines`); k may
            be 0.
        scaled : bool

        Raises
        ------
        NumericalError
            Where the regression has no finite answer.
        """
        known = np.array([one is not None for one in site], dtype=bool) & np.isfinite(values).any(axis=1)
        names = tuple(sorted(set(site[known].tolist())))
        x, rows = values[known], np.searchsorted(np.array(names, dtype=object), site[known]) if names else site[known]
        rows = np.asarray(rows, dtype=np.int64)
        member = rows[:, None] == np.arange(len(names))
        design = np.hstack([member, covariates[known], preserved[known]]).astype(float)
        n_sites, c = len(names), covariates.shape[1]
        fitted = _least_squares(x, design)
        there = np.isfinite(x)
        count = member.T.astype(float) @ there
        people = np.maximum(count.sum(axis=0), 1)
        intercept = (count * fitted[:n_sites]).sum(axis=0) / people
        residual = np.where(there, x - design @ fitted, 0.0)
        sigma = np.sqrt((residual**2).sum(axis=0) / people)
        spread = np.sqrt(_mean(np.where(there, (x - _mean(x)) ** 2, np.nan)))
        regular = sigma > _CONSTANT * np.maximum(spread, np.finfo(float).tiny)
        by_age = preserved[known] @ fitted[n_sites + c :]
        own_by_age = member.T.astype(float) @ np.where(there, by_age, 0.0) / np.maximum(count, 1)
        mean_by_age = np.where(there, by_age, 0.0).sum(axis=0) / people
        unit = np.where(regular, sigma, 1.0)
        rest = (x - intercept - covariates[known] @ fitted[n_sites : n_sites + c] - by_age) / unit
        gamma, delta = np.zeros((n_sites, x.shape[1])), np.ones((n_sites, x.shape[1]))
        if n_sites > 1:
            gamma, delta = _effects(rest, member, regular, scaled)
            # Where sites leave nothing but rounding, all of the site's mean goes.
            gamma = np.where(regular, gamma, np.where(count > 0, fitted[:n_sites] - intercept, 0.0))
        return cls(
            names,
            scaled,
            intercept,
            unit,
            regular,
            fitted[n_sites : n_sites + c],
            own_by_age,
            mean_by_age,
            gamma,
            delta,
        )

    def apply(self, values: FloatArray, site: Sites, covariates: FloatArray, unseen_by_own: bool = False) -> FloatArray:
        """Take the effects of sites from people, whose age is not looked at.

        Parameters
        ----------
        values : ndarray, shape (n, p)
            NaN is missing and stays so.
        site : ndarray of str or None, shape (n,)
        covariates : ndarray, shape (n, c)
        unseen_by_own : bool
            Whether the effect of a site that training has not seen is estimated from the features of its own people
            here, `FEWEST_OF_OWN` or more, as if their ages were those of the training on average; else they are left
            as they are. So is who has no site.

        Returns
        -------
        ndarray, shape (n, p)
        """
        place = {name: row for row, name in enumerate(self.sites)}
        found = values.copy()
        middle = self.intercept + covariates @ self.covariates
        for name in dict.fromkeys(one for one in site if one is not None):
            own = np.array([one == name for one in site], dtype=bool)
            if name in place:
                row = place[name]
                gamma, delta, centre = self.gamma[row], self.delta[row], middle[own] + self.by_age[row]
            elif unseen_by_own and int(np.isfinite(values[own]).any(axis=1).sum()) >= FEWEST_OF_OWN:
                centre = middle[own] + self.mean_by_age
                rest = np.where(self.regular, (values[own] - centre) / self.sigma, np.nan)
                gamma, delta = _effect_of_one(rest, self.scaled)
                gamma = np.where(self.regular, gamma, 0.0)
            else:
                continue
            found[own] = centre + (values[own] - self.sigma * gamma - centre) / np.sqrt(delta)
        return found

    def state(self) -> dict[str, Any]:
        """Arrays by name, as `numpy.savez` takes them without pickles."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return arrays | {"sites": np.array(self.sites, dtype=str), "scaled": np.array(self.scaled)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        return cls(**state | {"sites": tuple(state["sites"].tolist()), "scaled": bool(state["scaled"])})


def _least_squares(x: FloatArray, design: FloatArray) -> FloatArray:
    """Coefficients (q, p) of every feature on a design (n, q), each by the people who have it; the least-norm ones."""
    fitted = np.zeros((design.shape[1], x.shape[1]))
    there = np.isfinite(x)
    patterns, which = np.unique(there, axis=1, return_inverse=True)
    for number, people in enumerate(patterns.T):
        own = np.ravel(which) == number
        if people.any():
            try:
                fitted[:, own] = np.linalg.lstsq(design[people], x[np.ix_(people, own)], rcond=None)[0]
            except np.linalg.LinAlgError as fault:
                raise NumericalError(
                    f"harmonisation: n {int(people.sum())}, columns {design.shape[1]}: the regression has no answer: "
                    f"{fault}"
                ) from fault
    if not np.isfinite(fitted).all():
        raise NumericalError(f"harmonisation: n {len(x)}, columns {design.shape[1]}: coefficients are not finite")
    return fitted


def _effects(rest: FloatArray, member: BoolArray, regular: BoolArray, scaled: bool) -> tuple[FloatArray, FloatArray]:
    """Additive effects and factors of the variance (S, p) of all sites, from standardised residuals (n, p)."""
    gamma, delta = np.zeros((member.shape[1], rest.shape[1])), np.ones((member.shape[1], rest.shape[1]))
    by_site = [rest[own][:, regular] for own in member.T]
    if not regular.any():
        return gamma, delta
    # A single feature has no others of its site to be drawn to: it is drawn to none, by how sites differ in it.
    between = None
    if int(regular.sum()) == 1:
        means = [_mean(own)[0] for own in by_site if np.isfinite(own).any()]
        between = float(np.var(means, ddof=1)) if len(means) > 1 else None
    for row, own in enumerate(by_site):
        gamma[row, regular], delta[row, regular] = _effect_of_one(own, scaled, between)
    return gamma, delta


def _effect_of_one(rest: FloatArray, scaled: bool, between: float | None = None) -> tuple[FloatArray, FloatArray]:
    """Additive effect and factor of the variance (p,) of one site, from its standardised residuals (n, p).

    Formulas of Johnson et al. 2007. Priors are the moments over the features of the site: a normal one for additive
    effects, an inverse gamma one for factors. `between` is the variance over sites of a single feature.
    """
    n = np.isfinite(rest).sum(axis=0).astype(float)
    told = n > 0
    ones, raw = np.ones(rest.shape[1]), np.where(told, _mean(rest), 0.0)
    if not told.any():
        return np.zeros(rest.shape[1]), ones
    if told.sum() > 1:
        middle, spread = float(raw[told].mean()), float(raw[told].var(ddof=1))
    else:
        middle, spread = 0.0, 1.0 if between is None else between
    located = (n * spread * raw + middle) / (n * spread + 1.0)
    enough = n >= FEWEST_OF_SCALE
    if not scaled or enough.sum() < 2:
        return located, ones
    squares = np.where(np.isfinite(rest), (rest - raw) ** 2, 0.0).sum(axis=0)
    variance = squares[enough] / (n[enough] - 1)
    m, s2 = float(variance.mean()), float(variance.var(ddof=1))
    gamma, delta = located.copy(), ones.copy()
    if not m > 0 or not s2 > 0:
        return gamma, np.where(enough, m if m > 0 else 1.0, 1.0)
    a, b = 2 + m**2 / s2, m + m**3 / s2
    own, own_n, mean = np.flatnonzero(enough), n[enough], raw[enough]
    d = variance.copy()
    for _ in range(_ROUNDS):
        g = (own_n * spread * mean + d * middle) / (own_n * spread + d)
        new = (b + 0.5 * (squares[own] + own_n * (mean - g) ** 2)) / (a + own_n / 2 - 1)
        moved, d = float(np.max(np.abs(new - d) / np.maximum(d, _CONSTANT))), new
        if moved < _SETTLED:
            break
    gamma[own], delta[own] = (own_n * spread * mean + d * middle) / (own_n * spread + d), d
    return gamma, delta


def _mean(x: FloatArray) -> FloatArray:
    """Mean of each column over the values that are there; 0 where there are none."""
    there = np.isfinite(x)
    total: FloatArray = np.where(there, x, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(there.sum(axis=0), 1))


def labels_of(levels: Sequence[str], cells: Sequence[Any]) -> FloatArray:
    """Columns (n, levels - 1) of labels, 1 for each but the first; a cell that is no such label is NaN in all."""
    known = {level: row for row, level in enumerate(levels)}
    found = np.full((len(cells), max(len(levels) - 1, 0)), np.nan)
    for row, cell in enumerate(cells):
        if cell in known:
            found[row] = [float(known[cell] == column) for column in range(1, len(levels))]
    return found
