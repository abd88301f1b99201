"""Coverage and bias of the atoms' intervals at known truths, and of pooled informations.

Run ``python benchmarks/coverage_atoms.py``; it prints tables. A cohort is drawn from a jointly normal population, so
that every information is known: ``x_m = gain_m y + noise``, noise that is correlated between modalities. Its atoms are
read by two routes: log scores of the true conditional densities (`decompose_predictions`), and the normal route from
the latents themselves (`decompose`). Equal gains are a kink of mmi, and independent noise is one of idep. The table has
the lowest and the highest coverage of any atom; an atom that sits at its boundary, 0 wherever the estimate may lie,
stands apart.
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
from brainpid.evaluation.random_effects import OWN, pool, pool_information
from brainpid.pid import Decomposition, decompose, decompose_covariance, decompose_information, decompose_predictions

Array = NDArray[np.float64]
COHORTS = 200
MEASURES: tuple[Measure, ...] = ("mmi", "idep")
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
    print(f"{COHORTS} cohorts each; coverage of 95% intervals; atoms at their boundary apart\n")
    print("| truth | n | route | measure | lowest | of | highest | boundary | redundant bias | largest | NaN, empty |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for title, (gains, correlation) in CASES.items():
        cov, names = population(gains, correlation), ("a", "b", "c")[: len(gains)]
        for n in (300, 1000):
            draws = np.random.default_rng(n).multivariate_normal(np.zeros(len(cov)), cov, (COHORTS, n))
            for route in ("log scores", "latents"):
                for measure in MEASURES:
                    exact = decompose_covariance(cov, dict.fromkeys(names, 1), measure)
                    found = [decomposed(route, draw, cov, names, measure) for draw in draws]
                    cells = report(found, np.array([row.bits for row in exact.rows]))
                    print(f"| {title} | {n} | {route} | {measure} | {cells} |", flush=True)


def report(found: list[Decomposition], truth: Array) -> str:
    """Cells of the table of atoms."""
    numbers = np.array([[(row.bits, row.ci_low, row.ci_high) for row in one.rows] for one in found])
    bits, low, high = numbers[..., 0], numbers[..., 1], numbers[..., 2]
    covered = ((low - 1e-9 <= truth) & (truth <= high + 1e-9)).mean(axis=0)
    # An atom that is 0 wherever the estimate may lie has no coverage to speak of.
    boundary = (np.abs(bits) < 1e-3).mean(axis=0) > 0.9
    inner = np.where(boundary, np.nan, covered)
    rows, bias = found[0].rows, bits.mean(axis=0) - truth
    least = rows[int(np.nanargmin(inner))]
    redundant = next((k for k, row in enumerate(rows) if row.atom == "redundant"), 0)
    edge = f"{covered[boundary].min():.3f}" if boundary.any() else ""
    return (
        f"{np.nanmin(inner):.3f} | {least.scope} {least.modalities} {least.atom} | {np.nanmax(inner):.3f} | {edge} | "
        f"{bias[redundant]:.4f} | {bias[np.abs(bias).argmax()]:.4f} | {int(np.sum(~(high > low)))}"
    )


def cohorts(rng: np.random.Generator, k: int, tau: float, cov: Array, own: bool) -> tuple[Array, Array, Array]:
    """Estimated informations of k cohorts of 150 to 600 people, their covariances and sizes."""
    names = ("a", "b", "c")[: len(cov) - 1]
    n = rng.integers(150, 600, k)
    samples = [rng.multivariate_normal(np.zeros(len(cov)), cov, people) for people in n]
    scores = [np.column_stack(list(log_scores(sample, cov, names).values())) for sample in samples]
    bits = np.array([one.mean(axis=0) for one in scores]) + tau * rng.standard_normal((k, 1))
    bits += OWN * tau * own * rng.standard_normal(bits.shape)
    return bits, np.array([np.cov(one, rowvar=False) / len(one) for one in scores]), n


def pooling_table() -> None:
    """Coverage and width of pooled informations and atoms."""
    cov = population((0.7, 0.7), 0.3)
    exact = decompose_covariance(cov, {"a": 1, "b": 1})
    truth = np.array(list(exact.information.values()))
    atoms = np.array([row.bits for row in exact.rows])
    print(
        f"\nPooling {COHORTS} times: two equal modalities, 150 to 600 people a cohort, half-normal prior of 0.15 bits\n"
    )
    print(
        "| k | tau | of each, too | total alone | width | total jointly | width | lowest atom | of | redundant bias |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for k in (2, 3, 6, 20):
        for tau, own in ((0.0, False), (0.05, False), (0.05, True), (0.15, False), (0.15, True)):
            rng = np.random.default_rng(k)
            alone, jointly = [], []
            for _ in range(COHORTS):
                y, covariances, n = cohorts(rng, k, tau, cov, own)
                one = pool(y[:, -1], np.sqrt(covariances[:, -1, -1]), n, 0.15)
                alone.append((one.ci_low <= truth[-1] <= one.ci_high, one.ci_high - one.ci_low))
                pooled = pool_information(y, covariances, n, 0.15)
                rows = decompose_information(pooled.bits, pooled.covariance, ("a", "b"), pooled.n).rows
                jointly.append([(row.bits, row.ci_low, row.ci_high) for row in rows])
            bits, low, high = np.moveaxis(np.array(jointly), -1, 0)
            covered = ((low - 1e-9 <= atoms) & (atoms <= high + 1e-9)).mean(axis=0)
            least, cover, width = rows[int(covered.argmin())], *np.mean(alone, axis=0)
            redundant = next(i for i, row in enumerate(rows) if row.atom == "redundant")
            print(
                f"| {k} | {tau} | {OWN * tau * own:.3f} | {cover:.3f} | {width:.3f} | {covered[0]:.3f} | "
                f"{np.mean(high - low, axis=0)[0]:.3f} | {covered.min():.3f} | {least.scope} {least.modalities} "
                f"{least.atom} | {bits.mean(axis=0)[redundant] - atoms[redundant]:.4f} |",
                flush=True,
            )


def main() -> None:
    """Print both tables."""
    atoms_table()
    pooling_table()


if __name__ == "__main__":
    main()
