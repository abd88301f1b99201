r"""Atoms of the information that modalities have about a scalar Gaussian target, with their derivatives.

Every atom is a function of the informations ``I_A`` of the subsets of modalities (`brainpid.pid.gaussian`). Its
gradient with respect to them turns each person's influence on the ``I_A`` into an influence on the atom, and so into
a standard error. `Term` carries value and gradient together, so that each atom is written once, as its formula.

Both measures differ in one quantity only, the *union information* of two sources, that is what is known without
looking at them jointly:

- ``mmi``: ``union = max(I_1, I_2)``. For a scalar Gaussian target this is the Gaussian ~-PID of Venkatesh et al.
- ``idep``: ``union = min(I_CI, I_12)`` with ``I_CI = 1/2 log2(1 + s_1 + s_2)``, ``s = R2 / (1 - R2)``: the information
  of sources that are conditionally independent given the target.

Then ``unique_1 = union - I_2``, ``unique_2 = union - I_1``, ``redundant = I_1 + I_2 - union`` and
``synergy = I_12 - union``. Where a minimum or maximum changes its active side the gradient jumps; at such a tie a
standard error is approximate.

References
----------
Barrett 2015 Phys Rev E 91:052802; Kay & Ince 2018 Entropy 20:240; Venkatesh et al. 2023 (NeurIPS).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import NamedTuple

import numpy as np

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import NumericalError
from brainpid.core.modalities import SubsetKey, subsets_of
from brainpid.core.names import Measure


@dataclass(frozen=True, slots=True)
class Term:
    """A quantity in bits and its derivative with respect to the K subset informations.

    Attributes
    ----------
    jet : ndarray, shape (..., 1 + K)
        The value, then the gradient; one array, so that every operation is one.
    """

    jet: FloatArray

    @property
    def value(self) -> FloatArray:
        """Value in bits, shape (...)."""
        return self.jet[..., 0]

    @property
    def gradient(self) -> FloatArray:
        """Derivatives, shape (..., K)."""
        return self.jet[..., 1:]

    def __add__(self, other: Term) -> Term:
        return Term(self.jet + other.jet)

    def __sub__(self, other: Term) -> Term:
        return Term(self.jet - other.jet)


def minimum(first: Term, second: Term) -> Term:
    """Smaller of two terms; the first where they are equal."""
    return Term(np.where(first.jet[..., :1] <= second.jet[..., :1], first.jet, second.jet))


def maximum(first: Term, second: Term) -> Term:
    """Larger of two terms; the first where they are equal."""
    return Term(np.where(first.jet[..., :1] >= second.jet[..., :1], first.jet, second.jet))


def positive(term: Term) -> Term:
    """Positive part of a term."""
    return Term(np.where(term.jet[..., :1] > 0, term.jet, 0.0))


class TwoSourceAtoms(NamedTuple):
    """Decomposition of two sources: ``I_1 = unique_1 + redundant``, ``I_12`` = the sum of all four."""

    unique_1: Term
    unique_2: Term
    redundant: Term
    synergy: Term


class Atom(NamedTuple):
    """One row of a decomposition: what it is of (`scope`, `modalities`), its name and its term."""

    scope: str
    modalities: str
    name: str
    term: Term


def conditionally_independent(i_1: Term, i_2: Term) -> Term:
    r"""Joint information of two sources that are conditionally independent given the target.

    ``I_CI = 1/2 log2(1 + s_1 + s_2)`` with ``s = R2 / (1 - R2) = 2^(2 I) - 1``, which a debiased information may
    make slightly negative.

    Raises
    ------
    NumericalError
        Where ``1 + s_1 + s_2 <= 0``: both informations are then far below zero.
    """
    power_1, power_2 = 4.0**i_1.value, 4.0**i_2.value
    odds = power_1 + power_2 - 1.0
    if np.any(odds <= 0):
        raise NumericalError(
            f"idep has no value for informations of {i_1.value.min():.4g} and {i_2.value.min():.4g} bits (1 + s_1 + "
            f"s_2 = {odds.min():.3g}, expected > 0): far below zero. Use fewer latent dimensions or more people"
        )
    jet = (power_1 / odds)[..., None] * i_1.jet + (power_2 / odds)[..., None] * i_2.jet
    jet[..., 0] = 0.5 * np.log2(odds)
    return Term(jet)


def two_sources(i_1: Term, i_2: Term, i_12: Term, measure: Measure) -> TwoSourceAtoms:
    """Decompose the joint information `i_12` of two sources; see the module's formulas."""
    union = maximum(i_1, i_2) if measure == "mmi" else minimum(conditionally_independent(i_1, i_2), i_12)
    return TwoSourceAtoms(union - i_2, union - i_1, i_1 + i_2 - union, i_12 - union)


def atoms_of(bits: FloatArray, modalities: Sequence[str], measure: Measure) -> list[Atom]:
    """List every row of a decomposition, in a fixed order and with fixed keys.

    Fixed keys let repeats, folds and cohorts be averaged row by row although the order of the modalities may differ
    between them.

    Parameters
    ----------
    bits : ndarray, shape (..., K)
        Information of each subset in bits, in the order of `brainpid.core.modalities.subsets_of`.
    modalities : sequence of str
        Names in the caller's order.
    measure : {"mmi", "idep"}

    Returns
    -------
    list of Atom
        Scope ``all`` (for ``idep`` with three or more modalities the total only: that measure has no safe extension),
        then ``one_vs_rest``, then, for three or more modalities, ``pair``.
    """
    subsets = [frozenset(subset) for subset in subsets_of(modalities)]
    jets = np.empty((*bits.shape, 1 + len(subsets)))
    jets[..., 0], jets[..., 1:] = bits, np.eye(len(subsets))
    information = {subset: Term(jets[..., k, :]) for k, subset in enumerate(subsets)}
    joined = "+".join(modalities)
    atoms = [Atom("all", joined, "total", information[subsets[-1]])]
    if measure == "mmi":
        atoms += _held_by_exactly(information, modalities)
    elif len(modalities) == 2:
        first, second = modalities
        i_1, i_2, i_12 = information.values()
        parts = two_sources(i_1, i_2, i_12, measure)
        atoms += [Atom("all", first, "unique", parts.unique_1), Atom("all", second, "unique", parts.unique_2)]
        atoms += [Atom("all", joined, "redundant", parts.redundant), Atom("all", joined, "synergy", parts.synergy)]
    atoms += _one_versus_rest(information, modalities, measure)
    if len(modalities) > 2:
        atoms += _pairs(information, modalities, measure)
    return atoms


def _held_by_exactly(information: Mapping[SubsetKey, Term], modalities: Sequence[str]) -> Iterator[Atom]:
    r"""Minimum mutual information over all modalities: who holds which part, and the synergy.

    Exactly the members of A hold ``max(0, min_{i in A} I_i - max_{j not in A} I_j)``: with ``I_(1) >= I_(2) >= ...``
    that is ``I_(k) - I_(k+1)`` for the top k modalities and 0 for every other set.
    """
    single = {m: information[frozenset([m])] for m in modalities}
    for subset in subsets_of(modalities):
        others = [single[m] for m in modalities if m not in subset]
        held = reduce(minimum, (single[m] for m in subset))
        if others:
            held = positive(held - reduce(maximum, others))
        yield Atom("all", "+".join(subset), "unique" if len(subset) == 1 else "redundant", held)
    best = reduce(maximum, single.values())
    yield Atom("all", "+".join(modalities), "synergy", information[frozenset(modalities)] - best)


def _one_versus_rest(
    information: Mapping[SubsetKey, Term], modalities: Sequence[str], measure: Measure
) -> Iterator[Atom]:
    everything = frozenset(modalities)
    total = information[everything]
    for m in modalities:
        alone, rest = information[frozenset([m])], information[everything - {m}]
        parts = two_sources(alone, rest, total, measure)
        terms = {
            "total": total,
            "alone": alone,
            "added": total - rest,
            "unique": parts.unique_1,
            "rest_unique": parts.unique_2,
            "redundant": parts.redundant,
            "synergy": parts.synergy,
        }
        for name, term in terms.items():
            yield Atom("one_vs_rest", m, name, term)


def _pairs(information: Mapping[SubsetKey, Term], modalities: Sequence[str], measure: Measure) -> Iterator[Atom]:
    for i, j in combinations(modalities, 2):
        joint = information[frozenset([i, j])]
        parts = two_sources(information[frozenset([i])], information[frozenset([j])], joint, measure)
        yield Atom("pair", f"{i}+{j}", "total", joint)
        # Unique to the first named, relative to the second.
        yield Atom("pair", f"{i}+{j}", "unique", parts.unique_1)
        yield Atom("pair", f"{j}+{i}", "unique", parts.unique_2)
        yield Atom("pair", f"{i}+{j}", "redundant", parts.redundant)
        yield Atom("pair", f"{i}+{j}", "synergy", parts.synergy)
