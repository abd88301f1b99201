"""Time of a decomposition at 64 + 64 latent dimensions, beside iterative solvers for the same quantity.

Run ``python benchmarks/pid.py``; it prints a table. One thread, float64, median over repetitions.

The reference is the Gaussian ~-PID from its definition (Venkatesh et al. 2023): whiten the channels to ``X = h_x M +
N_x`` and ``Y = h_y M + N_y`` with unit noise, leave the noise within each source as it is and choose the coupling
``S = cov(N_x, N_y)``, ``||S||_2 <= 1``, that tells least about M:

    union = min_S 1/2 log2(1 + h' [[I, S], [S', I]]^-1 h),    h = (h_x, h_y).

Three solvers that do not know that for a scalar M the minimum is ``max(I_x, I_y)``:

- *plain*: projected gradient from the definition. Full joint noise covariance, projection onto the cone of covariances
  by its eigenvalues, a fixed step: the longest of 0.02, 0.05, 0.1 and 0.2 over the total signal-to-noise ratio that
  converged in each of 180 random cases.
- *line search*: projected gradient on S from zero, steps by backtracking, projection by clipping singular values. About
  as fast as an iterative solver gets here, and accurate: it is the check of the closed form.
- *resilient*: the scheme that is published with the measure (github.com/praveenv253/gpid) and that PIDReg runs on every
  batch: signed gradient, one adaptive rate for each entry of S, projection onto the cone of covariances, 1e-7 of
  regularisation, stop after 20 iterations within 1e-6 bits. It is the time to beat.
"""

# ruff: noqa: E402 - the threads are set before numpy loads its BLAS
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import platform
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from brainpid.crossfit.null import permutation_null
from brainpid.crossfit.ridge import RidgeEncoder
from brainpid.pid import decompose, decompose_covariance

Array = NDArray[np.float64]
LARGEST_COUPLING = 1 - 1e-9


def whitened_gains(cov: Array, width: int) -> tuple[Array, Array]:
    """Gains of both channels for a target of unit variance, after whitening their noise."""
    gains = []
    for own in (slice(1, 1 + width), slice(1 + width, None)):
        gain = cov[own, 0] / np.sqrt(cov[0, 0])
        factor = np.linalg.cholesky(cov[own, own] - np.outer(gain, gain))
        gains.append(np.linalg.solve(factor, gain))
    return gains[0], gains[1]


def power_and_gradient(coupling: Array, h_x: Array, h_y: Array, ridge: float = 0.0) -> tuple[float, Array]:
    """Return ``h' Sigma^-1 h`` and its gradient ``-2 w_x w_y'`` with ``w = Sigma^-1 h``."""
    schur = (1 + ridge) * np.eye(len(h_y)) - coupling.T @ coupling
    w_y = np.linalg.solve(schur, h_y - coupling.T @ h_x)
    w_x = h_x - coupling @ w_y
    return float(h_x @ w_x + h_y @ w_y), -2 * np.outer(w_x, w_y)


def bits(power: float) -> float:
    """Information of a scalar Gaussian channel with this signal-to-noise ratio."""
    return 0.5 * float(np.log2(1 + power))


def clipped(coupling: Array) -> Array:
    """Nearest coupling with spectral norm at most 1."""
    u, s, v = np.linalg.svd(coupling, full_matrices=False)
    return (u * np.minimum(s, LARGEST_COUPLING)) @ v


def line_search_union(cov: Array, width: int, tolerance: float = 1e-9, most: int = 20_000) -> tuple[float, int]:
    """Union information in bits and the number of iterations, by projected gradient with backtracking."""
    h_x, h_y = whitened_gains(cov, width)
    coupling = np.zeros((len(h_x), len(h_y)))
    power, gradient = power_and_gradient(coupling, h_x, h_y)
    step, quiet, iteration = 1.0, 0, 0
    # Three small gains in a row: one alone may follow a step that was cut too short.
    while quiet < 3 and iteration < most:
        iteration += 1
        while True:
            trial = clipped(coupling - step * gradient)
            moved = trial - coupling
            trial_power, trial_gradient = power_and_gradient(trial, h_x, h_y)
            bound = power + np.sum(gradient * moved) + np.sum(moved**2) / (2 * step)
            if trial_power <= bound + 1e-15 * abs(power):
                break
            step /= 2
        quiet = quiet + 1 if bits(power) - bits(trial_power) < tolerance else 0
        coupling, power, gradient = trial, trial_power, trial_gradient
        step *= 1.5
    return bits(power), iteration


def onto_cone(coupling: Array) -> Array:
    """Drop the negative eigenvalues of the joint noise covariance and bring its blocks back to the identity."""
    k = len(coupling)
    joint = np.block([[np.eye(k), coupling], [coupling.T, np.eye(coupling.shape[1])]])
    values, vectors = np.linalg.eigh(joint)
    if values[0] > 0:
        return coupling
    joint = (vectors * np.maximum(values, 0)) @ vectors.T

    def inverse_root(block: Array) -> Array:
        values, vectors = np.linalg.eigh(block)
        return (vectors / np.sqrt(np.maximum(values, 1e-12))) @ vectors.T

    return inverse_root(joint[:k, :k]) @ joint[:k, k:] @ inverse_root(joint[k:, k:]) * LARGEST_COUPLING


def plain_union(cov: Array, width: int, tolerance: float = 1e-9, most: int = 20_000) -> tuple[float, int]:
    """Union information in bits and the number of iterations, by projected gradient with a fixed step."""
    h_x, h_y = whitened_gains(cov, width)
    h = np.append(h_x, h_y)
    step = 0.05 / (h @ h)
    coupling = np.zeros((width, width))
    previous, quiet = np.inf, 0
    iteration = 0
    while quiet < 3 and iteration < most:
        iteration += 1
        joint = np.block([[np.eye(width), coupling], [coupling.T, np.eye(width)]])
        w = np.linalg.solve(joint, h)
        union = bits(float(h @ w))
        quiet = quiet + 1 if abs(previous - union) < tolerance else 0
        previous = union
        coupling = onto_cone(coupling + 2 * step * np.outer(w[:width], w[width:]))
    return union, iteration


def resilient_union(cov: Array, width: int, most: int = 10_000) -> tuple[float, int]:
    """Union information in bits and the number of iterations, by resilient signed gradient steps."""
    h_x, h_y = whitened_gains(cov, width)
    coupling = onto_cone(np.outer(h_x, h_y) / (h_y @ h_y))
    rate, decay, sign = np.full(coupling.shape, 1e-3), 1.0, np.zeros(coupling.shape)
    seen: list[float] = []
    while len(seen) < most:
        power, gradient = power_and_gradient(coupling, h_x, h_y, ridge=1e-7)
        union = bits(power)
        if len(seen) >= 20 and np.abs(np.array(seen[-20:]) - union).max() < 1e-6:
            break
        seen.append(union)
        decay *= 0.999
        rate *= 0.9 ** (-sign * np.sign(gradient))
        sign = np.sign(gradient)
        coupling = onto_cone(coupling - decay * rate * sign)
    return min(seen), len(seen)


def random_covariance(width: int, rng: np.random.Generator) -> Array:
    """Joint covariance of a target and two correlated sources of random strength."""
    columns = 2 * width
    factor = rng.standard_normal((columns, 3 * columns)) / np.sqrt(3 * columns)
    inner = factor @ factor.T
    gain = np.repeat(rng.uniform(0.2, 1.5, 2), width) * rng.standard_normal(columns) / np.sqrt(width)
    along = inner @ gain
    return np.block([[np.atleast_2d(gain @ along + 1), along[None]], [along[:, None], inner]])


def milliseconds(repetitions: int, call: Callable[..., object], *arguments: object) -> float:
    """Median wall time of a call."""
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        call(*arguments)
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times))


SOLVERS = ((plain_union, 3), (line_search_union, 5), (resilient_union, 1))


def permutations_table() -> None:
    """Print the time of the permutation null with refitting."""
    rng = np.random.default_rng(0)
    n = 3000
    print("\n1000 permutations with refitting: ridge, 5 folds, 3 modalities, 3000 people")
    for width in (10, 50, 150):
        age = rng.standard_normal(n)
        blocks = {m: rng.standard_normal((n, width)) + 0.1 * age[:, None] for m in ("t1", "dwi", "fmri")}
        start = time.perf_counter()
        permutation_null(blocks, age, RidgeEncoder(), permutations=1000, folds=5, seed=0)
        print(f"{width:>5} features each {time.perf_counter() - start:8.2f} s")


def main() -> None:
    """Print agreement and time of the closed form and of the solvers, and the time of the null."""
    print(f"one thread; {platform.machine()}, python {platform.python_version()}, numpy {np.__version__}\n")
    titles = ["decompose_covariance".ljust(23), "plain".ljust(30), "line search".ljust(30), "resilient"]
    print(f"{'':19}|", " | ".join(titles))
    print(f"{'dims':>8} {'bits':>9} | {'mmi ms':>10} {'idep ms':>10}   |", end="")
    print(*[f" {'ms':>7} {'off, bits':>10} {'x slower':>10}" for _ in SOLVERS], sep="  |")
    rng = np.random.default_rng(0)
    for width, cases in ((2, 3), (16, 3), (64, 6)):
        for _ in range(cases):
            cov, dims = random_covariance(width, rng), {"a": width, "b": width}
            information = decompose_covariance(cov, dims).information
            union = max(information[frozenset("a")], information[frozenset("b")])
            mmi = milliseconds(200, decompose_covariance, cov, dims, "mmi")
            idep = milliseconds(200, decompose_covariance, cov, dims, "idep")
            line = f"{width:>3} + {width:<2} {union:>9.5f} | {mmi:>10.3f} {idep:>10.3f}   |"
            for solver, repetitions in SOLVERS:
                found, _ = solver(cov, width)
                slow = milliseconds(repetitions, solver, cov, width)
                line += f" {slow:>7.1f} {found - union:>10.1e} {slow / mmi:>10.0f}  |"
            print(line.rstrip("|"))
    print("\ndecompose: 3 modalities of 8 dimensions, 1000 people, with intervals")
    target = rng.standard_normal(1000)
    sources = {m: rng.standard_normal((1000, 8)) + target[:, None] / 8 for m in ("t1", "dwi", "fmri")}
    for measure in ("mmi", "idep"):
        print(f"{measure:>5} {milliseconds(50, decompose, sources, target, measure):8.2f} ms")
    permutations_table()


if __name__ == "__main__":
    main()
