"""How often the recommended subset is the right one, on planted cohorts with ridge on the features of every subset."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from brainpid.core.modalities import subsets_of
from brainpid.crossfit.folds import stratified_folds
from brainpid.evaluation.selection import choose_without_own_fold, recommend

MODALITIES = ("t1", "dwi", "fmri")
SUBSETS = subsets_of(MODALITIES)
SIZES = [len(subset) for subset in SUBSETS]
SEEDS = 50
FOLDS = 10

# What each modality reads, from the target g and independent standard normal u (one a modality); fmri is useless unless
# it is named. Noise of the reading in standard deviations of g.
COHORTS = {
    "two tell": ({"t1": ("g", 0.8), "dwi": ("g", 1.0)}, "t1+dwi"),
    "two tell, one of them little": ({"t1": ("g", 0.7), "dwi": ("g", 1.5)}, "t1+dwi"),
    "all three tell": ({"t1": ("g", 0.8), "dwi": ("g", 1.0), "fmri": ("g", 1.2)}, "t1+dwi+fmri"),
    "the second is redundant": ({"t1": ("g", 0.8), "dwi": ("t1", 0.7)}, "t1"),
    "only the second tells": ({"dwi": ("g", 1.0)}, "dwi"),
}


def draw(readings: dict, n: int, width: int, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    """Draw features (n, width) of each modality, its reading mixed into columns of noise, and the target."""
    g = rng.standard_normal(n)
    latents, X = {"g": g}, {}
    for modality in MODALITIES:
        source, noise = readings.get(modality, (None, 1.0))
        latents[modality] = (latents[source] if source else 0) + noise * rng.standard_normal(n)
        columns = np.column_stack([latents[modality], rng.standard_normal((n, width - 1))])
        X[modality] = columns @ np.linalg.qr(rng.standard_normal((width, width)))[0]
    return X, 50 + 15 * g


def held_out_errors(X: dict, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Errors (1, n, K) of ridge with one prior observation a feature, fitted without each person's fold."""
    errors = np.empty((1, len(y), len(SUBSETS)))
    for place, subset in enumerate(SUBSETS):
        block = np.column_stack([X[modality] for modality in subset])
        for k in range(FOLDS):
            held = fold == k
            x, mean = block[~held] - block[~held].mean(0), y[~held].mean()
            weights = np.linalg.solve(x.T @ x + block.shape[1] * np.eye(block.shape[1]), x.T @ (y[~held] - mean))
            errors[0, held, place] = (block[held] - block[~held].mean(0)) @ weights + mean - y[held]
    return errors


def choices(readings: dict, n: int, width: int, costs: dict | None = None, seeds: int = SEEDS) -> Counter:
    """Count what is recommended over seeds."""
    prices = [sum((costs or {}).get(modality, 1.0) for modality in subset) for subset in SUBSETS]
    found = Counter()
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        X, y = draw(readings, n, width, rng)
        errors = held_out_errors(X, y, stratified_folds(y, FOLDS, rng))
        found["+".join(SUBSETS[recommend(errors[0] ** 2, prices, SIZES)])] += 1
    return found


def useless(found: Counter, readings: dict) -> int:
    """How often a modality that reads nothing was recommended."""
    return sum(count for subset, count in found.items() if set(subset.split("+")) - set(readings))


@pytest.mark.parametrize("width", [1, 20])
@pytest.mark.parametrize("cohort", COHORTS)
def test_the_right_subset_is_recommended(cohort, width):
    readings, right = COHORTS[cohort]
    found = choices(readings, 600, width)
    assert found[right] >= 0.8 * SEEDS, found
    assert useless(found, readings) <= 0.05 * SEEDS, found


@pytest.mark.parametrize("n", [200, 1500])
def test_a_useless_modality_is_not_bought_at_other_sizes_nor_for_nothing(n):
    """With a cost of zero it is as cheap as its absence, which then has fewer modalities."""
    readings = COHORTS["two tell"][0]
    for costs in ({}, {"fmri": 0.0}):
        found = choices(readings, n, 1, costs)
        assert useless(found, readings) <= 0.05 * SEEDS, (costs, found)


def test_a_useless_modality_slips_in_as_rarely_as_the_rule_s_arithmetic_says():
    """0.6% of draws for one column; three standard errors of 1,000 draws above it is 1.3%."""
    readings = COHORTS["two tell"][0]
    assert useless(choices(readings, 300, 1, seeds=1000), readings) <= 13


def test_the_cheaper_of_two_copies_is_recommended():
    """As often as a difference of zero is within one standard error on one side: in 84% of draws, 100 of them here."""
    found = choices({"t1": ("g", 0.8), "dwi": ("t1", 0.01)}, 600, 1, {"t1": 3.0, "dwi": 1.0}, seeds=100)
    assert found["dwi"] >= 73, found  # three standard errors below


def test_the_error_of_the_choice_is_not_optimistic():
    """Where all subsets are equally bad the smallest mean is too small; the nested error is not."""
    optimistic, nested = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        errors = rng.standard_normal((1, 300, len(SUBSETS)))
        optimistic.append((errors[0, :, np.argmin((errors[0] ** 2).mean(0))] ** 2).mean())
        found = choose_without_own_fold(
            errors, np.arange(300)[None] % FOLDS, np.zeros(len(SUBSETS)), [1] * len(SUBSETS)
        )
        nested.append((found.errors**2).mean())
    assert np.mean(optimistic) < 0.92
    assert np.mean(nested) == pytest.approx(1, abs=0.02)
