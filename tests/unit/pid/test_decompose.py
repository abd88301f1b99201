"""Known answers and known limits of the information estimates and their decompositions."""

import numpy as np
import pytest
from pid_cases import GROUND_TRUTH, MEASURES, TRUTH, antichain, known, sample, values

from brainpid.core.errors import InputError, NumericalError
from brainpid.core.modalities import subsets_of
from brainpid.pid import decompose, decompose_covariance, decompose_folds, decompose_repeats
from brainpid.pid.atoms import Term, atoms_of, conditionally_independent
from brainpid.pid.estimation import bias_bits, information_from_data
from brainpid.pid.gaussian import information_from_covariance
from brainpid.pid.lattice import held_by_exactly, mmi_lattice, synergy_by_order


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("case", known("two_source"))
def test_two_source_ground_truth(case, measure):
    expected, tol = case["expected"], case["tol"]
    result = decompose_covariance(case["cov"], {"x": case["dx"], "y": case["dy"]}, measure)
    parts = expected["mmi_tilde" if measure == "mmi" else "idep"]
    got = values(result)
    assert got["x+y", "total"] == pytest.approx(expected["I12"], abs=tol)
    assert got["x", "unique"] == pytest.approx(parts["U1"], abs=tol)
    assert got["y", "unique"] == pytest.approx(parts["U2"], abs=tol)
    assert got["x+y", "redundant"] == pytest.approx(parts["R"], abs=tol)
    assert got["x+y", "synergy"] == pytest.approx(parts["S"], abs=tol)
    assert result.information[frozenset("x")] == pytest.approx(expected["I1"], abs=tol)
    assert result.information[frozenset("y")] == pytest.approx(expected["I2"], abs=tol)


@pytest.mark.parametrize("case", known("three_source"))
def test_three_source_ground_truth(case):
    names = ("a", "b", "c")
    results = {m: decompose_covariance(case["cov"], dict(zip(names, case["dims"], strict=True)), m) for m in MEASURES}
    information = results["mmi"].information
    for key, bits in case["subset_I"].items():
        assert information[frozenset(names[int(c) - 1] for c in key)] == pytest.approx(bits, abs=1e-9)

    expected = {antichain(key, names): bits for key, bits in case["mmi_lattice_nonzero_atoms"].items()}
    assert mmi_lattice(information) == pytest.approx(expected, abs=1e-9)
    exactly = {int(k): bits for k, bits in case["coarse"]["exactly_k_singles"].items()}
    assert held_by_exactly(information) == pytest.approx(exactly, abs=1e-9)
    assert sum(synergy_by_order(information).values()) == pytest.approx(case["coarse"]["synergy_total"], abs=1e-9)
    assert results["mmi"].atom("all", names, "synergy").bits == pytest.approx(case["coarse"]["synergy_total"], abs=1e-9)

    for number, by_measure in case["one_vs_rest"].items():
        for measure, key in zip(MEASURES, ("tilde", "idep"), strict=True):
            row = {"unique": "U_i", "rest_unique": "U_rest", "redundant": "R", "synergy": "S"}
            for atom, name in row.items():
                got = results[measure].atom("one_vs_rest", names[int(number) - 1], atom).bits
                assert got == pytest.approx(by_measure[key][name], abs=1e-9), (measure, number, atom)


@pytest.mark.skipif(not TRUTH, reason=f"no {GROUND_TRUTH}")
def test_vector_target_is_refused():
    """Sources that see two target dimensions through unit noise: ``min(I_1, I_2)`` is not what they share."""
    turn = np.array([[np.sqrt(3), -1.0], [1.0, np.sqrt(3)]]) / 2
    gains = [{"x": np.array([[1.0, 0.0]]), "y": np.array([[0.0, 1.0]])}, {"x": turn, "y": np.array([[1.0, 0.0]])}]
    for case, gain in zip(TRUTH["vector_target_negative_cases"], gains, strict=True):
        stacked = np.concatenate(list(gain.values()))
        joint = 0.5 * np.log2(np.linalg.det(np.eye(len(stacked)) + stacked @ stacked.T))
        assert joint == pytest.approx(case["expected"]["I12"], abs=1e-6)
        rng = np.random.default_rng(1)
        target = rng.standard_normal((300, 2))
        sources = {m: target @ g.T + rng.standard_normal((300, len(g))) for m, g in gain.items()}
        with pytest.raises(InputError, match="scalar target only"):
            decompose(sources, target)
        with pytest.raises(InputError, match="scalar target only"):
            information_from_data(sources, target)
        cov = np.block([[np.eye(2), stacked.T], [stacked, stacked @ stacked.T + np.eye(len(stacked))]])
        with pytest.raises(InputError, match="scalar target only"):
            decompose_covariance(cov, {m: len(g) for m, g in gain.items()})


def test_one_target_column_is_a_scalar_target():
    sources, target = sample()
    assert decompose(sources, target[:, None]).information == decompose(sources, target).information


@pytest.mark.parametrize("measure", MEASURES)
def test_no_information_is_zero_everywhere(measure):
    result = decompose_covariance(np.eye(5), {"a": 2, "b": 1, "c": 1}, measure)
    assert all(row.bits == 0 for row in result.rows)
    assert np.isnan([row.share for row in result.rows]).all()


@pytest.mark.parametrize("measure", MEASURES)
def test_identical_blocks_are_redundant(measure):
    rng = np.random.default_rng(2)
    y = rng.standard_normal(500)
    x = 0.6 * y[:, None] + rng.standard_normal((500, 4))
    for result in (
        decompose_covariance(np.cov(np.column_stack([y, x, x]), rowvar=False), {"a": 4, "b": 4}, measure),
        decompose({"a": x, "b": x}, y, measure),
    ):
        got = values(result)
        assert got["a+b", "redundant"] == pytest.approx(result.information[frozenset("a")], abs=1e-9)
        for key in (("a", "unique"), ("b", "unique"), ("a+b", "synergy")):
            assert got[key] == pytest.approx(0, abs=1e-9)


def test_columns_collinear_within_a_modality():
    h_x, h_y = np.ones(3), np.ones(3)
    noise = np.eye(6)
    noise[:2, :2] = 1.0  # the first two columns of x are the same
    h = np.concatenate([h_x, h_y])
    cov = np.block([[np.ones((1, 1)), h[None]], [h[:, None], np.outer(h, h) + noise]])
    found = information_from_covariance(cov, {"x": 3, "y": 3})
    assert found.bits == pytest.approx([0.7924812504, 1.0, 1.2924812504], abs=1e-9)
    assert found.rank.tolist() == [2, 3, 5]


def test_constant_and_collinear_columns_change_nothing():
    sources, target = sample()
    plain = information_from_data(sources, target)
    # A float32 copy of a combination and a constant that has no exact binary form.
    copy = (sources["t1"] @ [1.0, -2.0, 0.5]).astype(np.float32)
    padded = {**sources, "t1": np.column_stack([sources["t1"], copy, np.full(400, 0.1)])}
    found = information_from_data(padded, target)
    assert np.array_equal(found.rank, plain.rank)
    assert found.bits == pytest.approx(plain.bits, abs=1e-7)
    assert found.influence == pytest.approx(plain.influence, abs=1e-5)


def test_modality_without_variance_has_no_information():
    sources, target = sample()
    found = information_from_data({**sources, "dwi": np.full((400, 2), 7.0)}, target)
    dwi = found.modalities.index("dwi")
    assert found.bits[dwi] == pytest.approx(0, abs=1e-15)
    assert np.abs(found.influence[:, dwi]).max() < 1e-12
    cov = np.diag([1.0, 1.0, 0.0])
    cov[0, 1] = cov[1, 0] = 0.5
    assert information_from_covariance(cov, {"a": 1, "b": 1}).bits == pytest.approx([0.2075187496, 0, 0.2075187496])


def test_too_few_people_are_refused():
    sources, target = sample(n=100, width=30)
    with pytest.raises(NumericalError, match=r"n = 100 .* d = 90 .*condition number \d.*fewer latent dimensions.*40"):
        decompose(sources, target)
    sources, target = sample(n=100, width=64, modalities=("a", "b"))
    with pytest.raises(NumericalError, match="n = 100"):
        decompose(sources, target)


@pytest.mark.parametrize("n", [22, 23])
def test_the_limit_is_two_and_a_half_people_per_dimension(n):
    sources, target = sample(n=n, width=3)
    if n < 22.5:
        with pytest.raises(NumericalError, match="n = 22 people are too few for d = 9"):
            decompose(sources, target)
    else:
        assert np.isfinite(decompose(sources, target).rows[0].bits)


def test_source_equal_to_the_target_is_refused():
    sources, target = sample()
    sources["dwi"][:, 1] = 3 * target + 1
    with pytest.raises(NumericalError, match="dwi determines the target exactly"):
        decompose(sources, target)
    with pytest.raises(NumericalError, match="b determines the target exactly"):
        decompose_covariance([[1, 0.5, 2], [0.5, 1, 1], [2, 1, 4]], {"a": 1, "b": 1})
    # Neither alone, but both together.
    with pytest.raises(NumericalError, match=r"a\+b determines the target exactly"):
        decompose_covariance([[2, 1, 1], [1, 1, 0], [1, 0, 1]], {"a": 1, "b": 1})


@pytest.mark.parametrize(
    ("cov", "error", "message"),
    [
        ([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]], NumericalError, "not a covariance"),
        ([[1, 1.2, 0], [1.2, 1, 0], [0, 0, 1]], NumericalError, "not a covariance"),
        ([[1, 0.5, 0], [0.5, 0, 0], [0, 0, 1]], InputError, "without variance that covaries"),
        ([[1, 0.5, 0], [0.4, 1, 0], [0, 0, 1]], InputError, "not symmetric"),
        ([[0, 0, 0], [0, 1, 0], [0, 0, 1]], InputError, "target without variance"),
        ([[1, 0, 0], [0, np.nan, 0], [0, 0, 1]], InputError, "1 missing or infinite"),
        ([1, 2, 3], InputError, "1 axes"),
    ],
)
def test_what_is_no_covariance_is_refused(cov, error, message):
    with pytest.raises(error, match=message):
        decompose_covariance(cov, {"a": 1, "b": 1})


def test_bad_input_is_named():
    sources, target = sample()
    broken = {m: block.copy() for m, block in sources.items()}
    broken["dwi"][[3, 4, 9], 0] = [np.nan, np.inf, np.nan]
    with pytest.raises(InputError, match="'dwi' has missing or infinite values in 3 of 400"):
        decompose(broken, target)
    with pytest.raises(InputError, match=r"'t1' has 400 people .* target 399"):
        decompose(sources, target[:-1])
    with pytest.raises(InputError, match="target is missing or infinite in 1 of 400"):
        decompose(sources, np.append(target[:-1], np.nan))
    with pytest.raises(InputError, match="same for all 400"):
        decompose(sources, np.full(400, 0.3))
    with pytest.raises(InputError, match="1 modalities given"):
        decompose({"t1": sources["t1"]}, target)
    with pytest.raises(InputError, match="at least 3 people"):
        decompose({m: block[:2] for m, block in sources.items()}, target[:2])
    with pytest.raises(InputError, match=r"contains '\+'"):
        decompose({"t1+dwi": sources["t1"], "fmri": sources["fmri"]}, target)
    with pytest.raises(InputError, match="did you mean 'idep'"):
        decompose(sources, target, "idpe")
    with pytest.raises(InputError, match="confidence is 95"):
        decompose(sources, target, confidence=95)
    with pytest.raises(InputError, match="se_factor is 0"):
        decompose(sources, target, se_factor=0)
    with pytest.raises(InputError, match="expected at least 1"):
        decompose_covariance(np.eye(2), {"a": 1, "b": 0})


def test_idep_with_negative_informations():
    subsets = [frozenset(subset) for subset in subsets_of(("a", "b"))]
    atoms = {(a.scope, a.modalities, a.name): a.term for a in atoms_of(np.array([-0.02, -0.01, 0.005]), "ab", "idep")}
    union = 0.5 * np.log2(4**-0.02 + 4**-0.01 - 1)
    assert atoms["all", "a", "unique"].value == pytest.approx(union + 0.01, abs=1e-15)
    assert sum(
        atoms["all", *key].value for key in [("a", "unique"), ("b", "unique"), ("a+b", "redundant"), ("a+b", "synergy")]
    ) == pytest.approx(0.005)
    far = [Term(np.append(-0.6, np.zeros(len(subsets))))] * 2
    with pytest.raises(NumericalError, match=r"-0\.6 and -0\.6 bits"):
        conditionally_independent(*far)


def test_added_is_unique_and_synergy():
    for measure in MEASURES:
        result = decompose(*sample(), measure)
        for m in result.modalities:
            alone, added, unique, redundant, synergy = (
                result.atom("one_vs_rest", m, atom).bits
                for atom in ["alone", "added", "unique", "redundant", "synergy"]
            )
            assert added == pytest.approx(unique + synergy, abs=1e-12)
            assert alone == pytest.approx(unique + redundant, abs=1e-12)


def test_debiased_and_raw():
    result = decompose(*sample())
    total = result.rows[0]
    assert total.bits_raw - total.bits == pytest.approx(float(bias_bits(400, 9)), abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
def test_repeats_average_informations_and_influences(measure):
    _, target = sample(n=350)
    rng = np.random.default_rng(6)
    strength = {"t1": 0.6, "dwi": 0.58, "fmri": 0.3}
    repeats = {m: a * target + rng.standard_normal((5, 350)) for m, a in strength.items()}
    result = decompose_repeats(repeats, target, measure, se_factor=1.25)
    single = [decompose({m: z[r] for m, z in repeats.items()}, target, measure) for r in range(5)]
    assert result.n == 350
    assert len(result.influence) == 350
    # The atoms are those of the average: t1 and dwi are about equal, and change places between repeats.
    for subset, bits in result.information.items():
        assert bits == pytest.approx(np.mean([one.information[subset] for one in single]), abs=1e-12)
    averaged = atoms_of(np.array(list(result.information.values())), result.modalities, measure)
    subset_influence = np.mean([information_from_data({m: z[r, :, None] for m, z in repeats.items()}, target).influence
                                for r in range(5)], axis=0)  # fmt: skip
    for k, (row, atom) in enumerate(zip(result.rows, averaged, strict=True)):
        if not atom.term.sides:
            assert row.bits == pytest.approx(float(atom.term.value), abs=1e-12)
        influence = subset_influence @ atom.term.gradient
        assert result.influence[:, k] == pytest.approx(influence, abs=1e-10)
        if not np.isnan(row.se):
            first_order = 1.25 * influence.std(ddof=1) / np.sqrt(350)
            assert first_order < row.se < 1.1 * first_order
    assert sum(row.bits for row in result.rows[1:] if row.scope == "all") == pytest.approx(
        result.rows[0].bits if measure == "mmi" else 0, abs=1e-12
    )


def test_identical_repeats_are_no_further_evidence():
    sources, target = sample()
    once = decompose(sources, target, "idep").to_frame()
    thrice = decompose_repeats({m: np.stack([z] * 3) for m, z in sources.items()}, np.stack([target] * 3), "idep")
    numbers = ["bits", "bits_raw", "se", "ci_low", "ci_high"]
    assert thrice.to_frame()[numbers].to_numpy() == pytest.approx(once[numbers].to_numpy(), abs=1e-12, nan_ok=True)


def test_batched_equals_looped():
    draws = [sample(seed=seed) for seed in range(4)]
    sources = {m: np.stack([s[m] for s, _ in draws]).reshape(2, 2, 400, 3) for m in draws[0][0]}
    found = information_from_data(sources, np.stack([y for _, y in draws]).reshape(2, 2, 400))
    covs = np.stack([np.cov(np.column_stack([y, *s.values()]), rowvar=False) for s, y in draws])
    covs[2, 4] = covs[2, 5]  # one singular member takes the rank-revealing route
    covs[2, :, 4] = covs[2, :, 5]
    dims = dict.fromkeys(sources, 3)
    known_cov = information_from_covariance(covs, dims)
    assert found.influence.shape == (2, 2, 400, 7)
    assert known_cov.rank[:, -1].tolist() == [9, 9, 8, 9]
    for k, (s, y) in enumerate(draws):
        one = information_from_data(s, y)
        assert found.bits.reshape(4, 7)[k] == pytest.approx(one.bits, abs=1e-12)
        assert found.influence.reshape(4, 400, 7)[k] == pytest.approx(one.influence, abs=1e-9)
        assert known_cov.bits[k] == pytest.approx(information_from_covariance(covs[k], dims).bits, abs=1e-12)


def rotated_folds(n=1000, folds=10):
    """Two-dimensional latents whose axes are turned anew in each fold."""
    rng = np.random.default_rng(8)
    y = rng.standard_normal(n)
    fold = rng.permutation(np.arange(n) % folds)
    sources = {}
    for m, gain in (("t1", 1.0), ("dwi", 0.7)):
        plain = np.stack([gain * y, 0 * y], axis=1) + rng.standard_normal((n, 2))
        turn = [np.linalg.qr(rng.standard_normal((2, 2)))[0] for _ in range(folds)]
        sources[m] = np.stack([turn[k].T @ row for k, row in zip(fold, plain, strict=True)])
    return sources, y, fold


def test_latents_of_several_dimensions_are_read_in_each_fold():
    sources, y, fold = rotated_folds()
    stacked = {m: z[None] for m, z in sources.items()}
    found = decompose_folds(stacked, y, fold[None], "idep")
    total = found.atom("all", "t1+dwi", "total").bits
    parts = [decompose({m: z[fold == k] for m, z in sources.items()}, y[fold == k]) for k in range(10)]
    assert total == pytest.approx(np.mean([part.atom("all", "t1+dwi", "total").bits for part in parts]), abs=1e-12)
    assert total == pytest.approx(0.5 * np.log2(1 + 1 + 0.49), abs=0.1)
    # Pooled over folds the axes cancel out.
    assert decompose(sources, y).atom("all", "t1+dwi", "total").bits < total - 0.2


def test_one_fold_is_the_whole_sample():
    sources, y, _ = rotated_folds(folds=1)
    stacked, fold = {m: z[None] for m, z in sources.items()}, np.zeros((1, len(y)), dtype=int)
    for measure in MEASURES:
        one, whole = decompose_folds(stacked, y, fold, measure, se_factor=1.0), decompose(sources, y, measure)
        for a, b in zip(one.rows, whole.rows, strict=True):
            assert (a.bits, a.se) == pytest.approx((b.bits, b.se), abs=1e-12, nan_ok=True)


def test_a_fold_too_small_for_its_latents_is_refused():
    sources, y, _ = rotated_folds(n=30)
    fold = np.arange(30) % 4
    with pytest.raises(NumericalError, match="n = 8 people are too few for d = 4"):
        decompose_folds({m: z[None] for m, z in sources.items()}, y, fold[None])


def test_standard_errors_are_clustered_by_group():
    """Groups of one row change nothing; every row three times over has the interval of the rows given once."""
    rng = np.random.default_rng(0)
    n = 300
    y = rng.normal(size=n)
    sources = {m: y + rng.normal(size=n) for m in ("t1", "dwi")}
    once = decompose(sources, y, "idep")
    alone = decompose(sources, y, "idep", groups=[f"p{k}" for k in range(n)])
    np.testing.assert_allclose([row.se for row in alone.rows], [row.se for row in once.rows], rtol=1e-12)
    thrice = {m: np.repeat(values, 3) for m, values in sources.items()}
    freely = decompose(thrice, np.repeat(y, 3), "idep")
    clustered = decompose(thrice, np.repeat(y, 3), "idep", groups=np.repeat(np.arange(n), 3))
    se = {name: found.atom("all", "t1+dwi", "total").se for name, found in
          (("once", once), ("freely", freely), ("clustered", clustered))}  # fmt: skip
    assert se["clustered"] == pytest.approx(se["once"], rel=0.01)
    assert se["freely"] == pytest.approx(se["once"] / np.sqrt(3), rel=0.01)
    with pytest.raises(InputError, match=r"groups have shape \(3,\); expected \(300,\)"):
        decompose(sources, y, groups=[1, 2, 3])
    with pytest.raises(InputError, match="all 300 rows are of one group"):
        decompose(sources, y, groups=np.zeros(n))
