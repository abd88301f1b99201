"""Size and power of the null, its time, and coverage of intervals with the estimated inflation of standard errors.

Run ``python benchmarks/null.py [size] [time] [coverage]``; it prints tables. One thread; 200 cohorts a cell.

*Size and power.* Two modalities of n = 200 people. `rest` always tells the target. What is tested is what the other one
adds beyond it, at .05, with 99 draws, by conditional randomisation and, beside it, by permuting the target: cohorts in
which it adds nothing (size) and in which it adds a little (power).
"""

# ruff: noqa: E402 - the threads are set before numpy loads its BLAS
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
import time
from collections.abc import Callable

import numpy as np

from brainpid.crossfit.exchange import exchange_of
from brainpid.crossfit.folds import random_folds
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.null import informations, p_value, permutation_null
from brainpid.crossfit.ridge import RidgeEncoder

COHORTS = 200
Cohort = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None]


def rest_of(y: np.ndarray, rng: np.random.Generator, p: int = 20, gain: float = 0.3) -> np.ndarray:
    """Features with noise in common, each with a little of the target."""
    common = rng.normal(size=(len(y), 3)) @ rng.normal(size=(3, p))
    return gain * y[:, None] * rng.normal(size=p) + 0.5 * common + rng.normal(size=(len(y), p))


def independent(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    return {"tested": rng.normal(size=(200, 20)), "rest": rest_of(y, rng)}, y, None


def useless_given_rest(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": rest @ rng.normal(size=(20, 20)) / 4 + rng.normal(size=(200, 20)), "rest": rest}, y, None


def function_of_rest(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": rest @ rng.normal(size=(20, 10)), "rest": rest}, y, None


def bent_function_of_rest(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": np.tanh(rest @ rng.normal(size=(20, 10)) / 4), "rest": rest}, y, None


def good_function_of_rest(rng: np.random.Generator) -> Cohort:
    """The one direction that tells: a better reader of it than all the rest together can be."""
    y = rng.normal(size=200)
    rest = 0.15 * y[:, None] + rng.normal(size=(200, 60))
    return {"tested": rest.mean(axis=1, keepdims=True), "rest": rest}, y, None


def noisy_good_function(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    rest = 0.15 * y[:, None] + rng.normal(size=(200, 60))
    tested = rest.mean(axis=1, keepdims=True) + 0.2 * rng.normal(size=(200, 5))
    return {"tested": tested, "rest": rest}, y, None


def copy(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": rest.copy(), "rest": rest}, y, None


def groups(rng: np.random.Generator) -> Cohort:
    """Two visits of 100 people; what is tested tells who it is."""
    person = np.repeat(np.arange(100), 2)
    y = rng.normal(size=100)[person] + np.tile([0, 0.05], 100)
    own = rng.normal(size=(100, 20))[person] + 0.2 * rng.normal(size=(200, 20))
    return {"tested": own, "rest": rest_of(y, rng)}, y, person


def groups_of_one_target(rng: np.random.Generator) -> Cohort:
    person = np.repeat(np.arange(100), rng.integers(1, 4, 100))
    y = rng.normal(size=100)[person]
    own = rng.normal(size=(100, 20))[person] + 0.2 * rng.normal(size=(len(y), 20))
    return {"tested": own, "rest": rest_of(y, rng)}, y, person


def adds_a_little(rng: np.random.Generator) -> Cohort:
    y = rng.normal(size=200)
    own = 0.1 * y[:, None] * rng.choice([-1, 1], 20) + rng.normal(size=(200, 20))
    return {"tested": own, "rest": rest_of(y, rng, gain=0.6)}, y, None


def adds_beside_shared(rng: np.random.Generator) -> Cohort:
    """Most of what it tells the rest tells too."""
    y = rng.normal(size=200)
    rest = rest_of(y, rng, gain=0.6)
    own = rest @ rng.normal(size=(20, 20)) / 4 + rng.normal(size=(200, 20)) + 0.1 * y[:, None]
    return {"tested": own, "rest": rest}, y, None


def by_permutation(blocks: dict[str, np.ndarray], target: np.ndarray, seed: int, group: np.ndarray | None) -> float:
    """p-value of what `tested` adds, by permuting the target."""
    rng = np.random.default_rng(seed)
    exchange = exchange_of(target, group)
    fold = random_folds(exchange.member, 5, rng)
    targets = target[np.concatenate([np.arange(len(target))[None], exchange.orders(99, rng)])]
    latents = cross_fit(blocks, targets, fold, RidgeEncoder(), seed)
    bits = informations(targets, {name: latent[..., 0] for name, latent in latents.items()})
    return p_value(bits[frozenset(blocks)] - bits[frozenset(["rest"])])


def size_table(cases: list[str]) -> None:
    """Print how often a modality is called significant."""
    kinds: list[Callable[[np.random.Generator], Cohort]] = [
        independent, useless_given_rest, function_of_rest, bent_function_of_rest, good_function_of_rest,
        noisy_good_function, copy, groups, groups_of_one_target, adds_a_little, adds_beside_shared,
    ]  # fmt: skip
    print(f"{'rejected at .05':<24} {'drawn given rest':>17} {'target permuted':>16} {'total':>6}  observed, bits")
    for kind in kinds:
        if cases and kind.__name__ not in cases:
            continue
        found = np.empty((COHORTS, 4))
        for k in range(COHORTS):
            blocks, y, group = kind(np.random.default_rng(k))
            null = permutation_null(blocks, y, RidgeEncoder(), permutations=99, folds=5, seed=k, groups=group)
            added = null.added["tested"]
            found[k] = p_value(added), by_permutation(blocks, y, k, group), p_value(null.total), added[0]
        rates = np.mean(found[:, :3] <= 0.05, axis=0)
        print(f"{kind.__name__.replace('_', ' '):<24} {rates[0]:>17.3f} {rates[1]:>16.3f} {rates[2]:>6.2f}  "
              f"{found[:, 3].mean():.4f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    size_table(sys.argv[2:])
