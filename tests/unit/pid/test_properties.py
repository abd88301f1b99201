"""Invariances of information and decompositions, over random populations and samples."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brainpid.core.modalities import subsets_of
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid import decompose, decompose_covariance
from brainpid.pid.estimation import information_from_data
from brainpid.pid.gaussian import information_from_covariance
from brainpid.pid.lattice import fusion_weights, held_by_exactly, mmi_lattice, synergy_by_order

NAMES = ("t1", "dwi", "fmri")
MEASURES = st.sampled_from(["mmi", "idep"])
quick = settings(max_examples=100, derandomize=True)
quick_with_intervals = settings(max_examples=30, derandomize=True)


@st.composite
def populations(draw, least=2, most=3):
    """Random covariance of a scalar target and modalities of random width."""
    names = NAMES[: draw(st.integers(least, most))]
    dims = {name: draw(st.integers(1, 4)) for name in names}
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = 1 + sum(dims.values())
    factor = rng.standard_normal((size, size + draw(st.integers(1, 20))))
    return factor @ factor.T, dims


@st.composite
def samples(draw):
    """Random latents of three modalities and a target that depends on them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(40, 120))
    sources = {name: rng.standard_normal((n, draw(st.integers(1, 4)))) for name in NAMES}
    target = sum(block[:, 0] for block in sources.values()) + rng.standard_normal(n)
    return sources, target, rng


def one_sum(result, scope="all"):
    return sum(row.bits for row in result.rows if row.scope == scope and row.atom != "total")


@quick_with_intervals
@given(samples(), MEASURES)
def test_invertible_maps_within_a_modality_change_nothing(case, measure):
    sources, target, rng = case
    mapped = {
        m: 10.0 ** rng.uniform(-6, 6) * x @ (np.eye(x.shape[1]) * 2 + 0.5 * rng.standard_normal((x.shape[1],) * 2)) + 3
        for m, x in sources.items()
    }
    before, after = decompose(sources, target, measure), decompose(mapped, -7 * target + 50, measure)
    for a, b in zip(before.rows, after.rows, strict=True):
        assert b.bits == pytest.approx(a.bits, abs=1e-8)
        assert b.se == pytest.approx(a.se, abs=1e-7, nan_ok=True)


@quick_with_intervals
@given(samples(), MEASURES)
def test_order_of_people_and_of_modalities_does_not_matter(case, measure):
    sources, target, rng = case
    order = rng.permutation(len(target))
    shuffled = {m: sources[m][order] for m in rng.permutation(NAMES).tolist()}
    before, after = decompose(sources, target, measure), decompose(shuffled, target[order], measure)

    def key(row):
        # 'i+j unique' is unique to i relative to j; every other label is a set.
        ordered = (row.scope, row.atom) == ("pair", "unique")
        return row.scope, row.modalities if ordered else frozenset(row.modalities.split("+")), row.atom

    rows = {key(row): row for row in after.rows}
    for row in before.rows:
        assert rows[key(row)].bits == pytest.approx(row.bits, abs=1e-9)
        assert rows[key(row)].se == pytest.approx(row.se, abs=1e-8, nan_ok=True)


@quick
@given(populations(), st.integers(1, 3))
def test_an_independent_modality_adds_nothing(population, width):
    cov, dims = population
    wider = np.zeros((len(cov) + width,) * 2)
    wider[: len(cov), : len(cov)] = cov
    wider[len(cov) :, len(cov) :] = np.eye(width) + 0.3
    plain = decompose_covariance(cov, dims).information
    more = decompose_covariance(wider, {**dims, "noise": width}, "idep")
    for subset, bits in more.information.items():
        rest = subset - {"noise"}
        assert bits == pytest.approx(plain[rest] if rest else 0.0, abs=1e-9)
    for atom in ("alone", "added", "unique", "redundant", "synergy"):
        assert more.atom("one_vs_rest", "noise", atom).bits == pytest.approx(0, abs=1e-9)


@quick
@given(populations(), MEASURES)
def test_population_atoms_are_non_negative_and_add_up(population, measure):
    cov, dims = population
    result = decompose_covariance(cov, dims, measure)
    total = result.rows[0].bits
    assert min(row.bits for row in result.rows) > -1e-9
    if measure == "mmi" or len(dims) == 2:
        assert one_sum(result) == pytest.approx(total, abs=1e-9)
    for m in dims:
        parts = [result.atom("one_vs_rest", m, atom).bits for atom in ("unique", "rest_unique", "redundant", "synergy")]
        assert sum(parts) == pytest.approx(total, abs=1e-9)
    if measure == "mmi":
        assert sum(row.bits > 1e-9 for row in result.rows if (row.scope, row.atom) == ("all", "unique")) <= 1


@quick_with_intervals
@given(samples(), MEASURES)
def test_estimated_atoms_add_up_unclipped(case, measure):
    sources, target, rng = case
    result = decompose(sources, rng.permutation(target), measure)
    if measure == "mmi":
        assert one_sum(result) == pytest.approx(result.rows[0].bits, abs=1e-12)
    influence = dict(zip([(r.scope, r.modalities, r.atom) for r in result.rows], result.influence.T, strict=True))
    for m in sources:
        parts = [influence["one_vs_rest", m, atom] for atom in ("unique", "rest_unique", "redundant", "synergy")]
        assert sum(parts) == pytest.approx(influence["one_vs_rest", m, "total"], abs=1e-9)


@quick
@given(populations(most=2))
def test_two_modalities_reduce_to_the_closed_form(population):
    cov, dims = population
    a, b = dims
    result = decompose_covariance(cov, dims)
    i_1, i_2, i_12 = (result.information[frozenset(s)] for s in subsets_of((a, b)))
    expected = {(a, "unique"): max(i_1 - i_2, 0), (b, "unique"): max(i_2 - i_1, 0)}
    expected |= {(f"{a}+{b}", "redundant"): min(i_1, i_2), (f"{a}+{b}", "synergy"): i_12 - max(i_1, i_2)}
    for (modalities, atom), bits in expected.items():
        assert result.atom("all", modalities, atom).bits == pytest.approx(bits, abs=1e-12)
    lattice = mmi_lattice(result.information)
    assert lattice.get(frozenset([frozenset([a]), frozenset([b])]), 0) == pytest.approx(min(i_1, i_2), abs=1e-11)
    weights = fusion_weights(result.information)
    assert weights.modalities[a] == pytest.approx((max(i_1 - i_2, 0) + min(i_1, i_2) / 2) / i_12, abs=1e-9)
    assert weights.synergy == pytest.approx((i_12 - max(i_1, i_2)) / i_12, abs=1e-9)


def antichains(names):
    """List all antichains of non-empty subsets: the redundancy lattice (18 for three names)."""
    subsets = [frozenset(subset) for subset in subsets_of(names)]
    return [
        frozenset(chosen)
        for k in range(1, len(subsets) + 1)
        for chosen in combinations(subsets, k)
        if not any(a < b or b < a for a, b in combinations(chosen, 2))
    ]


LATTICE = antichains(NAMES)


@quick
@given(populations(least=3))
def test_layers_equal_the_moebius_inversion(population):
    """The atoms sum, over the down-set of each antichain, to its redundancy ``min I_A``."""
    assert len(LATTICE) == 18
    information = decompose_covariance(*population).information
    atoms = mmi_lattice(information)
    assert len(atoms) <= 7
    assert set(atoms) <= set(LATTICE)
    for upper in LATTICE:
        below = [a for a in atoms if all(any(part <= whole for part in a) for whole in upper)]
        assert sum(atoms[a] for a in below) == pytest.approx(min(information[s] for s in upper), abs=1e-9)
    assert sum(held_by_exactly(information).values()) == pytest.approx(
        max(information[frozenset([m])] for m in NAMES), abs=1e-12
    )
    total = sum(held_by_exactly(information).values()) + sum(synergy_by_order(information).values())
    assert total == pytest.approx(information[frozenset(NAMES)], abs=1e-9)


@quick
@given(populations(least=3))
def test_information_grows_with_the_subset(population):
    cov, dims = population
    information = decompose_covariance(cov, dims).information
    for small, large in permutations(information, 2):
        if small < large:
            assert information[small] <= information[large] + 1e-9


@quick
@given(samples())
def test_monotone_transforms_of_the_target_do_not_matter_after_normal_scores(case):
    sources, target, _ = case
    bits = information_from_data(sources, normal_scores(target)).bits
    for transformed in (np.exp(target / 3), target**3, 20 + 60 / (1 + np.exp(-target))):
        assert information_from_data(sources, normal_scores(transformed)).bits == pytest.approx(bits, abs=1e-12)


@quick
@given(samples())
def test_known_covariance_and_sample_agree_on_the_plug_in(case):
    sources, target, _ = case
    cov = np.cov(np.column_stack([target, *sources.values()]), rowvar=False)
    known = information_from_covariance(cov, {m: x.shape[1] for m, x in sources.items()})
    found = information_from_data(sources, target)
    assert known.bits == pytest.approx(found.raw, abs=1e-9)
    assert np.array_equal(known.rank, found.rank)
