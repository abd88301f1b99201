"""Size and power of the null, its time, and coverage of intervals with the estimated inflation of standard errors.

Run ``python benchmarks/null.py [size | time | coverage]...``; it prints tables, all where none is named. One thread,
200 cohorts a cell.

*Size and power.* Two modalities of n = 200 people. `rest` always tells the target. What is tested is what the other one
adds beyond it, at .05, with 99 draws, by conditional randomisation and, beside it, by permuting the target: cohorts in
which it adds nothing (size) and in which it adds a little (power).

*Coverage.* Two modalities of p features each; ridge readers in 5 folds that are stratified by the target. Covered is
the mean of the estimates of all cohorts of a cell: the information in readers that are trained on so many people.
`needed` is the standard deviation of the estimates over the root mean square of their plain standard errors.
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
from brainpid.crossfit.folds import random_folds, stratified_folds
from brainpid.crossfit.inflation import inflation
from brainpid.crossfit.latents import cross_fit
from brainpid.crossfit.null import informations, p_value, permutation_null
from brainpid.crossfit.ridge import RidgeEncoder
from brainpid.crossfit.transforms import normal_scores
from brainpid.pid import OUT_OF_FOLD_SE_FACTOR, decompose

COHORTS = 200
Cohort = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray | None]


def rest_of(y: np.ndarray, rng: np.random.Generator, p: int = 20, gain: float = 0.3) -> np.ndarray:
    """Features with noise in common, each with a little of the target."""
    common = rng.normal(size=(len(y), 3)) @ rng.normal(size=(3, p))
    return gain * y[:, None] * rng.normal(size=p) + 0.5 * common + rng.normal(size=(len(y), p))


def independent(rng: np.random.Generator) -> Cohort:
    """Features of noise."""
    y = rng.normal(size=200)
    return {"tested": rng.normal(size=(200, 20)), "rest": rest_of(y, rng)}, y, None


def useless_given_rest(rng: np.random.Generator) -> Cohort:
    """Linear in the rest, with noise."""
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": rest @ rng.normal(size=(20, 20)) / 4 + rng.normal(size=(200, 20)), "rest": rest}, y, None


def function_of_rest(rng: np.random.Generator) -> Cohort:
    """Linear in the rest."""
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": rest @ rng.normal(size=(20, 10)), "rest": rest}, y, None


def bent_function_of_rest(rng: np.random.Generator) -> Cohort:
    """A function of the rest that no line follows."""
    y = rng.normal(size=200)
    rest = rest_of(y, rng)
    return {"tested": np.tanh(rest @ rng.normal(size=(20, 10)) / 4), "rest": rest}, y, None


def good_function_of_rest(rng: np.random.Generator) -> Cohort:
    """The one direction that tells: a better reader of it than all the rest together can be."""
    y = rng.normal(size=200)
    rest = 0.15 * y[:, None] + rng.normal(size=(200, 60))
    return {"tested": rest.mean(axis=1, keepdims=True), "rest": rest}, y, None


def noisy_good_function(rng: np.random.Generator) -> Cohort:
    """The one direction that tells, with a little noise of its own."""
    y = rng.normal(size=200)
    rest = 0.15 * y[:, None] + rng.normal(size=(200, 60))
    tested = rest.mean(axis=1, keepdims=True) + 0.2 * rng.normal(size=(200, 5))
    return {"tested": tested, "rest": rest}, y, None


def copy(rng: np.random.Generator) -> Cohort:
    """The rest itself."""
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
    """One to three rows a person, of one target."""
    person = np.repeat(np.arange(100), rng.integers(1, 4, 100))
    y = rng.normal(size=100)[person]
    own = rng.normal(size=(100, 20))[person] + 0.2 * rng.normal(size=(len(y), 20))
    return {"tested": own, "rest": rest_of(y, rng)}, y, person


def adds_a_little(rng: np.random.Generator) -> Cohort:
    """It has some of the target that the rest has not."""
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
    bits = informations(normal_scores(targets), {name: latent[..., 0] for name, latent in latents.items()})
    return p_value(bits[frozenset(blocks)] - bits[frozenset(["rest"])])


KINDS: list[Callable[[np.random.Generator], Cohort]] = [
    independent, useless_given_rest, function_of_rest, bent_function_of_rest, good_function_of_rest,
    noisy_good_function, copy, groups, groups_of_one_target, adds_a_little, adds_beside_shared,
]  # fmt: skip


def size_table() -> None:
    """Print how often a modality is called significant."""
    print(f"{'rejected at .05':<24} {'drawn given rest':>17} {'target permuted':>16} {'total':>6}  observed, bits")
    for kind in KINDS:
        found = np.empty((COHORTS, 4))
        for k in range(COHORTS):
            blocks, y, group = kind(np.random.default_rng(k))
            null = permutation_null(blocks, y, RidgeEncoder(), permutations=99, folds=5, seed=k, groups=group)
            added = null.added["tested"]
            found[k] = p_value(added), by_permutation(blocks, y, k, group), p_value(null.total), added[0]
        rates = np.mean(found[:, :3] <= 0.05, axis=0)
        print(
            f"{kind.__name__.replace('_', ' '):<24} {rates[0]:>17.3f} {rates[1]:>16.3f} {rates[2]:>6.2f}  "
            f"{found[:, 3].mean():.4f}",
            flush=True,
        )


def time_table() -> None:
    """Print what 1,000 draws and an estimate of the inflation take at 3,000 people."""
    print(f"\n{'3000 people, 5 folds':<24} {'null, CPU s':>12} {'inflation, CPU s':>17}")
    rng = np.random.default_rng(0)
    for width in (10, 50, 100, 300):
        y = rng.normal(size=3000)
        blocks = {m: rng.normal(size=(3000, width)) + 0.1 * y[:, None] for m in ("t1", "dwi")}
        start = time.process_time()
        permutation_null(blocks, y, RidgeEncoder(), permutations=1000, folds=5, seed=0)
        between = time.process_time()
        inflation(blocks, y, folds=5, seed=0)
        print(f"2 x {width:<20} {between - start:>12.1f} {time.process_time() - between:>17.1f}", flush=True)


def coverage_table() -> None:
    """Print coverage of 95% intervals of total and added."""
    head = f"{'n':>5} {'p/n':>5} {'gain':>5} {'total':>6} {'needed':>7} {'estimated (sd)':>15}"
    print(f"\n{head}   covers total, added: plain; {OUT_OF_FOLD_SE_FACTOR}; estimated")
    for n, part, gain in ((300, 0.05, 0.5), (300, 0.3, 0.5), (300, 0.3, 0.2), (300, 1.0, 0.5), (300, 1.0, 0.2),
                          (1000, 0.05, 0.3), (1000, 0.3, 0.3)):  # fmt: skip
        p = round(part * n)
        signs = {m: np.random.default_rng((p, ord(m))).choice([-1, 1], p) for m in "ab"}
        bits, se, factor = np.empty((COHORTS, 2)), np.empty((COHORTS, 2)), np.empty(COHORTS)
        for k in range(COHORTS):
            rng = np.random.default_rng((k, n, p))
            y = rng.normal(size=n)
            blocks = {
                m: gain / 3 * (y + 0.7 * rng.normal(size=n))[:, None] * sign + rng.normal(size=(n, p))
                for m, sign in signs.items()
            }
            fold = stratified_folds(y, 5, np.random.default_rng(k))
            latents = {m: z[0] for m, z in cross_fit(blocks, y[None], fold, RidgeEncoder(), 0).items()}
            found = decompose(latents, normal_scores(y))
            rows = [found.atom("all", "a+b", "total"), found.atom("one_vs_rest", "a", "added")]
            bits[k], se[k] = [row.bits for row in rows], [row.se for row in rows]
            factor[k] = inflation(blocks, y, folds=5, seed=k)
        off = np.abs(bits - bits.mean(axis=0)) / se
        needed = np.sqrt((bits.var(axis=0, ddof=1) / np.mean(se**2, axis=0)).mean())
        covers = [
            (off <= 1.96 * np.broadcast_to(widened, COHORTS)[:, None]).mean(axis=0)
            for widened in (1.0, OUT_OF_FOLD_SE_FACTOR, factor)
        ]
        told = "; ".join(f"{total:.3f} {added:.3f}" for total, added in covers)
        print(f"{n:>5} {part:>5} {gain:>5} {bits[:, 0].mean():>6.2f} {needed:>7.2f} "
              f"{factor.mean():>8.2f} ({factor.std():.2f})   {told}", flush=True)  # fmt: skip


TABLES = {"size": size_table, "time": time_table, "coverage": coverage_table}

if __name__ == "__main__":
    for chosen in sys.argv[1:] or TABLES:
        TABLES[chosen]()
