r"""Is the Gaussian reading of an information justified? Mardia's moments, and a reading by ranks.

The information ``-1/2 log2(1 - R2)`` is that of the target's normal score ``g`` and the linear combination ``p`` of the
latents that predicts it best, so their joint distribution is what has to be normal. All latents together would be too
strict: encoders of different folds differ in scale where a modality tells nothing, which makes heavy tails that no
information depends on.

With squared Mahalanobis distances ``D_i`` of the d = 2 variables, Mardia's kurtosis is ``b2 = mean D_i^2``, expected
``d (d + 2) (n - 1) / (n + 1)`` with variance ``8 d (d + 2) / n``, and his skewness is ``b1 = mean_ij ((z_i' z_j)^3)``,
where ``n b1 / 6`` is chi-squared with ``d (d + 1) (d + 2) / 6`` degrees of freedom. Both tests reject anything in a
large sample, so that a reading is called doubtful only where the departure is also large (a kurtosis 15% off, a mean
squared third moment above 0.05), or where the information changes by more than 0.05 bits when every latent is mapped
to normal scores by rank (a Gaussian copula).

References
----------
Mardia 1970, Biometrika 57:519; Ince et al. 2017, Human Brain Mapping 38:1541 (Gaussian copula information).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import NumericalError
from brainpid.core.linalg import condition_number, factorising, least_squares
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid.estimation import information_from_data

REJECTED = 0.001
KURTOSIS_TOLERANCE = 0.15
SKEWNESS_TOLERANCE = 0.05
COPULA_TOLERANCE = 0.05


@dataclass(frozen=True)
class Normality:
    """How near to normal the latents' prediction and the target are together; means over repeats.

    Attributes
    ----------
    n : int
        People.
    skewness, skewness_p : float
        Mardia's ``b1`` and its p-value.
    kurtosis_ratio, kurtosis_p : float
        Mardia's ``b2`` over its expectation, and its two-sided p-value.
    bits, bits_copula : float
        Total information as it is reported, and with every latent mapped to normal scores.
    doubts : tuple of str
        Why the Gaussian reading is doubtful; empty where it is not.
    """

    n: int
    skewness: float
    skewness_p: float
    kurtosis_ratio: float
    kurtosis_p: float
    bits: float
    bits_copula: float
    doubts: tuple[str, ...]


def check_normality(latents: Mapping[str, FloatArray], target: FloatArray) -> Normality:
    """Test joint normality of scalar latents and the target, and what a departure does to the information.

    Parameters
    ----------
    latents : mapping of str to ndarray, shape (R, n)
        Scalar latents in each repeat.
    target : ndarray, shape (n,)
        Normal scores of the target.

    Raises
    ------
    NumericalError
        Where the latents' prediction and the target are collinear, or there are too few people for the information.
    """
    values = {name: np.asarray(latent, dtype=np.float64) for name, latent in latents.items()}
    repeated = np.broadcast_to(target, next(iter(values.values())).shape)
    z = whitened(prediction_and_target(values, target))
    n, d = z.shape[-2:]
    third = np.einsum("rni,rnj,rnk->rijk", z, z, z, optimize=True) / n
    skewness = float(np.mean(np.sum(third**2, axis=(1, 2, 3))))
    free = d * (d + 1) * (d + 2) / 6
    kurtosis = float(np.mean(np.sum(z**2, axis=-1) ** 2))
    expected = d * (d + 2) * (n - 1) / (n + 1)
    skewness_p = float(chi2.sf(n * skewness / 6, free))
    kurtosis_p = float(2 * norm.sf(abs(kurtosis - expected) / np.sqrt(8 * d * (d + 2) / n)))
    bits, copula = (
        float(information_from_data({m: v[..., None] for m, v in chosen.items()}, repeated).bits[:, -1].mean())
        for chosen in (values, {name: normal_scores(latent) for name, latent in values.items()})
    )
    doubts = []
    if kurtosis_p < REJECTED and abs(kurtosis / expected - 1) > KURTOSIS_TOLERANCE:
        kind = "heavier" if kurtosis > expected else "lighter"
        doubts.append(f"tails are {kind} than normal (Mardia kurtosis {kurtosis / expected:.2f} of what is expected)")
    if skewness_p < REJECTED and skewness / free > SKEWNESS_TOLERANCE + 6 / n:
        doubts.append(f"the joint distribution is skewed (Mardia skewness {skewness:.2f})")
    if abs(copula - bits) > COPULA_TOLERANCE:
        doubts.append(f"with ranked latents the total is {copula:.3f} instead of {bits:.3f} bits")
    return Normality(n, skewness, skewness_p, kurtosis / expected, kurtosis_p, bits, copula, tuple(doubts))


def prediction_and_target(latents: Mapping[str, FloatArray], target: FloatArray) -> FloatArray:
    """Stack the best linear prediction from all latents (R, n) and the target (n,): (R, n, 2)."""
    pairs = []
    for columns in np.stack(list(latents.values()), axis=-1):
        design = columns - columns.mean(axis=0)
        what = "best linear prediction from the latents"
        weights = least_squares(what, design, target - target.mean(), *design.shape)
        pairs.append(np.stack([design @ weights, target], axis=-1))
    return np.stack(pairs)


def squared_mahalanobis(latents: Mapping[str, FloatArray], target: FloatArray) -> FloatArray:
    """Squared Mahalanobis distances (R, n) of prediction and target to their mean; chi-squared, 2 df, where normal."""
    squared: FloatArray = np.sum(whitened(prediction_and_target(latents, target)) ** 2, axis=-1)
    return squared


def whitened(sample: FloatArray) -> FloatArray:
    """Centre a sample (..., n, d) and give it the identity as covariance (divisor n)."""
    n, d = sample.shape[-2:]
    centred = sample - sample.mean(axis=-2, keepdims=True)
    deviation = centred.std(axis=-2, keepdims=True)
    scaled = centred / np.where(deviation > 0, deviation, 1.0)
    covariance = np.swapaxes(scaled, -1, -2) @ scaled / n
    with factorising("normality of the latents' prediction and the target", covariance, n, d):
        condition = condition_number(covariance)
    if not condition < 1e12:
        raise NumericalError(
            f"the latents' prediction and the target are collinear: n = {n}, d = {d}, condition number "
            f"{condition:.3g}; normality cannot be judged"
        )
    with factorising("normality of the latents' prediction and the target", covariance, n, d):
        factor = np.linalg.cholesky(covariance)
        return np.swapaxes(np.linalg.solve(factor, np.swapaxes(scaled, -1, -2)), -1, -2)
