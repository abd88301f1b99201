r"""Bias of minima and maxima of estimates, and its correction.

The smaller of two estimates is too small on average. With d their difference and s its standard deviation,

    E min(X, Y) - min(E X, E Y) = -(s phi(d / s) - |d| Phi(-|d| / s))

where d is the true difference; the estimated one is put in its place. A maximum is too large by the same amount. As
all atoms of two sources bend where their union information does, they are corrected by one amount with their own sign,
and still add up. Atoms of three modalities or more that are minima of several differences have ``2 f - E f`` with the
mean of all over the same points, which is the same correction for two: sums hold at each point and so in the mean.

References
----------
Clark 1961 Operations Research 9:145.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from brainpid.core.arrays import FloatArray
from brainpid.core.names import Measure
from brainpid.pid.atoms import Atom
from brainpid.pid.projection import square_root, value_of

POINTS = 512
"""Points of a lattice over the sampling distribution, each with its mirror image, so that linear terms stay exact."""


def kink_bias(
    bits: FloatArray, covariance: FloatArray, modalities: Sequence[str], measure: Measure, atoms: Sequence[Atom]
) -> FloatArray:
    """Bias of each atom that is due to a minimum or a maximum, in bits.

    Parameters
    ----------
    bits : ndarray, shape (K,)
        Information of each subset in bits, singles first.
    covariance : ndarray, shape (K, K)
        Its sampling covariance, in bits squared.
    modalities : sequence of str
    measure : {"mmi", "idep"}
    atoms : sequence of Atom, length J
        `brainpid.pid.atoms.atoms_of` at `bits`.

    Returns
    -------
    ndarray, shape (J,)
        To be subtracted.
    """
    root = square_root(covariance)
    several = measure == "mmi" and len(modalities) > 2
    noise = _sampled(bits, covariance, len(modalities)) if several else np.zeros((0, 0))
    return np.array([
        _mean_bias(atom, noise) if several and atom.scope == "all" else _bias_of_two(atom, root)
        for atom in atoms
    ])  # fmt: skip


def _bias_of_two(atom: Atom, root: FloatArray) -> float:
    """Bias of the minimum or maximum of two terms, or of a term and zero."""
    faces, term = atom.term.faces, atom.term
    if len(faces) == 1 and not term.floored:
        return 0.0
    gap = faces[0] - (faces[1] if len(faces) == 2 else 0.0)
    sd = float(np.linalg.norm(gap[1:] @ root))
    if sd == 0.0:
        return 0.0
    ratio = abs(float(gap[0])) / sd
    size = sd * (np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi) - ratio * ndtr(-ratio))
    return float(size) if term.floored or term.bend == "max" else -float(size)


def _sampled(bits: FloatArray, covariance: FloatArray, m: int) -> FloatArray:
    """Deviations (points, M) of the single informations, symmetric about 0.

    The lattice's axes go by the order of the informations, so that the order of the modalities does not matter.
    """
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (m + 1))  # the generalised golden ratio, whose powers fill a cube evenly
    steps = ratio ** -np.arange(1.0, m + 1)
    normal = ndtri((0.5 + np.arange(1, POINTS + 1)[:, None] * steps) % 1)
    order = np.argsort(-bits[:m], kind="stable")
    spread = square_root(covariance[:m, :m][order][:, order])
    noise = np.empty((2 * POINTS, m))
    noise[:, order] = np.concatenate([normal, -normal]) @ spread
    return noise


def _mean_bias(atom: Atom, noise: FloatArray) -> float:
    """Bias of an atom that bends in the single informations, by its mean over their deviations `noise` (points, M)."""
    if not atom.term.sides:
        return 0.0
    faces = np.stack(atom.term.sides)
    # What all informations together tell enters linearly: its deviations cancel out.
    there = value_of(atom, faces[:, 0] + noise @ faces[:, 1 : 1 + noise.shape[1]].T)
    return float(there.mean() - atom.term.value)
