r"""Intervals of atoms: the values that an atom takes where the subset informations are within their confidence region.

The region is the ellipsoid ``{b + L u : |u| <= r}`` with ``L L'`` the joint sampling covariance of the informations
``b`` and r the normal quantile of the confidence. An atom that is linear takes the values ``bits +- r se`` on it. An
atom is one minimum or one maximum of smooth functions, its faces (`brainpid.pid.atoms`). An extreme of it lies where
some of its faces are tied, and is there the extreme of any of them among the points at which these are tied. So the
extremes are found on every set of ties, in closed form where faces are linear (``mmi``), and by repeated linearisation
otherwise (``idep``). All points that are looked at lie within the ellipsoid: an interval never goes beyond it.

Near a kink the estimate is not normal, and the radius is that of two intervals at once, z of ``1 - (1 - confidence) /
2``, 2.24 at 95%, wherever a second face is less than z standard deviations away.

References
----------
Scheffe 1953 Biometrika 40:87 (projection of a confidence ellipsoid).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.special import ndtri

from brainpid.core.arrays import FloatArray, IntArray
from brainpid.core.linalg import eigenvectors
from brainpid.core.names import Measure
from brainpid.pid.atoms import LEAST_ODDS, Atom, Term, TwoSourceAtoms, two_sources

MOST_FACES = 6
"""Faces up to which every set of ties is looked at: all atoms of up to five modalities."""
MOST_STEPS = 30
"""Linearisations at most."""
ROUNDING = 1e-13
SETTLED = 1e-4
"""Move in standard deviations below which a point has settled; the value at an extreme is then off by its square."""


def square_root(covariance: FloatArray) -> FloatArray:
    """Symmetric square root of a covariance (K, K); it does not depend on the order of the subsets.

    A direction with less than `ROUNDING` of the largest variance has none, such as the difference of two copies.
    """
    size = len(covariance)
    values, vectors = eigenvectors("covariance of informations", (covariance + covariance.T) / 2, size, size)
    kept = np.where(values > ROUNDING * values.max(), values, 0.0)
    return np.asarray((vectors * np.sqrt(np.maximum(kept, 0.0))) @ vectors.T)


def project(
    bits: FloatArray, covariance: FloatArray, measure: Measure, confidence: float, atoms: Sequence[Atom]
) -> tuple[FloatArray, FloatArray]:
    """Ends of the interval of each atom, in bits.

    Parameters
    ----------
    bits : ndarray, shape (K,)
        Information of each subset in bits.
    covariance : ndarray, shape (K, K)
        Its sampling covariance, in bits squared.
    measure : {"mmi", "idep"}
    confidence : float
    atoms : sequence of Atom, length J
        `brainpid.pid.atoms.atoms_of` at `bits`.

    Returns
    -------
    low, high : ndarray, shape (J,)
    """
    root = square_root(covariance)
    narrow, wide = float(ndtri(0.5 + confidence / 2)), float(ndtri(0.75 + confidence / 4))
    low = np.array([float(atom.term.value) for atom in atoms])
    ends = (low, low.copy())
    radius = np.array([wide if _near_kink(atom, root, narrow) else narrow for atom in atoms])
    curved = [j for j, atom in enumerate(atoms) if measure == "idep" and atom.sources is not None]
    if curved:
        _curved_ends(ends, bits, covariance, atoms, np.array(curved), radius[curved])
    linear = set(range(len(atoms))) - set(curved)
    for size in range(1, MOST_FACES + 1):
        _linear_ends(
            ends, [j for j in linear if size <= len(atoms[j].term.faces) <= MOST_FACES], size, atoms, radius, root
        )
    for j in linear:
        if len(atoms[j].term.faces) > MOST_FACES:
            ends[0][j], ends[1][j] = _outer_ends(atoms[j], root, radius[j])
    return ends


def _linear_ends(
    ends: tuple[FloatArray, FloatArray], which: list[int], size: int, atoms: Sequence[Atom], radius: FloatArray,
    root: FloatArray,
) -> None:  # fmt: skip
    """Move the ends out to the extremes of linear atoms where `size` of their faces are tied, each set of them."""
    ties = [(j, tied) for j in which for tied in combinations(range(len(atoms[j].term.faces)), size)]
    if not ties:
        return
    faces = np.stack([[atoms[j].term.faces[k] for k in tied] for j, tied in ties])  # (N, size, 1 + K)
    own, slopes = np.array([j for j, _ in ties]), faces[..., 1:] @ root
    start = np.zeros((len(ties), len(root)))
    moved = np.stack([_step(start, faces[..., 0], slopes, sign, radius[own]) @ root for sign in (-1.0, 1.0)], axis=1)
    for j in which:
        jets = np.stack(atoms[j].term.faces)
        values = jets[:, 0] + moved[own == j].reshape(-1, len(root)) @ jets[:, 1:].T
        _take(ends, np.array([j]), value_of(atoms[j], values))


def _curved_ends(
    ends: tuple[FloatArray, FloatArray], bits: FloatArray, covariance: FloatArray, atoms: Sequence[Atom],
    which: IntArray, radius: FloatArray,
) -> None:  # fmt: skip
    """Move the ends out to the extremes of atoms of two sources under `idep`, in the space of their three informations.

    The projection of an ellipsoid on three of its axes is that of their own covariance.
    """
    sources = np.tile([atoms[j].sources for j in which], (2, 1))
    parts = np.tile([TwoSourceAtoms._fields.index(atoms[j].part) for j in which], 2)
    root = np.stack([square_root(covariance[np.ix_(own, own)]) for own in sources])
    sign, everyone = np.repeat([-1.0, 1.0], len(which)), np.arange(2 * len(which))
    for tied in ((0,), (1,), (0, 1)):
        at = np.zeros((len(parts), 3))
        for step in range(MOST_STEPS + 1):
            jets = np.empty((len(parts), 3, 4))
            jets[..., 0], jets[..., 1:] = bits[sources] + np.einsum("nk,nkl->nl", at, root), np.eye(3)
            found = two_sources(Term(jets[:, 0]), Term(jets[:, 1]), Term(jets[:, 2]), "idep", LEAST_ODDS)
            there = np.stack([part.value for part in found])[parts, everyone]
            _take(ends, which, there.reshape(2, -1).T)
            faces = np.stack([np.stack(part.sides, axis=1) for part in found])[parts, everyone]
            moved = _step(at, faces[:, tied, 0], faces[:, tied, 1:] @ root, sign, np.tile(radius, 2))
            if step == MOST_STEPS or np.abs(moved - at).max() < SETTLED:
                break
            at = moved


def _take(ends: tuple[FloatArray, FloatArray], which: IntArray, reached: FloatArray) -> None:
    """Move the ends of the atoms `which` (n,) out to the values (n, points) or, of one atom, (points,)."""
    ends[0][which] = np.minimum(ends[0][which], reached.min(axis=-1))
    ends[1][which] = np.maximum(ends[1][which], reached.max(axis=-1))


def value_of(atom: Atom, faces: FloatArray) -> FloatArray:
    """Value (...,) of an atom from the values (..., P) of its faces."""
    joined = faces.min(axis=-1) if atom.term.bend == "min" else faces.max(axis=-1)
    return np.maximum(joined, 0.0) if atom.term.floored else joined


def _step(
    at: FloatArray, values: FloatArray, slopes: FloatArray, sign: FloatArray | float, radius: FloatArray
) -> FloatArray:
    """Extreme of linearised faces among the points of the ball at which they are tied.

    Where no point of the ball is one, the point of the ball that is nearest to one.

    Parameters
    ----------
    at : ndarray, shape (N, K)
        Points where the faces have the `values` (N, size) and the `slopes` (N, size, K).
    sign : float or ndarray, shape (N,)
        1 for the largest value, -1 for the smallest.
    radius : ndarray, shape (N,)

    Returns
    -------
    ndarray, shape (N, K)
    """
    along = slopes[:, 0]
    nearest = np.zeros_like(at)
    if slopes.shape[1] > 1:
        between = slopes[:, 1:] - slopes[:, :1]
        gap = np.einsum("nsk,nk->ns", between, at) - (values[:, 1:] - values[:, :1])
        inverse = np.linalg.pinv(between, rcond=1e-9)
        nearest = np.einsum("nks,ns->nk", inverse, gap)
        along = along - np.einsum("nks,nst,nt->nk", inverse, between, along)
    distance = np.linalg.norm(nearest, axis=1)
    outside = distance > radius
    nearest[outside] *= (radius[outside] / distance[outside])[:, None]
    room = np.sqrt(np.maximum(radius**2 - distance**2, 0.0)) * sign
    length = np.linalg.norm(along, axis=1)
    length[length <= 1e-12 * np.linalg.norm(slopes[:, 0], axis=1)] = np.inf
    return np.asarray(nearest + (room / length)[:, None] * along)


def _near_kink(atom: Atom, root: FloatArray, z: float) -> bool:
    """Whether a second face of an atom is less than z standard deviations from the one that is active."""
    faces = np.stack(atom.term.faces)
    active = faces[:, 0].argmin() if atom.term.bend == "min" else faces[:, 0].argmax()
    others = np.delete(faces, active, axis=0)
    if atom.term.floored:
        others = np.concatenate([others, np.zeros((1, faces.shape[1]))])
    gap = others - faces[active]
    return bool(np.any(np.abs(gap[:, 0]) < z * np.linalg.norm(gap[:, 1:] @ root, axis=1)))


def _outer_ends(atom: Atom, root: FloatArray, radius: float) -> tuple[float, float]:
    """Ends for an atom of many linear faces: no minimum exceeds the largest value of any of its faces."""
    faces = np.stack(atom.term.faces)
    reach = radius * np.linalg.norm(faces[:, 1:] @ root, axis=1)
    ends = value_of(atom, np.stack([faces[:, 0] - reach, faces[:, 0] + reach]))
    return float(ends[0]), float(ends[1])
