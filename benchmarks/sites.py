"""What may be done about sites: features harmonised inside the fold in several ways, ranked, and sites weighted alike.

Run ``python benchmarks/sites.py [fcon1000 | abide_dev | openneuro_transfer | null]``; it prints Markdown tables. Five
random folds and each site left out, on one block of features; readers are ridge and the normative model. Differences
are to features as they are, of the same people in the same folds, with 95% intervals over people and sites. ``null``:
what is told where features are noise, or tell the site alone, in all and within sites. Absent sets are skipped.

A policy is an entry of `POLICIES`, a reader one of `READERS`.
"""

# ruff: noqa: E402 - the threads are set before numpy loads its BLAS
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from brainpid.config.harmonise import Harmonise
from brainpid.crossfit.folds import stratified_folds
from brainpid.crossfit.ridge import RIDGE_PENALTIES, ridge
from brainpid.crossfit.transforms import NormalScores, RankedStandardizer, Standardizer
from brainpid.evaluation.control_models import within_site_r2
from brainpid.evaluation.transfer import mean_with_interval
from brainpid.model.fitting import fit_model
from brainpid.model.harmonised import harmonise
from brainpid.model.pidreg.normative import NormativeModel

Array = NDArray[np.float64]
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
BLOCKS = {
    "fcon1000": ("t1",),
    "abide_dev": ("t1",),
    "openneuro_transfer": ("thickness", "volume", "area"),
}
FOLDS, INNER = 5, 5
BLOCK = "x"


@dataclass(frozen=True)
class Policy:
    """What is done to features before a reader sees them; `balanced` weighs people so that sites count alike."""

    harmonise: Harmonise
    ranked: bool = False
    balanced: bool = False


def _combat(method: str, preserve: str, unseen: str = "none") -> Harmonise:
    return Harmonise.model_validate({"method": method, "preserve": preserve, "unseen": unseen})


AS_THEY_ARE = "as they are"
POLICIES = {
    AS_THEY_ARE: Policy(Harmonise()),
    "ranked": Policy(Harmonise(), ranked=True),
    "sites weighted alike": Policy(Harmonise(), balanced=True),
    "location, age preserved": Policy(_combat("location", "age")),
    "location, age preserved, then ranked": Policy(_combat("location", "age"), ranked=True),
    "location, age preserved; new sites by their own": Policy(_combat("location", "age", "own")),
    "location": Policy(_combat("location", "none")),
    "location; new sites by their own": Policy(_combat("location", "none", "own")),
    "location and scale, age preserved": Policy(_combat("location_scale", "age")),
    "location and scale, age preserved; new sites by their own": Policy(_combat("location_scale", "age", "own")),
    "location and scale": Policy(_combat("location_scale", "none")),
    "location and scale; new sites by their own": Policy(_combat("location_scale", "none", "own")),
}


def by_ridge(x: Array, y: Array, new: Array, weights: Array | None) -> Array:
    """Ridge on standardised features, its penalty by generalised cross-validation, weighted if so."""
    target = NormalScores.fit(y)
    scores = target.transform(y)
    if weights is None:
        return target.inverse_transform(ridge(x, scores[None], new)[0])
    root, centre, mean = np.sqrt(weights), weights @ x / weights.sum(), weights @ scores / weights.sum()
    u, s, vt = np.linalg.svd((x - centre) * root[:, None], full_matrices=False)
    told, n = u.T @ ((scores - mean) * root), len(y)
    errors = []
    for penalty in RIDGE_PENALTIES * (s**2).mean():
        kept = s**2 / (s**2 + penalty)
        rest = weights @ (scores - mean) ** 2 - np.sum((2 * kept - kept**2) * told**2)
        errors.append((rest / max(n - 1 - kept.sum(), 1.0) ** 2, penalty))
    penalty = min(errors)[1]
    return target.inverse_transform(mean + (new - centre) @ (vt.T @ (s / (s**2 + penalty) * told)))


def by_normative(x: Array, y: Array, new: Array, weights: Array | None) -> Array:
    """The normative model of PIDReg with its own inner folds; it takes no weights."""
    fold = stratified_folds(y, INNER, np.random.default_rng(0))
    target = NormalScores.fit(y)
    return target.inverse_transform(NormativeModel.fit({BLOCK: x}, y, target, fold)[0].predict({BLOCK: new}))


READERS: dict[str, Callable[[Array, Array, Array, Array | None], Array]] = {
    "ridge": by_ridge,
    "normative": by_normative,
}


def read_set(name: str) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Features and people (site, sex, age) of a set of real tables; None where it is absent."""
    folder = DATA / name
    if not folder.is_dir():
        return None
    read = {"sep": "\t", "na_values": ["n/a"]}
    people = pd.read_csv(folder / "participants.tsv", dtype={"site": str}, **read)
    sex = people["sex"] if "sex" in people else people.get("sex_code", pd.Series(None, index=people.index))
    parts = [
        pd.read_csv(folder / f"{block}.tsv", **read).set_index("participant_id").loc[people["participant_id"]]
        for block in BLOCKS[name]
    ]
    features = pd.concat(parts, axis=1).reset_index(drop=True).astype(float)
    known = people["age"].notna()
    about = people.assign(sex=sex.map(str, na_action="ignore"))[["site", "sex", "age"]]
    return features[known].reset_index(drop=True), about[known].reset_index(drop=True)


def folds_of(people: pd.DataFrame) -> Iterator[tuple[str, list[Array]]]:
    """Test sets of random folds, and of sites left out."""
    fold = stratified_folds(people["age"].to_numpy(), FOLDS, np.random.default_rng(0))
    yield "random folds", [fold == k for k in range(FOLDS)]
    yield "sites left out", [(people["site"] == site).to_numpy() for site in people["site"].unique()]


def predictions(features: pd.DataFrame, people: pd.DataFrame, test: Array, policy: Policy) -> dict[str, Array]:
    """Predictions of the tested people by each reader."""
    training, age = ~test, people["age"].to_numpy()
    changed, _ = harmonise(policy.harmonise, {BLOCK: features}, people, training)
    x = changed[BLOCK].to_numpy()
    scaler = (RankedStandardizer if policy.ranked else Standardizer).fit(x[training])
    own, new = scaler.transform(x[training]), scaler.transform(x[test])
    weights = None
    if policy.balanced:
        sites = people["site"][training]
        weights = (1 / sites.map(sites.value_counts())).to_numpy()
        weights = weights * (len(weights) / weights.sum())
    return {
        name: read(own, age[training], new, weights)
        for name, read in READERS.items()
        if not policy.balanced or name == "ridge"
    }


def policies_table(name: str) -> None:
    """Print error and R2 within sites of every policy by every reader."""
    found = read_set(name)
    if found is None:
        print(f"{name}: skipped, {DATA / name} is absent")
        return
    features, people = found
    age, site = people["age"].to_numpy(), pd.factorize(people["site"])[0]
    print(f"\n{name}: {len(people)} people, {site.max() + 1} sites, {features.shape[1]} features\n")
    cells: dict[tuple[str, str], list[str]] = {}
    for _, tests in folds_of(people):
        first: dict[str, Array] = {}
        for label, policy in POLICIES.items():
            predicted = {reader: np.full(len(age), np.nan) for reader in READERS}
            for test in tests:
                for reader, told in predictions(features, people, test, policy).items():
                    predicted[reader][test] = told
            for reader, own in predicted.items():
                if np.isnan(own).any():
                    cells.setdefault((label, reader), []).extend(["", "", ""])
                    continue
                error = np.abs(own - age)
                first.setdefault(reader, error)
                change, low, high = mean_with_interval(error - first[reader], site, 0.95)
                told = "" if label == AS_THEY_ARE else f"{change:+.2f} [{low:+.2f}, {high:+.2f}]"
                within = within_site_r2(age, own, site)
                cells.setdefault((label, reader), []).extend([f"{error.mean():.2f}", told, f"{within:.3f}"])
    print("| features | reader | random folds: MAE | change | R2 within sites | sites left out: MAE | change | R2 |")
    print("|---|---|---|---|---|---|---|---|")
    for (label, reader), row in cells.items():
        if any(row):
            print(f"| {label} | {reader} | {' | '.join(row)} |", flush=True)


def null_table(seeds: int = 20, n: int = 300, sites: int = 6, p: int = 30) -> None:
    """Print what ridge reads in two modalities that tell nothing of age, or the site alone: mean and standard error."""
    logging.disable(logging.CRITICAL)
    print("| ages of sites | features | harmonised | bits | R2 within sites |\n|---|---|---|---|---|")
    for apart, effect in ((0.0, 1.0), (3.0, 0.0), (3.0, 1.0)):
        for label in (AS_THEY_ARE, "location, age preserved", "location and scale, age preserved", "location"):
            found = [_null(seed, POLICIES[label].harmonise, apart, effect, n, sites, p) for seed in range(seeds)]
            bits, within = np.transpose(found)
            words = ["alike", f"{apart:g} years apart"][apart > 0], ["noise", "noise and site"][effect > 0]
            print(
                f"| {words[0]} | {words[1]} | {label} | {bits.mean():+.4f} +- {bits.std(ddof=1) / seeds**0.5:.4f} | "
                f"{within.mean():+.4f} |",
                flush=True,
            )


def _null(
    seed: int, settings: Harmonise, apart: float, effect: float, n: int, sites: int, p: int
) -> tuple[float, float]:
    """Bits and R2 within sites of one draw."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, sites, n)
    age = 45 + apart * (code - sites / 2) + rng.normal(0, 5, n) if apart else rng.uniform(20, 70, n)
    X = {m: pd.DataFrame(rng.normal(size=(n, p)) + effect * rng.normal(size=(sites, p))[code]) for m in ("t1", "dwi")}
    people = pd.DataFrame({"site": np.array([f"s{k}" for k in code], dtype=object), "sex": None, "age": age})
    fold, bits, predicted = stratified_folds(age, FOLDS, rng), np.empty(n), np.empty(n)
    for k in range(FOLDS):
        test = fold == k
        tables, _ = harmonise(settings, X, people, ~test)
        blocks = {m: table.to_numpy() for m, table in tables.items()}
        options = {"target_transform": "none"}
        model = fit_model("ridge", options, {m: x[~test] for m, x in blocks.items()}, age[~test], None, seed).model
        read = model.read({m: x[test] for m, x in blocks.items()})
        bits[test] = model.log_scores(read, age[test], age[~test])["t1", "dwi"]
        predicted[test] = model.predict(read)
    return float(bits.mean()), within_site_r2(age, predicted, code)


def main() -> None:
    """Print the tables."""
    for name in sys.argv[1:] or [*BLOCKS, "null"]:
        null_table() if name == "null" else policies_table(name)


if __name__ == "__main__":
    main()
