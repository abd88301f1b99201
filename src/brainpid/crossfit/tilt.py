r"""Age distributions that a prediction tilts: training ages, each with a weight that depends on the prediction.

A tilt turns the empirical distribution of the training ages into the one of a person whose prediction is f,

    log r(y | f) = B(f)' T C(y) - log Z(f),   B = (1, f),   Z(f) = mean over training ages of exp(B(f)' T C(y)),

which is the ratio of the person's density to that of everybody. The ages' own density is never estimated, so that no
bandwidth bends the ratio where ages are anything but normal. C is two numbers of an age: itself and its square, or
its normal score and its square, which is the Gaussian of a copula.

References
----------
Efron & Tibshirani 1996, Annals of Statistics 24:2431 (exponential tilts of an empirical distribution).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.linalg import factorising
from brainpid.crossfit.age_groups import AgeGroups
from brainpid.crossfit.transforms import NormalScores

_LARGEST = 300.0  # logarithm of a ratio, at ages of which nobody is among the people
_BINS = 128  # of predictions: log Z is smooth in them
_STEPS = 60  # of Newton's method; a dozen are taken
_TOLERANCE = 1e-7  # of the expected gain of a step, in nats per fit
_PENALTY = 0.1  # of |T|^2 / 2, in nats: a tilt shrinks to the age distribution itself


@dataclass(frozen=True)
class Statistic:
    """The two numbers of an age that a tilt weighs: x and x^2, each standardised.

    Attributes
    ----------
    first, second : ndarray, shape (2,)
        Centre and scale of x, and of the square of the standardised x.
    """

    first: FloatArray
    second: FloatArray

    @classmethod
    def fit(cls, x: FloatArray, counts: FloatArray) -> Statistic:
        """Standardise by values (G,) that so many people (G,) have."""
        part = counts / counts.sum()
        centre = part @ x
        scale = np.sqrt(part @ (x - centre) ** 2) or np.inf
        square = ((x - centre) / scale) ** 2
        spread = np.sqrt(part @ (square - part @ square) ** 2)
        # Two values of one distance from their mean have one square.
        return cls(np.array([centre, scale]), np.array([part @ square, spread if spread > 1e-9 else np.inf]))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Statistics (..., 2) of values (...)."""
        z = (x - self.first[0]) / self.first[1]
        return np.stack([z, (z**2 - self.second[0]) / self.second[1]], axis=-1)


def likelihood_tilt(f: FloatArray, c: FloatArray, groups: FloatArray, counts: FloatArray) -> FloatArray:
    """Tilt of the largest penalised likelihood, by Newton's method.

    Parameters
    ----------
    f : ndarray, shape (n,)
        Standardised predictions. The likelihood needs them one by one in sums alone; Z is taken at means of neighbours.
    c : ndarray, shape (n, 2)
        Statistics of the people's ages.
    groups : ndarray, shape (G, 2)
        Statistics of the groups of ages.
    counts : ndarray, shape (G,)
        People in each.

    Returns
    -------
    ndarray, shape (2, 2)
        T; 0 where the predictions tell nothing.
    """
    n = len(f)
    sums = np.array([c.sum(axis=0), f @ c])
    starts = np.unique(np.linspace(0, n, min(_BINS, n) + 1).astype(int)[:-1])
    people = np.diff([*starts, n]).astype(float)
    b = np.column_stack([np.ones(len(starts)), np.add.reduceat(np.sort(f), starts) / people])
    with np.errstate(divide="ignore"):
        log_p = np.log(counts / counts.sum())
    products = np.column_stack([groups, groups[:, :1] * groups, groups[:, 1:] ** 2])

    def value(t: FloatArray) -> tuple[float, FloatArray]:
        exponent = b @ t @ groups.T + log_p
        top = exponent.max(axis=1, keepdims=True)
        weight = np.exp(exponent - top)
        z = weight.sum(axis=1, keepdims=True)
        found = np.sum(sums * t) - people @ (top + np.log(z))[:, 0] - _PENALTY * np.sum(t**2) / 2
        return float(found), weight / z

    t = np.zeros((2, 2))
    reached, weight = value(t)
    for _ in range(_STEPS):
        moments = weight @ products
        mean = moments[:, :2]
        spread = np.array(
            [
                [moments[:, 2] - mean[:, 0] ** 2, moments[:, 3] - mean[:, 0] * mean[:, 1]],
                [moments[:, 3] - mean[:, 0] * mean[:, 1], moments[:, 4] - mean[:, 1] ** 2],
            ]
        )
        gradient = (sums - (b * people[:, None]).T @ mean - _PENALTY * t).ravel()
        hessian = np.einsum("k,ki,kj,abk->iajb", people, b, b, spread).reshape(4, 4) + _PENALTY * np.eye(4)
        with factorising("tilt of the age distribution", hessian, n, 4):
            step = np.linalg.solve(hessian, gradient).reshape(2, 2)
        gain, part = float(gradient @ step.ravel()), 1.0
        while part > 1e-4:
            tried, its_weight = value(t + part * step)
            if tried >= reached + 0.1 * part * gain:
                t, reached, weight = t + part * step, tried, its_weight
                break
            part /= 2
        if part <= 1e-4 or gain < _TOLERANCE:
            break
    return t


def gaussian_tilt(f: FloatArray, g: FloatArray, statistic: Statistic) -> FloatArray:
    """Tilt ``N(g; a + b f, s^2) / N(g; 0, 1)`` of normal scores: the Gaussian copula, by least squares.

    Parameters
    ----------
    f : ndarray, shape (n,)
        Standardised predictions; they must vary.
    g : ndarray, shape (n,)
        Normal scores of the people's ages.
    statistic : Statistic
        Of normal scores.

    Returns
    -------
    ndarray, shape (2, 2)
    """
    centred = f - f.mean()
    slope = centred @ g / (centred @ centred)
    level = g.mean() - slope * f.mean()
    variance = max(np.sum((g - level - slope * f) ** 2) / max(len(f) - 2, 1), 1e-6)
    (centre, scale), square_scale = statistic.first, statistic.second[1]
    quadratic = (1 - 1 / variance) / 2
    # g = centre + scale z, and z^2 = square_centre + square_scale C_2; what depends on no age goes into Z.
    linear = np.array([level, slope]) / variance * scale + np.array([2 * quadratic * centre * scale, 0.0])
    return np.column_stack([linear, [quadratic * scale**2 * (square_scale if np.isfinite(square_scale) else 0), 0.0]])


@dataclass(frozen=True)
class TiltedAges:
    """Both tilts of the ages of a set of people, by a reader's prediction in normal scores.

    Attributes
    ----------
    ages : AgeGroups
    scores : ndarray, shape (G,)
        Normal scores of the groups.
    centre, scale, low, high : float
        Mean, standard deviation and range of the predictions; a prediction beyond the range counts as its end.
    tilts : ndarray, shape (2, 2, 2)
        T of the ages and T of their normal scores.
    """

    ages: AgeGroups
    scores: FloatArray
    centre: float
    scale: float
    low: float
    high: float
    tilts: FloatArray

    @classmethod
    def fit(
        cls,
        f: FloatArray,
        y: FloatArray,
        member: IntArray,
        values: FloatArray,
        target_map: NormalScores,
        least: int = 1,
    ) -> TiltedAges:
        """Fit to out-of-fold predictions.

        Parameters
        ----------
        f : ndarray, shape (n,)
            In normal scores. Where they do not vary, or fall with age, there is no tilt, and everybody gets the age
            distribution.
        y : ndarray, shape (n,)
        member : ndarray of int, shape (n,)
            Group of each age.
        values : ndarray, shape (G,)
            Mean ages of the groups; there may be groups of which nobody is here.
        target_map : NormalScores
        least : int
            People behind either end of the range of predictions, at least.
        """
        own = AgeGroups(values, np.bincount(member, minlength=len(values)).astype(float))
        scores = target_map.transform(values)
        g = target_map.transform(y)
        centre, scale = float(f.mean()), float(f.std())
        flat = cls(own, scores, centre, 1.0, centre, centre, np.zeros((2, 2, 2)))
        if len(f) < 3 or np.count_nonzero(own.counts) < 2 or scale <= 1e-9 * max(abs(centre), 1.0):
            return flat
        z = (f - centre) / scale
        if z @ (g - g.mean()) <= 0:
            return flat
        ends = np.sort(f)
        end = min(least, len(f))
        found = cls(own, scores, centre, scale, float(ends[:end].mean()), float(ends[-end:].mean()), flat.tilts)
        years, normal = found._statistics
        by_age = likelihood_tilt(z, years(np.clip(y, values[0], values[-1])), years(values), own.counts)
        return replace(found, tilts=np.stack([by_age, gaussian_tilt(z, g, normal)]))

    @property
    def _statistics(self) -> tuple[Statistic, Statistic]:
        return Statistic.fit(self.ages.values, self.ages.counts), Statistic.fit(self.scores, self.ages.counts)

    def of(self, predictions: FloatArray) -> PersonalTilts:
        """Tilts of people with these predictions (m,), in normal scores."""
        z = (np.clip(predictions, self.low, self.high) - self.centre) / self.scale
        along = self.tilts[:, 0, None] + z[:, None] * self.tilts[:, 1, None]
        with np.errstate(divide="ignore"):
            log_p = np.log(self.ages.parts)
        inside = _exponents(along, self._statistics, self.ages.values, self.scores)
        return PersonalTilts(self, along, logsumexp(inside + log_p, axis=2))


@dataclass(frozen=True)
class PersonalTilts:
    """Densities of m people, relative to the age distribution of the people that the tilts were fitted to.

    Attributes
    ----------
    fitted : TiltedAges
    along : ndarray, shape (2, m, 2)
        ``B(f)' T`` of both tilts.
    log_z : ndarray, shape (2, m)
    """

    fitted: TiltedAges
    along: FloatArray
    log_z: FloatArray

    def at(self, y: FloatArray, g: FloatArray) -> FloatArray:
        """Ratios (2, m, k) at k ages y, whose normal scores are g; ages out of the range count as its ends."""
        y, g = self._inside(y, g)
        exponents = _exponents(self.along, self.fitted._statistics, y, g) - self.log_z[..., None]
        return np.exp(np.minimum(exponents, _LARGEST))

    def at_own(self, y: FloatArray, g: FloatArray) -> FloatArray:
        """Ratios (2, m) of each person at an age of that person's own."""
        y, g = self._inside(y, g)
        years, scores = self.fitted._statistics
        exponents = np.sum(self.along * np.stack([years(y), scores(g)]), axis=2)
        return np.asarray(np.exp(np.minimum(exponents - self.log_z, _LARGEST)))

    def weights(self) -> FloatArray:
        """Densities as weights on the groups of ages, (3, m, G): the age distribution, and both tilts of it."""
        ages = self.fitted.ages
        p = np.broadcast_to(ages.parts, (1, len(self.along[0]), len(ages.parts)))
        return np.concatenate([p, self.at(ages.values, self.fitted.scores) * ages.parts])

    def _inside(self, y: FloatArray, g: FloatArray) -> tuple[FloatArray, FloatArray]:
        groups, scores = self.fitted.ages.values, self.fitted.scores
        return np.clip(y, groups[0], groups[-1]), np.clip(g, scores[0], scores[-1])


def _exponents(along: FloatArray, statistics: tuple[Statistic, Statistic], y: FloatArray, g: FloatArray) -> FloatArray:
    years, scores = statistics
    return np.stack([along[0] @ years(y).T, along[1] @ scores(g).T])
