"""Log scores of simulated people whose information is known, read by ridge or by a model.

Run ``python benchmarks/log_score.py [seeds] [model]``; it prints Markdown tables. Five outer folds, features of a
modality standardised by nature. Without a model every reader is ridge on the columns of its subset in five inner folds,
with normal scores of the training ages as target; with one, such as pidreg, its log scores of held-out people are read.
Bits, means over seeds with their standard deviation.
"""

# ruff: noqa: E402 - the threads are set before numpy loads its BLAS
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import sys
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from brainpid.core.modalities import Subset, subsets_of
from brainpid.crossfit.densities import PredictiveDensities
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.ridge import ridge
from brainpid.crossfit.transforms import NormalScores, normal_scores
from brainpid.model.registry import MODELS
from brainpid.pid import OUT_OF_FOLD_SE_FACTOR, decompose, decompose_predictions

Array = NDArray[np.float64]
Reading = Callable[[Mapping[str, Array], Array, np.random.Generator], tuple[dict[Subset, Array], dict[Subset, Array]]]
FOLDS = 5


def _read(x: Array, y: Array, new: Array) -> Array:
    target = NormalScores.fit(y)
    return target.inverse_transform(ridge(x, target.transform(y)[None], new)[0])


def by_model(name: str) -> Reading:
    """Read by a model of the registry with its defaults."""

    def read(
        blocks: Mapping[str, Array], y: Array, rng: np.random.Generator
    ) -> tuple[dict[Subset, Array], dict[Subset, Array]]:
        scores, predicted = ({a: np.empty(len(y)) for a in subsets_of(tuple(blocks))} for _ in range(2))
        outer = stratified_folds(y, FOLDS, rng)
        for k in range(FOLDS):
            test = outer == k
            model = MODELS[name].load_class()(random_state=int(rng.integers(2**31)))
            model.fit({m: x[~test] for m, x in blocks.items()}, y[~test])
            people = model.read({m: x[test] for m, x in blocks.items()})
            for found, told in (
                (scores, model.log_scores(people, y[test])), (predicted, model.subset_predictions(people)),
            ):  # fmt: skip
                for a, values in told.items():
                    found[a][test] = values
        return scores, predicted

    return read


def by_ridge(
    blocks: Mapping[str, Array], y: Array, rng: np.random.Generator
) -> tuple[dict[Subset, Array], dict[Subset, Array]]:
    """Log scores in bits, and predictions in years, of everybody out of fold from every subset."""
    subsets = subsets_of(tuple(blocks))
    columns = {a: np.column_stack([blocks[m] for m in a]) for a in subsets}
    scores, predicted = ({a: np.empty(len(y)) for a in subsets} for _ in range(2))
    outer = stratified_folds(y, FOLDS, rng)
    for k in range(FOLDS):
        training, test = np.flatnonzero(outer != k), np.flatnonzero(outer == k)
        inner = stratified_folds(y[training], FOLDS, rng)
        held_out = {a: np.empty(len(training)) for a in subsets}
        for j in range(FOLDS):
            fit, out = training[inner != j], inner == j
            for a, x in columns.items():
                held_out[a][out] = _read(x[fit], y[fit], x[training[out]])
        for a, x in columns.items():
            predicted[a][test] = _read(x[training], y[training], x[test])
        densities = PredictiveDensities.fit(held_out, y[training], inner)
        found = densities.log_scores({a: predicted[a][test] for a in subsets}, y[test])
        for a in subsets:
            scores[a][test] = found[a]
    return scores, predicted


def normal(rng: np.random.Generator, n: int) -> Array:
    """Ages of a normal distribution."""
    return 50 + 15 * rng.standard_normal(n)


def tail(rng: np.random.Generator, n: int) -> Array:
    """Nine in ten from 18 to 30 years, and the others up to 85."""
    return np.where(rng.random(n) < 0.9, rng.uniform(18, 30, n), rng.uniform(30, 85, n))


def bimodal(rng: np.random.Generator, n: int) -> Array:
    """Half around 25 and half around 70 years."""
    return np.where(rng.random(n) < 0.5, rng.normal(25, 4, n), rng.normal(70, 6, n))


def skewed(rng: np.random.Generator, n: int) -> Array:
    """Many young people and ever fewer older ones."""
    return 18 + rng.gamma(1.5, 12.0, n)


AGES: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "normal": normal, "tail": tail, "bimodal": bimodal, "skewed": skewed,
}  # fmt: skip


def channel_bits(ages: Array, noise: float) -> float:
    """Information between standardised ages and themselves plus normal noise, by integration over a large sample."""
    a = np.sort((ages - ages.mean()) / ages.std())
    x = np.linspace(a[0] - 6 * noise, a[-1] + 6 * noise, 2000)
    density = np.mean(np.exp(-(((x[:, None] - a) / noise) ** 2) / 2), axis=1) / np.sqrt(2 * np.pi * noise**2)
    entropy = -np.trapezoid(density * np.log2(np.maximum(density, 1e-300)), x)
    return float(entropy - 0.5 * np.log2(2 * np.pi * np.e * noise**2))


def realised_bits(x: Array, a: Array, ages: Array, noise: float) -> float:
    """Mean of the true log score of these people, whose channel says x of their standardised ages a."""
    everybody = (ages - ages.mean()) / ages.std()
    own = np.exp(-(((x - a) / noise) ** 2) / 2)
    mean = np.exp(-(((x[:, None] - everybody) / noise) ** 2) / 2).mean(axis=1)
    return float(np.log2(own / mean).mean())


def noise_table(seeds: int, read: Reading) -> None:
    """Print what is read from features that tell nothing."""
    print("| noise, 10 features a modality | n | total | sd | least | most |\n|---|---|---|---|---|---|")
    for modalities in (2, 3):
        for whole in (False, True):
            for n in (150, 300, 1000):
                totals = []
                for seed in range(seeds):
                    rng = np.random.default_rng([seed, n, modalities, whole])
                    y = np.round(normal(rng, n)) if whole else normal(rng, n)
                    blocks = {f"m{m}": rng.standard_normal((n, 10)) for m in range(modalities)}
                    totals.append(list(read(blocks, y, rng)[0].values())[-1].mean())
                name = f"{modalities} modalities{', whole years' if whole else ''}"
                print(
                    f"| {name} | {n} | {np.mean(totals):+.4f} | {np.std(totals):.4f} | {min(totals):+.4f} | "
                    f"{max(totals):+.4f} |",
                    flush=True,
                )


def gaussian_table(seeds: int, read: Reading, n: int = 600) -> None:
    """Print log scores beside Gaussian scores and the truth where all is linear and normal."""
    print(f"\n| linear Gaussian, n = {n} | truth | log score | Gaussian score | difference | largest |")
    print("|---|---|---|---|---|---|")
    for strength in (0.3, 0.8):
        found: dict[str, list[tuple[float, float]]] = {"t1": [], "dwi": [], "t1+dwi": []}
        for seed in range(seeds):
            rng = np.random.default_rng([seed, 7])
            y = normal(rng, n)
            a = (y - 50) / 15
            blocks = {m: rng.standard_normal((n, 10)) for m in ("t1", "dwi")}
            for block in blocks.values():
                block[:, 0] += strength * a
            scores, predicted = read(blocks, y, rng)
            g = normal_scores(y)
            latents = {m: normal_scores(predicted[(m,)])[:, None] for m in blocks}
            information = decompose(latents, g).information
            for subset, values in scores.items():
                found["+".join(subset)].append((values.mean(), information[frozenset(subset)]))
        for name, pairs in found.items():
            truth = 0.5 * np.log2(1 + strength**2 * (1 + name.count("+")))
            log, gaussian = np.transpose(pairs)
            print(
                f"| {name}, loading {strength} | {truth:.3f} | {log.mean():.3f} | {gaussian.mean():.3f} | "
                f"{(log - gaussian).mean():+.3f} | {np.abs(log - gaussian).max():.3f} |",
                flush=True,
            )


def ages_table(seeds: int, read: Reading, n: int = 600) -> None:
    """Print log scores beside the truth where ages are not normal."""
    print(
        f"\n| ages, n = {n} | noise | truth | log score minus truth | sd of a seed | "
        "minus the true score of the same people | Gaussian score minus truth |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, draw in AGES.items():
        sample = draw(np.random.default_rng(0), 4000)
        for noise in (1.0, 0.5):
            truth = channel_bits(sample, noise / np.sqrt(2))
            found = []
            for seed in range(seeds):
                rng = np.random.default_rng([seed, 11])
                y = draw(rng, n)
                a = (y - sample.mean()) / sample.std()
                blocks = {m: a[:, None] + noise * rng.standard_normal((n, 1)) for m in ("t1", "dwi")}
                scores, predicted = read(blocks, y, rng)
                latents = {m: predicted[(m,)][:, None] for m in blocks}
                gaussian = decompose(latents, normal_scores(y)).information[frozenset(blocks)]
                own = realised_bits((blocks["t1"] + blocks["dwi"])[:, 0] / 2, a, sample, noise / np.sqrt(2))
                reached = scores["t1", "dwi"].mean()
                found.append((reached - truth, reached - own, gaussian - truth))
            log, paired, gauss = np.transpose(found)
            print(
                f"| {name} | {noise} | {truth:.3f} | {log.mean():+.3f} | {log.std():.3f} | {paired.mean():+.3f} | "
                f"{gauss.mean():+.3f} |",
                flush=True,
            )


def joint_table(seeds: int, read: Reading, n: int = 300) -> None:
    """Print what a modality adds that tells nothing of age by itself in a straight line: the cosine of it."""
    print("| added to t1 by cos(1.2 age), n = 300 | bits | least lower end | most lower end | above 0 |")
    print("|---|---|---|---|---|")
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng([seed, 13])
        a = rng.standard_normal(n)
        blocks = {m: 0.3 * rng.standard_normal((n, 10)) for m in ("t1", "dwi")}
        blocks["t1"] += 0.5 * a[:, None] + 0.5 * rng.standard_normal((n, 1))
        blocks["dwi"] += np.cos(1.2 * a)[:, None]
        found = decompose_predictions(read(blocks, 50 + 15 * a, rng)[0], se_factor=OUT_OF_FOLD_SE_FACTOR)
        rows.append(found.atom("one_vs_rest", "dwi", "added"))
    low = np.array([row.ci_low for row in rows])
    print(
        f"| {seeds} seeds | {np.mean([row.bits for row in rows]):.3f} | {low.min():+.3f} | {low.max():+.3f} | "
        f"{(low > 0).sum()} of {seeds} |\n",
        flush=True,
    )


def main() -> None:
    """Print the tables."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    read = by_model(sys.argv[2]) if len(sys.argv) > 2 else by_ridge
    joint_table(seeds, read)
    noise_table(seeds, read)
    gaussian_table(seeds, read)
    ages_table(seeds, read)


if __name__ == "__main__":
    main()
