r"""From the information of every subset and its sampling covariance to a decomposition with intervals.

Whatever the informations were read from, the rest is the same: the atoms are formed last, of informations that are
pooled already (over folds, repeats, cohorts), because the mean of minima is not the minimum of means. The point is
corrected for its bias at a kink (`brainpid.pid.kinks`), the interval is the projection of the joint confidence region
(`brainpid.pid.projection`), and ``se`` is that of the atom linearised at the estimate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import InputError
from brainpid.core.labels import numbers_of
from brainpid.core.modalities import subsets_of
from brainpid.core.names import Measure
from brainpid.pid.atoms import atoms_of
from brainpid.pid.gaussian import checked_names
from brainpid.pid.kinks import kink_bias
from brainpid.pid.options import check_options
from brainpid.pid.projection import project
from brainpid.pid.result import MIN_PEOPLE_FOR_SHARES, Decomposition, Row, warnings_about


def decompose_information(
    bits: ArrayLike,
    covariance: ArrayLike | None,
    modalities: Sequence[str],
    n: int | None,
    measure: Measure = "mmi",
    confidence: float = 0.95,
    raw: ArrayLike | None = None,
    influence: FloatArray | None = None,
) -> Decomposition:
    """Decompose informations of which the joint sampling covariance is known.

    Parameters
    ----------
    bits : array_like, shape (K,)
        Information of each non-empty subset of the modalities in bits, in the order of
        `brainpid.core.modalities.subsets_of`: single ones first, all together last. It may be negative.
    covariance : array_like, shape (K, K), or None
        Sampling covariance of `bits`, in bits squared; None where they are known, so that there are no intervals.
    modalities : sequence of str
        Two or more names.
    n : int or None
        Number of people; None where the informations are known.
    measure : {"mmi", "idep"}
        ``idep`` is that of the Gaussian sources of the same information, ``R2 = 1 - 2^(-2 I)``.
    confidence : float
        Coverage of the intervals, in (0, 1).
    raw : array_like, shape (K,), optional
        Plug-in informations in bits, for ``bits_raw``; those of `bits` without it.
    influence : ndarray, shape (n, K), optional
        Influence of each person on `bits`, in bits; handed on as that on each row.

    Returns
    -------
    Decomposition
        In bits. Intervals are never NaN and never narrower than 1 / n bits, about what sampling does to an information
        that is zero, unless the covariance is zero.

    Raises
    ------
    InputError
        Where shapes do not fit, a number is not finite, a variance is negative, or an option is invalid.
    NumericalError
        Where ``idep`` has no value because informations are far below zero.

    Examples
    --------
    >>> found = decompose_information([0.5, 0.2, 0.6], np.eye(3) * 0.02**2, ["t1", "dwi"], n=500)
    >>> row = found.atom("one_vs_rest", "dwi", "added")
    >>> round(row.bits, 3), round(row.ci_low, 3), round(row.ci_high, 3)
    (0.1, 0.045, 0.155)
    """
    check_options(measure, confidence)
    names = checked_names(dict.fromkeys(modalities))
    subsets = subsets_of(names)
    values = _finite(bits, "informations", (len(subsets),))
    atoms = atoms_of(values, names, measure)
    bits_raw = atom_bits = np.array([float(atom.term.value) for atom in atoms])
    if raw is not None:
        plain = _finite(raw, "plug-in informations", values.shape)
        bits_raw = np.array([float(atom.term.value) for atom in atoms_of(plain, names, measure)])
    gradients = np.stack([atom.term.gradient for atom in atoms])
    se, low, high = np.full((3, len(atoms)), np.nan)
    joint = None
    if covariance is not None:
        joint = _finite(covariance, "their covariance", (len(values), len(values)))
        if np.any(np.diag(joint) < 0):
            raise InputError(f"the covariance of informations has a negative variance ({np.diag(joint).min():.3g})")
        se = np.sqrt(np.maximum(np.einsum("jk,kl,jl->j", gradients, joint, gradients), 0.0))
        se[~gradients.any(axis=1)] = np.nan
        low, high = project(values, joint, measure, confidence, atoms)
        atom_bits = atom_bits - kink_bias(values, joint, names, measure, atoms)
        low, high = np.minimum(low, atom_bits), np.maximum(high, atom_bits)
        if n is not None and joint.any():
            high = np.maximum(high, low + 1 / n)
    total = atom_bits[0]
    shown = total > 0 and (n is None or n >= MIN_PEOPLE_FOR_SHARES)
    share = atom_bits / total if shown else np.full(len(atoms), np.nan)
    columns = np.stack([atom_bits, bits_raw, se, low, high, share], axis=1).tolist()
    rows = tuple(
        Row(atom.scope, atom.modalities, atom.name, *cells) for atom, cells in zip(atoms, columns, strict=True)
    )
    return Decomposition(
        measure,
        names,
        rows,
        dict(zip(map(frozenset, subsets), values.tolist(), strict=True)),
        tuple(warnings_about(rows, n, measure)),
        n,
        None if influence is None else influence @ gradients.T,
        joint,
    )


def covariance_of_mean(influence: FloatArray, groups: ArrayLike | None) -> tuple[FloatArray, float]:
    r"""Joint sampling covariance of averages of influences, and the number of rows a group.

    With c the centred influences, G groups and n rows, the sandwich over groups is
    ``G / (G - 1) sum_g s_g s_g' / n^2`` with ``s_g = sum_{i in g} c_i``; groups of one row each give the covariance
    of c over n.

    Parameters
    ----------
    influence : ndarray, shape (n, K)
    groups : array_like, shape (n,), or None
        None where rows are independent.

    Returns
    -------
    ndarray, shape (K, K), and float

    Raises
    ------
    InputError
        Where lengths differ or all rows are of one group.

    References
    ----------
    Liang & Zeger 1986 Biometrika 73:13.
    """
    n = len(influence)
    centred = influence - influence.mean(axis=0)
    if groups is None:
        return centred.T @ centred / (n - 1) / n, 1.0
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise InputError(f"groups have shape {labels.shape}; expected ({n},), one for each row")
    names, member = np.unique(labels, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"all {n} rows are of one group; expected at least 2 for a standard error")
    sums = np.zeros((len(names), influence.shape[1]))
    np.add.at(sums, member, centred)
    return len(names) / (len(names) - 1) * (sums.T @ sums) / n**2, n / len(names)


def _finite(given: ArrayLike, what: str, shape: tuple[int, ...]) -> FloatArray:
    """Numbers of a shape, after a check that they are finite."""
    values = numbers_of(given, what)
    if values.shape != shape:
        raise InputError(f"{what} have shape {values.shape}; expected {shape}, in the order of the subsets")
    if not np.isfinite(values).all():
        raise InputError(f"{what}: {np.sum(~np.isfinite(values))} of {values.size} numbers are missing or infinite")
    return values
