r"""Minimum mutual information on the redundancy lattice, its summaries by order, and the fusion weights.

Plain functions of the information of every subset, in bits, as `brainpid.pid.Decomposition.information` has it.

The redundancy of an antichain ``{A_1, ..., A_r}`` is ``min_j I_{A_j}``. Its Moebius inversion needs no lattice: at
level t the sets that know more than t bits are ``{A : I_A > t}``, the minimal ones among them form one antichain, and
the atom of an antichain is the thickness of the layer of levels at which it is that one. Hence at most ``2^M - 1``
atoms differ from zero, and they add up to the information of all modalities.

References
----------
Williams & Beer 2010 arXiv:1004.2515; Barrett 2015 Phys Rev E 91:052802.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from brainpid.core.errors import InputError
from brainpid.core.modalities import SubsetKey, subsets_of

Antichain = frozenset[SubsetKey]

ROUNDING = 1e-12
"""Layers thinner than this, in bits, are rounding between equal informations."""


class FusionWeights(NamedTuple):
    """Weights of the fused latent ``sum_m w_m z_m + w_S prod_m z_m``; they are not negative and sum to 1.

    Attributes
    ----------
    modalities : dict of str to float
        Weight of each modality.
    synergy : float
        Weight of the product term.
    informative : bool
        False where no atom was positive, so that the weights are equal and the synergy weight is 0.
    """

    modalities: dict[str, float]
    synergy: float
    informative: bool


def mmi_lattice(information: Mapping[SubsetKey, float]) -> dict[Antichain, float]:
    r"""Atoms of the redundancy lattice under minimum mutual information.

    Parameters
    ----------
    information : mapping of frozenset of str to float
        Information of each non-empty subset of the modalities, in bits.

    Returns
    -------
    dict of frozenset of frozenset of str to float
        Non-zero atoms in bits, keyed by antichain: ``{{t1}, {dwi, fmri}}`` is what t1 alone knows and dwi and fmri
        together know, but neither dwi nor fmri. They sum to the information of all modalities.

    Raises
    ------
    InputError
        Where a subset is missing.

    Notes
    -----
    Debiased informations may break monotonicity by a little. A set then counts as knowing what its best subset knows;
    what is missing to the information of all modalities is a negative atom of the full set, as at M = 2.
    """
    subsets = [frozenset(subset) for subset in subsets_of(_modalities(information))]
    known = {subset: max(information[part] for part in subsets if part <= subset) for subset in subsets}
    floor = min(known.values())
    bottom, top = frozenset(s for s in subsets if len(s) == 1), frozenset([subsets[-1]])
    # Every set knows at least `floor` (negative where debiasing made it so): that much is redundant to all.
    atoms = {bottom: floor}
    for low, high in pairwise(sorted(set(known.values()))):
        if high - low > ROUNDING:
            above = [subset for subset, bits in known.items() if bits > low + ROUNDING]
            antichain = frozenset(s for s in above if not any(part < s for part in above))
            atoms[antichain] = atoms.get(antichain, 0.0) + high - low
    atoms[top] = atoms.get(top, 0.0) + information[subsets[-1]] - known[subsets[-1]]
    return {antichain: bits for antichain, bits in atoms.items() if abs(bits) > ROUNDING}


def held_by_exactly(information: Mapping[SubsetKey, float]) -> dict[int, float]:
    """Information in bits that exactly k modalities hold singly, for k = 1..M: ``E_k = I_(k) - I_(k+1)``.

    ``E_1`` is unique to the strongest modality, ``E_M = min I_i`` redundant to all.

    Raises
    ------
    InputError
        Where a subset is missing.

    Examples
    --------
    >>> held_by_exactly({frozenset({"t1"}): 0.5, frozenset({"dwi"}): 0.25, frozenset({"t1", "dwi"}): 0.625})
    {1: 0.25, 2: 0.25}
    """
    ordered = sorted((information[frozenset([m])] for m in _modalities(information)), reverse=True)
    return {k: high - low for k, (high, low) in enumerate(pairwise([*ordered, 0.0]), start=1)}


def synergy_by_order(information: Mapping[SubsetKey, float]) -> dict[int, float]:
    """Information in bits that needs k modalities together, for k = 2..M.

    ``max_{|A|=k} I_A - max_{|A|=k-1} I_A``; the sum over k is the synergy of all, ``I_all - max_i I_i``.

    Raises
    ------
    InputError
        Where a subset is missing.
    """
    modalities = _modalities(information)
    best = [
        max(information[frozenset(subset)] for subset in subsets_of(modalities) if len(subset) == k)
        for k in range(1, len(modalities) + 1)
    ]
    return {k: high - low for k, (low, high) in enumerate(pairwise(best), start=2)}


def fusion_weights(information: Mapping[SubsetKey, float]) -> FusionWeights:
    r"""Weights for fusing the latents of the modalities from the information that each holds.

    ``w_i = sum_{k >= rank(i)} E_k / k`` (what k modalities hold is shared out equally among them), ``w_S`` = synergy,
    all divided by their sum; a negative ``E_M`` or synergy counts as 0. At M = 2 this is
    ``(unique_i + redundant / 2) / I`` and ``synergy / I``.

    Parameters
    ----------
    information : mapping of frozenset of str to float
        Information of each non-empty subset of the modalities, in bits.

    Returns
    -------
    FusionWeights
        In the order of the single modalities in `information`.

    Raises
    ------
    InputError
        Where a subset is missing or an information is not finite.
    """
    modalities = _modalities(information)
    single = {m: information[frozenset([m])] for m in modalities}
    ranked = sorted(modalities, key=lambda m: -single[m])
    held = [max(bits, 0.0) / k for k, bits in held_by_exactly(information).items()]
    share = {m: sum(held[rank:]) for rank, m in enumerate(ranked)}
    synergy = max(information[frozenset(modalities)] - single[ranked[0]], 0.0)
    total = sum(share.values()) + synergy
    if total <= 0:
        return FusionWeights(dict.fromkeys(modalities, 1 / len(modalities)), 0.0, informative=False)
    return FusionWeights({m: share[m] / total for m in modalities}, synergy / total, informative=True)


def _modalities(information: Mapping[SubsetKey, float]) -> tuple[str, ...]:
    """Names in the order of the single modalities, after a check that no subset is missing or not finite."""
    names = tuple(next(iter(subset)) for subset in information if len(subset) == 1)
    expected = {frozenset(subset) for subset in subsets_of(names)}
    if not names or expected != set(information):
        raise InputError(
            f"{len(information)} subset informations given for {len(names)} single modalities; expected one for each "
            f"of the {len(expected)} non-empty subsets"
        )
    if bad := [subset for subset, bits in information.items() if not abs(bits) < float("inf")]:
        raise InputError(f"the information of {'+'.join(sorted(bad[0]))} is not finite")
    return names
