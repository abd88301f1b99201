"""Coverage and bias of the atoms' intervals at known truths, and of pooled informations.

Run ``python benchmarks/coverage_atoms.py``; it prints tables. A cohort is drawn from a jointly normal population, so
that every information is known: ``x_m = gain_m y + noise``, noise that is correlated between modalities. Its atoms are
read by two routes: log scores of the true conditional densities (`decompose_predictions`), and the normal route from
the latents themselves (`decompose`). Equal gains are a kink of mmi, and independent noise is one of idep. ``CASE n``
has the lowest and the highest coverage of any atom with its name; an atom that sits at its boundary is covered whenever
its interval holds 0, and stands apart.
"""

# ruff: noqa: E402 - the threads are set before numpy loads its BLAS
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from brainpid.core.modalities import subsets_of
from brainpid.core.names import Measure
from brainpid.evaluation.random_effects import pool, pool_information
from brainpid.pid import Decomposition, decompose, decompose_covariance, decompose_information, decompose_predictions

Array = NDArray[np.float64]
COHORTS = 200
CASES: dict[str, tuple[tuple[float, ...], float]] = {
    "unequal": ((0.9, 0.5), 0.3),
    "equal": ((0.7, 0.7), 0.3),
    "equal, independent noise": ((0.7, 0.7), 0.0),
    "nearly equal": ((0.7, 0.63), 0.3),
    "three, two equal": ((0.7, 0.7, 0.4), 0.2),
    "three, all equal": ((0.6, 0.6, 0.6), 0.2),
    "three, one useless": ((0.8, 0.5, 0.0), 0.2),
}


def population(gains: Iterable[float], correlation: float) -> Array:
    """Covariance of the target and one latent a modality."""
    gain = np.array(tuple(gains))
    noise = correlation + (1 - correlation) * np.eye(len(gain))
    return np.block([[np.ones((1, 1)), gain[None]], [gain[:, None], np.outer(gain, gain) + noise]])


def log_scores(draw: Array, cov: Array, names: tuple[str, ...]) -> dict[str, Array]:
    """Log scores in bits of the true conditional densities."""
    y, found = draw[:, 0], {}
    for subset in subsets_of(names):
        own = [1 + names.index(name) for name in subset]
        slope = np.linalg.solve(cov[np.ix_(own, own)], cov[own, 0])
        left = 1 - cov[0, own] @ slope
        found["+".join(subset)] = 0.5 * (-np.log2(left) + (y**2 - (y - draw[:, own] @ slope) ** 2 / left) / np.log(2))
    return found


def decomposed(route: str, draw: Array, cov: Array, names: tuple[str, ...], measure: Measure) -> Decomposition:
    """One cohort's decomposition by one of the two routes."""
    if route == "log scores":
        return decompose_predictions(log_scores(draw, cov, names), measure=measure)
    return decompose({name: draw[:, 1 + k] for k, name in enumerate(names)}, draw[:, 0], measure)


def atoms_table() -> None:
    """Coverage of every atom, at kinks too, and the bias of the redundant one."""
    titles = ("lowest", "of", "highest", "boundary", "redundant bias", "largest bias", "NaN or empty")
    print(
        f"{'':26}{'n':>5} {'route':>11} {'':>5}"
        + "".join(f"{title:>27}" if title == "of" else f"{title:>15}" for title in titles)
    )
    for title, (gains, correlation) in CASES.items():
        cov, names = population(gains, correlation), ("a", "b", "c")[: len(gains)]
        for n in (300, 1000):
            for route in ("log scores", "latents"):
                for measure in ("mmi", "idep"):
                    rng = np.random.default_rng(n)
                    truth = np.array(
                        [row.bits for row in decompose_covariance(cov, dict.fromkeys(names, 1), measure).rows]
                    )
                    draws = rng.multivariate_normal(np.zeros(len(cov)), cov, (COHORTS, n))
                    found = [decomposed(route, draw, cov, names, measure) for draw in draws]
                    report(title, n, route, measure, found, truth)


def report(title: str, n: int, route: str, measure: str, found: list[Decomposition], truth: Array) -> None:
    """Print a line of the table of atoms."""
    cells = np.array([[(row.bits, row.ci_low, row.ci_high) for row in one.rows] for one in found])
    bits, low, high = cells[..., 0], cells[..., 1], cells[..., 2]
    covered = ((low - 1e-9 <= truth) & (truth <= high + 1e-9)).mean(axis=0)
    # An atom that is 0 wherever the estimate may lie has no coverage to speak of.
    boundary = (np.abs(bits) < 1e-3).mean(axis=0) > 0.9
    inner = np.where(boundary, np.nan, covered)
    rows, bias = found[0].rows, bits.mean(axis=0) - truth
    least = rows[int(np.nanargmin(inner))]
    redundant = next((k for k, row in enumerate(rows) if row.atom == "redundant"), 0)
    empty = int(np.sum(~(high > low)))
    edge = f"{covered[boundary].min():.3f}" if boundary.any() else "-"
    print(
        f"{title:26}{n:>5} {route:>11} {measure:>5}{np.nanmin(inner):>15.3f}"
        f"{' '.join((least.scope, least.modalities, least.atom)):>27}{np.nanmax(inner):>15.3f}{edge:>15}"
        f"{bias[redundant]:>15.4f}{bias[np.abs(bias).argmax()]:>15.4f}{empty:>15}",
        flush=True,
    )


def cohorts(rng: np.random.Generator, k: int, tau: float, cov: Array, common: bool) -> tuple[Array, Array, Array]:
    """Estimated informations of k cohorts of 150 to 600 people, their covariances and sizes."""
    names = ("a", "b", "c")[: len(cov) - 1]
    n = rng.integers(150, 600, k)
    found = [
        decompose_predictions(log_scores(rng.multivariate_normal(np.zeros(len(cov)), cov, m), cov, names)) for m in n
    ]
    bits = np.array([list(one.information.values()) for one in found])
    shift = tau * rng.standard_normal((k, 1) if common else bits.shape)
    return bits + shift, np.array([one.covariance for one in found]), n


def pooling_table(draws: int = 200) -> None:
    """Coverage and width of pooled informations and atoms, for heterogeneity in common and of each information alone."""
    cov = population((0.7, 0.7), 0.3)
    exact = decompose_covariance(cov, {"a": 1, "b": 1})
    truth = np.array(list(exact.information.values()))
    atoms = np.array([row.bits for row in exact.rows])
    print("\nPooling, two equal modalities, log scores, 150 to 600 people a cohort, half-normal prior of 0.15 bits")
    print(
        f"{'k':>3} {'tau':>5} {'':>9}{'total covers':>14}{'width':>8}{'jointly':>9}{'lowest atom':>32}{'redundant bias':>16}"
    )
    for k in (2, 3, 6, 20):
        for tau in (0.0, 0.05, 0.15):
            for common in (True, False) if tau else (True,):
                rng = np.random.default_rng(k)
                total, joint, bits = [], [], []
                for _ in range(draws if k < 20 else draws // 2):
                    y, covariances, n = cohorts(rng, k, tau, cov, common)
                    one = pool(y[:, -1], np.sqrt(covariances[:, -1, -1]), n, 0.15)
                    total.append((one.ci_low <= truth[-1] <= one.ci_high, one.ci_high - one.ci_low))
                    pooled = pool_information(y, covariances, n, 0.15)
                    rows = decompose_information(pooled.bits, pooled.covariance, ("a", "b"), pooled.n).rows
                    joint.append(
                        [
                            row.ci_low - 1e-9 <= value <= row.ci_high + 1e-9
                            for row, value in zip(rows, atoms, strict=True)
                        ]
                    )
                    bits.append([row.bits for row in rows])
                covered = np.mean(joint, axis=0)
                least = rows[int(covered.argmin())]
                place = next(i for i, row in enumerate(rows) if row.atom == "redundant")
                print(
                    f"{k:>3} {tau:>5} {'common' if common else 'each':>9}{np.mean([hit for hit, _ in total]):>14.3f}"
                    f"{np.mean([width for _, width in total]):>8.3f}{covered[0]:>9.3f}"
                    f"{covered.min():>8.3f} {' '.join((least.scope, least.modalities, least.atom)):>23}"
                    f"{np.mean(bits, axis=0)[place] - atoms[place]:>16.4f}",
                    flush=True,
                )


def main() -> None:
    """Print both tables."""
    atoms_table()
    pooling_table()


if __name__ == "__main__":
    main()
