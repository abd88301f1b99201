"""The whole readout on planted cohorts: ridge encoders, one scalar a modality, people outside the encoders' folds.

The reference is exact: the encoders are linear, so that the information in what they learned follows from their weights
and the planted covariance.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from simulator import Planted, planted

from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.null import p_value, permutation_null
from brainpid.crossfit.ridge import RidgeEncoder, ridge
from brainpid.crossfit.transforms import Standardizer, normal_scores
from brainpid.model import PIDReg
from brainpid.pid import OUT_OF_FOLD_SE_FACTOR, Decomposition, decompose_covariance, decompose_repeats
from brainpid.pid.estimation import information_from_data

MODALITIES = ("t1", "dwi", "fmri")
FOLDS = 10
COHORT = planted(0.35, {"t1": 0.2, "dwi": 0.15, "fmri": 0.1}, width=30)
WIDE = planted(0.35, {"t1": 0.2, "dwi": 0.15, "fmri": 0.1}, width=60)


def repeats(n: int) -> int:
    return 5 if n < 1000 else 1


def read_out(population: Planted, n: int, seed: int, measure: str) -> tuple[Decomposition, dict[tuple, float]]:
    """Decompose a cohort's out-of-fold latents, and give the exact atoms of its fitted encoders."""
    rng = np.random.default_rng(seed)
    X, y = population.draw(n, rng)
    score = normal_scores(y)
    latents, exact = [], []
    for _ in range(repeats(n)):
        fold = stratified_folds(y, FOLDS, rng)
        latents.append(cross_fit(X, y[None], fold, RidgeEncoder(), seed=0))
        exact += [exact_covariance(population, X, y, fold == k) for k in range(FOLDS)]
    stacked = {m: np.concatenate([repeat[m] for repeat in latents]) for m in X}
    found = decompose_repeats(stacked, score, measure, se_factor=OUT_OF_FOLD_SE_FACTOR)
    dims = dict.fromkeys(X, 1)
    truths = [decompose_covariance(cov, dims, measure) for cov in exact]
    keys = [(row.scope, row.modalities, row.atom) for row in found.rows]
    return found, {key: float(np.mean([truth.atom(*key).bits for truth in truths])) for key in keys}


def exact_covariance(population: Planted, X: dict, y: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Covariance of the target and the scalar latents of the encoders that were fitted without one fold."""
    scores = normal_scores(y[~held_out])[None]
    edges = 1 + np.cumsum([0, *population.dims.values()])
    maps = np.zeros((1 + len(X), len(population.cov)))
    maps[0, 0] = 1.0
    for k, ((m, block), (start, stop)) in enumerate(zip(X.items(), pairwise(edges), strict=True), start=1):
        assert m == list(population.dims)[k - 1]
        scaler = Standardizer.fit(block[~held_out])
        probes = np.vstack([np.zeros(stop - start), np.eye(stop - start)])
        at = ridge(scaler.transform(block[~held_out]), scores, probes)[0]
        maps[k, start:stop] = (at[1:] - at[0]) / scaler.scale
    return maps @ population.cov @ maps.T


@pytest.mark.parametrize(("n", "most"), [(300, 0.10), (1000, 0.06)])
@pytest.mark.parametrize("measure", ["mmi", "idep"])
def test_every_atom_is_that_of_the_fitted_encoders(n, most, measure):
    runs = [read_out(COHORT, n, seed, measure) for seed in range(10)]
    for key in runs[0][1]:
        off = np.mean([found.atom(*key).bits - truth[key] for found, truth in runs])
        assert abs(off) <= most, (key, off)


def test_read_in_sample_it_would_be_far_too_high():
    differences = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = WIDE.draw(1000, rng)
        in_sample = RidgeEncoder()(X, normal_scores(y)[None], X)
        outside = cross_fit(X, y[None], stratified_folds(y, FOLDS, rng), RidgeEncoder(), seed=0)
        differences.append(total_bits(in_sample, y) - total_bits(outside, y))
    assert np.mean(differences) >= 0.10, differences


def total_bits(latents: dict[str, np.ndarray], y: np.ndarray) -> float:
    return information_from_data({m: z[0] for m, z in latents.items()}, normal_scores(y)).bits[-1]


def test_a_permuted_target_reads_as_nothing():
    totals = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = COHORT.draw(1000, rng)
        y = rng.permutation(y)
        latents = cross_fit(X, y[None], stratified_folds(y, FOLDS, rng), RidgeEncoder(), seed=0)
        totals.append(total_bits(latents, y))
    assert abs(np.mean(totals)) <= 0.01, totals


@pytest.mark.slow
def test_the_regressor_reads_noise_as_nothing_on_average():
    # One draw scatters by 0.01 bits, rather upwards: predictions of people left out depend on the target.
    totals = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = {m: rng.standard_normal((300, 20)) for m in MODALITIES}, rng.uniform(20, 80, 300)
        fold = stratified_folds(y, 5, rng)
        latents = {m: np.empty((1, 300, 1)) for m in MODALITIES}
        for k in range(5):
            own = fold == k
            model = PIDReg(members=3, epochs=10, recipe="compact", random_state=seed)
            model.fit({m: block[~own] for m, block in X.items()}, y[~own])
            for m, read in model.scalar_latents({m: block[own] for m, block in X.items()}).items():
                latents[m][0, own, 0] = read
        totals.append(total_bits(latents, y))
    assert abs(np.mean(totals)) <= 0.015, totals


def test_refitting_permutations_reject_a_useless_modality_as_rarely_as_they_say():
    useless, useful = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        X, y = COHORT.draw(300, rng)
        X["noise"] = rng.standard_normal((300, 30))
        null = permutation_null(X, y, RidgeEncoder(), permutations=199, folds=5, seed=seed)
        useless.append(p_value(null.added["noise"]) <= 0.05)
        useful.append(p_value(null.added["t1"]) <= 0.05)
    assert sum(useless) <= 11, sum(useless)
    assert sum(useful) >= 95, sum(useful)


@pytest.mark.slow
def test_widened_intervals_cover_the_information_of_the_fitted_encoders():
    covered = dict.fromkeys([("all", "t1+dwi+fmri", "total"), *(("one_vs_rest", m, "added") for m in MODALITIES)], 0)
    for seed in range(100):
        found, truth = read_out(COHORT, 300, 1000 + seed, "idep")
        for key in covered:
            row = found.atom(*key)
            covered[key] += row.ci_low <= truth[key] <= row.ci_high
    assert min(covered.values()) >= 90, covered
