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
``synergy = I_12 - union``. Where a minimum or maximum changes its active side the gradient jumps. So a term remembers
the smooth functions that it is the minimum or the maximum of: the bias at such a kink (`brainpid.pid.kinks`) and the
interval across it (`brainpid.pid.projection`) are made from them. No term mixes the two: every atom is one minimum or
one maximum of smooth functions, or the positive part of it.

References
----------
Barrett 2015 Phys Rev E 91:052802; Kay & Ince 2018 Entropy 20:240; Venkatesh et al. 2023 (NeurIPS).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from brainpid.core.arrays import FloatArray
from brainpid.core.errors import NumericalError
from brainpid.core.modalities import SubsetKey, subsets_of
from brainpid.core.names import Measure

Bend = Literal["min", "max"]


@dataclass(frozen=True, slots=True)
class Term:
    """A quantity in bits and its derivative with respect to the K subset informations.

    Attributes
    ----------
    jet : ndarray, shape (..., 1 + K)
        The value, then the gradient; one array, so that every operation is one.
    sides : tuple of ndarray, each of shape (..., 1 + K)
        Jets of the smooth functions whose minimum or maximum it is; empty where it is smooth itself.
    bend : {"min", "max"}
        Which of the two.
    floored : bool
        Whether it is the positive part of that minimum or maximum.
    """

    jet: FloatArray
    sides: tuple[FloatArray, ...] = ()
    bend: Bend = "min"
    floored: bool = False

    @property
    def value(self) -> FloatArray:
        """Value in bits, shape (...)."""
        return self.jet[..., 0]

    @property
    def gradient(self) -> FloatArray:
        """Derivatives, shape (..., K)."""
        return self.jet[..., 1:]

    @property
    def faces(self) -> tuple[FloatArray, ...]:
        """Jets of the smooth functions that it is made of, one or more."""
        return self.sides or (self.jet,)

    def __add__(self, other: Term) -> Term:
        jet = self.jet + other.jet
        if not (self.sides or other.sides):
            return Term(jet)
        sides = tuple(one + two for one in self.faces for two in other.faces)
        return Term(jet, sides, self.bend if self.sides else other.bend)

    def __neg__(self) -> Term:
        return Term(-self.jet, tuple(-side for side in self.sides), "max" if self.bend == "min" else "min")

    def __sub__(self, other: Term) -> Term:
        return self + -other


def minimum(first: Term, second: Term) -> Term:
    """Smaller of two terms; the first where they are equal."""
    lower = np.where(first.jet[..., :1] <= second.jet[..., :1], first.jet, second.jet)
    return Term(lower, first.faces + second.faces, "min")


def maximum(first: Term, second: Term) -> Term:
    """Larger of two terms; the first where they are equal."""
    upper = np.where(first.jet[..., :1] >= second.jet[..., :1], first.jet, second.jet)
    return Term(upper, first.faces + second.faces, "max")


def positive(term: Term) -> Term:
    """Positive part of a term."""
    return Term(np.where(term.jet[..., :1] > 0, term.jet, 0.0), term.faces, term.bend, floored=True)


class TwoSourceAtoms(NamedTuple):
    """Decomposition of two sources: ``I_1 = unique_1 + redundant``, ``I_12`` = the sum of all four."""

    unique_1: Term
    unique_2: Term
    redundant: Term
    synergy: Term


class Atom(NamedTuple):
    """One row of a decomposition: what it is of (`scope`, `modalities`), its name and its term.

    Where it is a function of three informations, one of `TwoSourceAtoms`, `part` is which, and `sources` are the places
    of ``I_1``, ``I_2`` and ``I_12`` among all.
    """

    scope: str
    modalities: str
    name: str
    term: Term
    part: str = ""
    sources: tuple[int, int, int] | None = None


LEAST_ODDS = 0.01
"""Least ``1 + s_1 + s_2`` at which `idep` is looked at on the way to the ends of an interval (-3.3 bits)."""


def conditionally_independent(i_1: Term, i_2: Term, least_odds: float | None = None) -> Term:
    r"""Joint information of two sources that are conditionally independent given the target.

    ``I_CI = 1/2 log2(1 + s_1 + s_2)`` with ``s = R2 / (1 - R2) = 2^(2 I) - 1``, which a debiased information may
    make slightly negative.

    Parameters
    ----------
    i_1, i_2 : Term
    least_odds : float, optional
        Smaller ``1 + s_1 + s_2`` count as this one; without it they are an error where they are not positive.

    Raises
    ------
    NumericalError
        Where ``1 + s_1 + s_2 <= 0``: both informations are then far below zero.
    """
    power_1, power_2 = 4.0**i_1.value, 4.0**i_2.value
    odds = power_1 + power_2 - 1.0
    if least_odds is not None:
        odds = np.maximum(odds, least_odds)
    elif np.any(odds <= 0):
        raise NumericalError(
            f"idep has no value for informations of {i_1.value.min():.4g} and {i_2.value.min():.4g} bits (1 + s_1 + "
            f"s_2 = {odds.min():.3g}, expected > 0): far below zero. Use fewer latent dimensions or more people"
        )
    jet = (power_1 / odds)[..., None] * i_1.jet + (power_2 / odds)[..., None] * i_2.jet
    jet[..., 0] = 0.5 * np.log2(odds)
    return Term(jet)


def two_sources(i_1: Term, i_2: Term, i_12: Term, measure: Measure, least_odds: float | None = None) -> TwoSourceAtoms:
    """Decompose the joint information `i_12` of two sources; see the module's formulas."""
    union = maximum(i_1, i_2) if measure == "mmi" else minimum(conditionally_independent(i_1, i_2, least_odds), i_12)
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
        parts = _parts(information, frozenset([first]), frozenset([second]), measure)
        names = {"unique_1": (first, "unique"), "unique_2": (second, "unique")}
        names |= {name: (joined, name) for name in ("redundant", "synergy")}
        atoms += [parts[part]._replace(modalities=own, name=name) for part, (own, name) in names.items()]
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


def _parts(
    information: Mapping[SubsetKey, Term], one: SubsetKey, two: SubsetKey, measure: Measure, scope: str = "all"
) -> dict[str, Atom]:
    """Atoms of two sources by their field of `TwoSourceAtoms`, which is their name, too."""
    place = {subset: k for k, subset in enumerate(information)}
    sources = (place[one], place[two], place[one | two])
    found = two_sources(information[one], information[two], information[one | two], measure)
    return {name: Atom(scope, "", name, term, name, sources) for name, term in found._asdict().items()}


def _one_versus_rest(
    information: Mapping[SubsetKey, Term], modalities: Sequence[str], measure: Measure
) -> Iterator[Atom]:
    everything = frozenset(modalities)
    total = information[everything]
    for m in modalities:
        alone, rest = information[frozenset([m])], information[everything - {m}]
        for name, term in (("total", total), ("alone", alone), ("added", total - rest)):
            yield Atom("one_vs_rest", m, name, term)
        parts = _parts(information, frozenset([m]), everything - {m}, measure, "one_vs_rest")
        names = {"unique_1": "unique", "unique_2": "rest_unique", "redundant": "redundant", "synergy": "synergy"}
        for part, name in names.items():
            yield parts[part]._replace(modalities=m, name=name)


def _pairs(information: Mapping[SubsetKey, Term], modalities: Sequence[str], measure: Measure) -> Iterator[Atom]:
    for i, j in combinations(modalities, 2):
        both = f"{i}+{j}"
        yield Atom("pair", both, "total", information[frozenset([i, j])])
        parts = _parts(information, frozenset([i]), frozenset([j]), measure, "pair")
        # Unique to the first named, relative to the second.
        yield parts["unique_1"]._replace(modalities=both, name="unique")
        yield parts["unique_2"]._replace(modalities=f"{j}+{i}", name="unique")
        yield parts["redundant"]._replace(modalities=both)
        yield parts["synergy"]._replace(modalities=both)
