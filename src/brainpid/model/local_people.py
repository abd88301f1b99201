r"""Correcting a model at a site that it was not trained on by a few of its people whose targets are known.

Of person i of site s the model predicts :math:`p_i` with an interval of half-width :math:`h_i`, and the target is
:math:`y_i`. Sites differ in offset and slope of what is left, and in how far people scatter about that line:

.. math:: y_i - p_i = \beta_{s0} + \beta_{s1} (p_i - m_s) / d + \sigma_s \frac{h_i}{h_0} \epsilon_i,
   \qquad \beta_s \sim N(0, T), \qquad \log \sigma_s \sim N(\mu, \nu^2).

The line is about the site's own mean prediction :math:`m_s`, because people of a site are of an age: about the mean of
all sites, slopes would say that a site far from it is off by more than sites are. It is estimated from the predictions
of the site's people at hand, shrunken towards the mean of all sites.

How much sites differ (`SiteSpread`) is learned from predictions of people whose site took no part in the training. Of a
new site with k people, the corrected prediction is the posterior mean, and its interval the central part of the
posterior predictive distribution: with k = 0 there is no correction and the interval is as wide as errors at sites left
out; with many people the site's own line and scatter remain. :math:`\sigma_s` is summed over a grid, given which all is
normal. The people enter by a few sums (`Sums`), and nobody's own target enters the correction of that person.

References
----------
Efron & Morris 1975, J Am Stat Assoc 70:311 (empirical Bayes); Lindley & Smith 1972, J R Stat Soc B 34:1 (lines that
differ between groups).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field
from scipy.special import logsumexp, ndtr

from brainpid.config.section import Section
from brainpid.core.arrays import FloatArray, IntArray

GRID = np.linspace(-3, 3, 25)
"""Points of the grid over log sigma, in its standard deviations from its mean."""
BISECTIONS = 30
"""Halvings in the search of a half-width, which starts within 12 standard deviations."""


Positive = Annotated[float, Field(gt=0)]
Spread = Annotated[float, Field(ge=0)]


class Factor(NamedTuple):
    """By what the normal theory is multiplied: learned at sites left out without people of theirs, and with some."""

    none: Positive
    some: Positive

    def at(self, k: int) -> float:
        """Factor with k people."""
        return self.some + (self.none - self.some) / (1 + k)


class SiteSpread(Section):
    """How much sites differ that took no part in a training.

    Attributes
    ----------
    offset, slope : float
        Standard deviations over sites of the target less its prediction at the site's mean prediction, and of how that
        changes over `spread`, both in the target's units.
    correlation : float
        Of the two.
    scatter, scatter_spread : float
        Median over sites of a person's standard deviation about the line of the site, in the target's units, and
        standard deviation of its logarithm.
    centre, spread : float
        Mean of the sites' mean predictions, and standard deviation of the predictions, in the target's units.
    apart : float
        Variance of predictions within sites, in parts of that between them.
    half_width : float
        Mean half-width of the model's own intervals, in the target's units.
    coverage : float
        Nominal coverage of these.
    width, error : Factor
        By what intervals are wider than the normal theory has them so that as many hold at sites left out as are
        promised, and by what errors are larger.
    sites, people : int
        Of which it was learned.
    """

    offset: Spread
    slope: Spread
    correlation: Annotated[float, Field(ge=-1, le=1)]
    scatter: Positive
    scatter_spread: Spread
    centre: float
    spread: Positive
    apart: Spread
    half_width: Positive
    coverage: Annotated[float, Field(gt=0, lt=1)]
    width: Factor
    error: Factor
    sites: Annotated[int, Field(ge=1)]
    people: Annotated[int, Field(ge=1)]

    @property
    def covariance(self) -> FloatArray:
        """Covariance (2, 2) of offset and slope over sites."""
        joint = self.correlation * self.offset * self.slope
        return np.array([[self.offset**2, joint], [joint, self.slope**2]])

    @property
    def scatters(self) -> FloatArray:
        """Scatters of the grid, shape (G,), in the target's units."""
        return self.scatter * np.exp(self.scatter_spread * GRID)


class Sums(NamedTuple):
    """What people of one site tell, with z = (1, (p - centre) / spread), weighted by the inverse of (h_i / h_0)^2.

    Attributes
    ----------
    n : int
        People.
    zz : ndarray, shape (2, 2)
        Sum of z z'.
    zr : ndarray, shape (2,)
        Sum of z (y - p), in the target's units.
    rr : float
        Sum of (y - p)^2, in those squared.
    """

    n: int
    zz: FloatArray
    zr: FloatArray
    rr: float


NOBODY = Sums(0, np.zeros((2, 2)), np.zeros(2), 0.0)


class Corrected(NamedTuple):
    """Predictions of n people of a site, all in the target's units, shape (n,).

    Attributes
    ----------
    predicted, low, high : ndarray
        Corrected prediction and ends of its interval.
    expected_error : ndarray
        Expected absolute error of the corrected prediction.
    """

    predicted: FloatArray
    low: FloatArray
    high: FloatArray
    expected_error: FloatArray


class Raw(NamedTuple):
    """What the model says of n people, all in the target's units, shape (n,).

    Attributes
    ----------
    predicted, low, high : ndarray
        Prediction and ends of its interval at the coverage that is asked.
    half_width : ndarray
        Half-width of the interval at the coverage of the `SiteSpread`.
    """

    predicted: FloatArray
    low: FloatArray
    high: FloatArray
    half_width: FloatArray

    def of(self, rows: IntArray) -> Raw:
        """The same of some people, by their numbers."""
        return Raw(*(own[rows] for own in self))


def sums_of(raw: Raw, y: FloatArray, spread: SiteSpread) -> Sums:
    """What people of one site tell of it.

    Parameters
    ----------
    raw : Raw
        Of k people of the site.
    y : ndarray, shape (k,)
        Their targets, in the target's units.
    spread : SiteSpread
    """
    z = design(raw.predicted, spread.centre, spread.spread)
    return weighted_sums(z, raw.half_width / spread.half_width, y - raw.predicted)


def without(sums: Sums, own: Sums) -> Sums:
    """Sums of a site less those of some of its people."""
    return Sums(sums.n - own.n, sums.zz - own.zz, sums.zr - own.zr, sums.rr - own.rr)


def line_of(spread: SiteSpread, sums: Sums) -> tuple[float, float, float]:
    """Correction of a site: what is added to a prediction p is ``offset + slope * (p - at)``.

    Parameters
    ----------
    spread : SiteSpread
    sums : Sums
        By `sums_of` with the same spread.

    Returns
    -------
    offset, slope, at : float
        In the target's units, without unit, and in the target's units.
    """
    about = centres_of([sums], spread.apart)
    _, weights, means, _ = _posterior(spread, sums, about)
    (level, tilt), place = weights[0] @ means[0], float(about[0])
    return float(level + tilt * place), float(tilt / spread.spread), spread.centre + spread.spread * place


def correct(spread: SiteSpread, sums: Sums, raw: Raw, coverage: float) -> Corrected:
    """Correct the predictions of people of a site, whose own targets are not among the sums.

    Parameters
    ----------
    spread : SiteSpread
    sums : Sums
        Of the site's people whose targets are known; `NOBODY` where there are none: then intervals alone change.
    raw : Raw
        What the model says of n people; the corrected interval keeps how its ends lie about the prediction.
    coverage : float
        Nominal coverage of the intervals, between 0 and 1.
    """
    z = design(raw.predicted, spread.centre, spread.spread)
    # A person's own prediction says where its site lies, too.
    about = (sums.zz[0, 1] + z[:, 1]) / (spread.apart + sums.zz[0, 0] + 1)
    scatters, weights, means, covariances = _posterior(spread, sums, about)
    own = np.einsum("ni,ngi->ng", z, means)
    shift = (own * weights).sum(axis=1)
    scale = (raw.half_width / spread.half_width)[:, None] * scatters
    sd = np.sqrt(np.einsum("ni,ngij,nj->ng", z, covariances, z) + scale**2)
    off = own - shift[:, None]
    half = _half_widths(off, sd, weights, coverage) * spread.width.at(sums.n)
    stretch = 2 * half / (raw.high - raw.low)
    folded = sd * np.sqrt(2 / np.pi) * np.exp(-0.5 * (off / sd) ** 2) + off * (1 - 2 * ndtr(-off / sd))
    centre = raw.predicted + shift
    return Corrected(
        centre,
        centre - (raw.predicted - raw.low) * stretch,
        centre + (raw.high - raw.predicted) * stretch,
        (folded * weights).sum(axis=1) * spread.error.at(sums.n),
    )


def design(predicted: FloatArray, centre: float, spread: float) -> FloatArray:
    """Offset and slope of each prediction, shape (n, 2)."""
    return np.column_stack([np.ones(len(predicted)), (predicted - centre) / spread])


def weighted_sums(z: FloatArray, scale: FloatArray, r: FloatArray) -> Sums:
    """Sums over people; `scale` (n,) are their half-widths in mean half-widths, `r` (n,) targets less predictions."""
    w = scale**-2.0
    return Sums(len(r), np.einsum("n,ni,nj->ij", w, z, z), z.T @ (w * r), float(w @ r**2))


def centres_of(sums: Sequence[Sums], apart: float) -> FloatArray:
    """Mean prediction of each site, shape (S,), shrunken towards the centre, in spreads from it."""
    return np.array([own.zz[0, 1] / (apart + own.zz[0, 0]) for own in sums])


def given_scatter(
    sums: Sequence[Sums], centres: FloatArray, variances: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log-likelihood (S, G) of sites given squared scatters (G,), but for a constant, and mean and covariance of lines.

    With A = sum z z', b = sum z r and T of the line about the site's centre, the likelihood is that of
    r ~ N(0, Z T Z' + v W^-1): -n/2 log v - 1/2 log|I + T A / v| - 1/2 (rr / v - b' (T^-1 + A / v)^-1 b / v^2).
    Lines are about the centre of all sites.
    """
    zz = np.stack([own.zz for own in sums])[:, None] / variances[:, None, None]
    zr = np.stack([own.zr for own in sums])[:, None] / variances[:, None]
    rr = np.array([own.rr for own in sums])[:, None] / variances
    n = np.array([own.n for own in sums])[:, None]
    move = np.tile(np.eye(2), (len(centres), 1, 1))
    move[:, 0, 1] = -centres
    prior = (move @ covariance @ move.transpose(0, 2, 1))[:, None]
    inner = np.eye(2) + prior @ zz
    lines = np.asarray(np.linalg.solve(inner, np.broadcast_to(prior, inner.shape)), dtype=np.float64)
    means: FloatArray = np.einsum("sgij,sgj->sgi", lines, zr)
    quadratic = rr - np.einsum("sgi,sgi->sg", zr, means)
    logs: FloatArray = -0.5 * (n * np.log(variances) + np.log(np.linalg.det(inner)) + quadratic)
    return logs, means, lines


def prior_of_grid() -> FloatArray:
    """Log weights (G,) of the grid over log sigma."""
    logs = -0.5 * GRID**2
    return np.asarray(logs - logsumexp(logs))


def _posterior(
    spread: SiteSpread, sums: Sums, centres: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Scatters (G,), and for each of n centres of the site weights (n, G), means (n, G, 2) and covariances."""
    scatters = spread.scatters
    logs, means, covariances = given_scatter([sums], centres, scatters**2, spread.covariance)
    weights = prior_of_grid() + logs
    return scatters, np.exp(weights - logsumexp(weights, axis=1, keepdims=True)), means, covariances


def _half_widths(off: FloatArray, sd: FloatArray, weights: FloatArray, coverage: float) -> FloatArray:
    """Half-widths (n,) within which mixtures of normals N(off, sd^2), each (n, G), lie with a probability."""
    low, high = np.zeros(len(sd)), np.max(np.abs(off) + 12 * sd, axis=1, initial=0.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        at = middle[:, None]
        inside = (weights * (ndtr((at - off) / sd) - ndtr((-at - off) / sd))).sum(axis=1) < coverage
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return (low + high) / 2
