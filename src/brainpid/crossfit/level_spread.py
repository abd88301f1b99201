r"""Spread of a target about its prediction, of each site by itself: sites of one age tell it without any image.

Residuals of a site's people have a variance of their own, drawn towards that of everybody by a scaled inverse
chi-squared distribution, whose centre and weight are those of the largest marginal likelihood. Without it the narrower
density of a reader that sees images would be credited at sites where the age is known anyway.

References
----------
Smyth 2004, Stat Appl Genet Mol Biol 3:3 (variances of many groups, drawn together).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from brainpid.core.arrays import BoolArray, FloatArray, IntArray

_WEIGHTS = np.array([2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 4096.0])  # of the centre, in people
_STEEPEST = 2.0  # slope of the target on its prediction, which is near 1
_LARGEST = 300.0  # logarithm of a ratio
_CENTRES = np.geomspace(0.05, 4.0, 41)  # in parts of the mean squared residual


def level_variances(residual: FloatArray, level: IntArray, levels: int) -> FloatArray:
    """Variance of residuals (n,) at each of so many levels, of which some may have nobody.

    Returns
    -------
    ndarray, shape (levels,)
        In squared units of the residuals.
    """
    n = np.bincount(level, minlength=levels).astype(float)
    squares = np.bincount(level, weights=residual**2, minlength=levels)
    mean = max(float(squares.sum() / n.sum()), 1e-12)
    w, c = _WEIGHTS[:, None, None], mean * _CENTRES[None, :, None]
    known = n > 0
    likelihood = np.sum(
        gammaln((w + n[known]) / 2) - gammaln(w / 2) + w / 2 * np.log(w * c)
        - (w + n[known]) / 2 * np.log(w * c + squares[known]), axis=2,
    )  # fmt: skip
    a, b = np.unravel_index(int(likelihood.argmax()), likelihood.shape)
    weight, centre = _WEIGHTS[a], mean * _CENTRES[b]
    return np.asarray((weight * centre + squares) / (weight + n))


def level_ratios(
    f: FloatArray, g: FloatArray, own: BoolArray, level: IntArray, scores: FloatArray, parts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Ratios of the Gaussian densities of held-out people, in normal scores, with the spread of their level.

    Parameters
    ----------
    f : ndarray, shape (n,)
        Predicted normal scores.
    g : ndarray, shape (n,)
        Normal scores of the target.
    own : ndarray of bool, shape (n,)
        The m people who are held out; the others are fitted to.
    level : ndarray of int, shape (n,)
    scores, parts : ndarray, shape (G,)
        Normal scores of groups of targets, and the part of the people in each.

    Returns
    -------
    ratio, mean : ndarray, shape (m,)
        At the person's own target, and in the mean over `scores`; both as parts of the largest of these.
    """
    x, target = f[~own], g[~own]
    square = float(np.sum((x - x.mean()) ** 2))
    # A prediction that hardly varies, as of controls that tell nothing, must not be stretched to the target's spread.
    slope = float(np.clip((x - x.mean()) @ target / max(square, 1e-12 * len(x)), 0.0, _STEEPEST))
    shift = target.mean() - slope * x.mean()
    variances = level_variances(target - shift - slope * x, level[~own], int(level.max()) + 1)
    centre, variance = shift + slope * f[own], variances[level[own]]

    def log_ratio(at: FloatArray, mu: FloatArray, of: FloatArray) -> FloatArray:
        return np.asarray((at**2 - (at - mu) ** 2 / of - np.log(of)) / 2)

    everywhere = log_ratio(scores, centre[:, None], variance[:, None])
    top = everywhere.max(axis=1)
    ratio = np.exp(np.minimum(log_ratio(g[own], centre, variance) - top, _LARGEST))
    return ratio, np.exp(everywhere - top[:, None]) @ parts
