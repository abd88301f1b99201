"""The lattice of redundancies against known answers, and the fusion weights that follow from it."""

import numpy as np
import pytest
from pid_cases import GROUND_TRUTH, TRUTH, antichain, sample

from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.pid import decompose
from brainpid.pid.lattice import fusion_weights, mmi_lattice


@pytest.mark.skipif(not TRUTH, reason=f"no {GROUND_TRUTH}")
def test_lattice_from_subset_values():
    case = TRUTH["lattice_from_subset_values"]
    by_size = {len(key): bits for key, bits in case["subset_I"].items() if key.isdigit()}
    names = ("a", "b", "c")
    got = mmi_lattice({frozenset(subset): by_size[len(subset)] for subset in subsets_of(names)})
    expected = {antichain(key, names): bits for key, bits in case["expected"].items() if key != "others"}
    assert got == pytest.approx(expected, abs=1e-12)


def test_fusion_weights_share_out_what_is_held():
    # I_1 = 0.5, I_2 = 0.3, I_12 = 0.7: unique 0.2, redundant 0.3, synergy 0.2.
    weights = fusion_weights({frozenset("a"): 0.5, frozenset("b"): 0.3, frozenset("ab"): 0.7})
    assert weights.modalities == pytest.approx({"a": 0.35 / 0.7, "b": 0.15 / 0.7})
    assert weights.synergy == pytest.approx(0.2 / 0.7)
    assert weights.informative
    result = decompose(*sample())
    weights = fusion_weights(result.information)
    assert tuple(weights.modalities) == result.modalities
    assert sum(weights.modalities.values()) + weights.synergy == pytest.approx(1)
    assert weights.modalities["t1"] > weights.modalities["dwi"] > weights.modalities["fmri"] > 0


def test_fusion_weights_without_information_are_equal_and_flagged():
    nothing = {frozenset(subset): -0.01 * len(subset) for subset in subsets_of(("a", "b", "c"))}
    weights = fusion_weights(nothing)
    assert weights.modalities == pytest.approx(dict.fromkeys("abc", 1 / 3))
    assert (weights.synergy, weights.informative) == (0.0, False)


def test_incomplete_informations_are_refused():
    with pytest.raises(InputError, match="2 subset informations given for 2 single modalities"):
        fusion_weights({frozenset("a"): 0.5, frozenset("b"): 0.3})
    with pytest.raises(InputError, match=r"a\+b is not finite"):
        mmi_lattice({frozenset("a"): 0.5, frozenset("b"): 0.3, frozenset("ab"): np.nan})


def test_lattice_of_debiased_values_sums_to_the_total():
    """Debiasing may make a value negative, and a larger set know less than a smaller one."""
    values = dict(
        zip(map(frozenset, subsets_of(("a", "b", "c"))), [0.2, 0.1, -0.03, 0.19, 0.25, 0.08, 0.22], strict=True)
    )
    atoms = mmi_lattice(values)
    assert sum(atoms.values()) == pytest.approx(0.22, abs=1e-12)
    assert atoms[frozenset(map(frozenset, "abc"))] == pytest.approx(-0.03)
    assert atoms[frozenset([frozenset("abc")])] == pytest.approx(0.22 - 0.25)
