"""How much sites differ that took no part in a training: what a few local people are weighed against.

Offset, slope and scatter of sites (`brainpid.model.local_people`) are learned by maximum marginal likelihood, with weak
priors that keep a handful of sites from looking alike by chance. Then every site plays the new one: with nobody and
with some of its people known, the others of it are corrected, and intervals and expected errors are multiplied by what
makes them right on average over sites, because neither sites nor people are normal.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.errors import NumericalError
from brainpid.core.seeds import derive
from brainpid.model.local_people import (
    GRID,
    NOBODY,
    Corrected,
    Factor,
    Raw,
    SiteSpread,
    centres_of,
    correct,
    design,
    given_scatter,
    prior_of_grid,
    sums_of,
    weighted_sums,
)

FEWEST_OF_SITE = 5
"""People of a site that is learned from."""
SOME = 10
"""People who are known of a site that plays the new one, or half of it where it is small."""
DRAWS = 5
"""Times that they are drawn."""
LOG_NU = (np.log(0.4), 0.5)
"""Mean and standard deviation of the prior of log nu: scatter of sites within a factor of 2.2, one way or the other."""
LOG_TAU = 1.0
"""Standard deviation of the priors of log offset and log slope about a third of the people's error."""
TURN = 1.0
"""Standard deviation of the prior of the correlation of offset and slope, on Fisher's scale."""
FARTHEST = np.array([4.0, 4.0, 2.5, 3.0, 1.3])
"""How far the likelihood is searched about its start, in the logarithms (and Fisher's scale) of its parameters."""


def learn_spread(raw: Raw, y: FloatArray, site: IntArray, coverage: float, seed: int) -> SiteSpread:
    """Learn how much sites differ from people whose site took no part in the training of what predicted them.

    Parameters
    ----------
    raw : Raw
        What models say of n people, their intervals at one coverage.
    y : ndarray, shape (n,)
        Targets, in the target's units.
    site : ndarray of int, shape (n,)
        Site of each person; every site has `FEWEST_OF_SITE` people or more.
    coverage : float
        Nominal coverage of the intervals.
    seed : int
        Of the people who are known of a site that plays the new one.

    Raises
    ------
    NumericalError
        Where predictions or intervals do not differ from zero, or the likelihood is not finite.
    """
    rows = [np.flatnonzero(site == one) for one in np.unique(site)]
    of_sites = np.array([raw.predicted[own].mean() for own in rows])
    centre, spread, h0 = float(of_sites.mean()), float(raw.predicted.std()), float(raw.half_width.mean())
    between = float(np.var(of_sites, ddof=1)) if len(rows) > 1 else 0.0
    if not (spread > 0 and h0 > 0 and between > 0):
        raise NumericalError(
            f"predictions of {len(y)} people of {len(rows)} sites have the standard deviation {spread:g}, their means "
            f"over sites {between**0.5:g}, and intervals half-widths of {h0:g} on average; expected all to be positive"
        )
    within = float(np.mean([raw.predicted[own].var(ddof=1) for own in rows]))
    apart = within / between
    z, r = design(raw.predicted, centre, spread), y - raw.predicted
    sums = [weighted_sums(z[own], raw.half_width[own] / h0, r[own]) for own in rows]
    centres = centres_of(sums, apart)
    third = np.log(np.sqrt(np.mean(r**2)) / 3)
    start = np.array([third, third, 0.0, third + np.log(3), LOG_NU[0]])

    def loss(theta: FloatArray) -> float:
        offset, slope, turn, scatter, nu = theta
        joint = np.tanh(turn) * np.exp(offset + slope)
        covariance = np.array([[np.exp(2 * offset), joint], [joint, np.exp(2 * slope)]])
        logs = given_scatter(sums, centres, np.exp(2 * (scatter + np.exp(nu) * GRID)), covariance)[0]
        apart_from_start = np.array([(offset - third) / LOG_TAU, (slope - third) / LOG_TAU, turn / TURN])
        penalty = float((apart_from_start**2).sum()) + ((nu - LOG_NU[0]) / LOG_NU[1]) ** 2
        return float(0.5 * penalty - logsumexp(logs + prior_of_grid(), axis=1).sum())

    bounds = list(zip(start - FARTHEST, start + FARTHEST, strict=True))
    found = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    if not np.isfinite(found.fun):
        raise NumericalError(f"how much {len(rows)} sites differ has no finite likelihood, at {found.x.tolist()}")
    offset, slope, turn, scatter, nu = (float(value) for value in found.x)
    normal = SiteSpread(
        offset=float(np.exp(offset)), slope=float(np.exp(slope)), correlation=float(np.tanh(turn)),
        scatter=float(np.exp(scatter)), scatter_spread=float(np.exp(nu)), centre=centre, spread=spread, apart=apart,
        half_width=h0, coverage=coverage, width=Factor(1.0, 1.0), error=Factor(1.0, 1.0), sites=len(rows),
        people=len(y),
    )  # fmt: skip
    none, some = (_factors(normal, raw, y, rows, k, seed) for k in (0, SOME))
    return normal.model_copy(update={"width": Factor(none[0], some[0]), "error": Factor(none[1], some[1])})


def play_new_site(
    spread: SiteSpread, raw: Raw, y: FloatArray, rows: IntArray, k: int, draw: int, seed: int, most: int | None = None
) -> tuple[IntArray, Corrected]:
    """Correct people of a site by k others of it.

    Parameters
    ----------
    spread : SiteSpread
    raw, y
        As for `learn_spread`.
    rows : ndarray of int
        People of the site, among all.
    k, draw, seed : int
        How many of them are known, and which draw of them it is.
    most : int, optional
        People at most who are corrected.

    Returns
    -------
    tested : ndarray of int
        Who is corrected, among all.
    corrected : Corrected
    """
    order = np.random.default_rng(derive(seed, "local people", int(rows[0]), k, draw)).permutation(rows)
    known, tested = order[:k], np.sort(order[k:][:most])
    sums = sums_of(raw.of(known), y[known], spread) if k else NOBODY
    return tested, correct(spread, sums, raw.of(tested), spread.coverage)


def _factors(
    spread: SiteSpread, raw: Raw, y: FloatArray, rows: list[IntArray], k: int, seed: int
) -> tuple[float, float]:
    """By what half-widths and expected errors are to be multiplied, every site counting once."""
    ratios, weights, found, expected = [], [], [], []
    for own in rows:
        known = min(k, len(own) // 2)
        draws = DRAWS if known else 1
        for draw in range(draws):
            tested, told = play_new_site(spread, raw, y, own, known, draw, seed)
            off = y[tested] - told.predicted
            reach = np.where(off > 0, told.high - told.predicted, told.predicted - told.low)
            ratios.append(np.abs(off) / reach)
            weights.append(np.full(len(tested), 1 / (len(tested) * draws)))
            found.append(np.abs(off).mean() / draws)
            expected.append(told.expected_error.mean() / draws)
    ratio, weight = np.concatenate(ratios), np.concatenate(weights)
    order = np.argsort(ratio, kind="stable")
    reached = np.searchsorted(np.cumsum(weight[order]), spread.coverage * len(rows))
    return float(ratio[order][min(int(reached), len(ratio) - 1)]), float(np.sum(found) / np.sum(expected))
