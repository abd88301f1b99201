"""Sites left out one by one: predictions and intervals as of a known site, and as of one that training has not seen.

Prints a Markdown table for the models and data sets named as arguments (``ridge pidreg`` on all sets without any); with
``--keep=FILE`` the people besides. Chance: how many of the sites of 20 people and more have a coverage below .75 in 95%
of simulated studies whose intervals are right, with sites of these sizes and the between-site part of the variance that
the signed errors of this set have. Skips sets that are absent.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from brainpid.core.arrays import FloatArray
from brainpid.crossfit.site_folds import person_weights
from brainpid.evaluation.predictions import patterns
from brainpid.model.age_bias import AgeBiases
from brainpid.model.registry import MODELS

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = ("fcon1000", "abide_dev", "openneuro_transfer")
COVERAGE, FEWEST, LOW = 0.9, 20, 0.75


def read_set(name: str) -> tuple[dict[str, pd.DataFrame], FloatArray, NDArray[np.object_]]:
    """Tables by modality, ages and sites of one set."""

    def table(stem: str) -> pd.DataFrame:
        return pd.read_csv(DATA / name / f"{stem}.tsv", sep="\t", na_values="n/a", keep_default_na=False)

    people = table("participants").set_index("participant_id")
    stems = [path.stem for path in sorted((DATA / name).glob("*.tsv")) if path.stem not in ("participants", "motion")]
    tables = {stem: table(stem).set_index("participant_id").loc[people.index].reset_index(drop=True) for stem in stems}
    if len(tables) == 1:
        ((_, whole),) = tables.items()
        thick = [column for column in whole if "thick" in column.lower()]
        tables = {"thickness": whole[thick], "volume": whole.drop(columns=thick)}
    return tables, people["age"].to_numpy(dtype=float), people["site"].astype(str).to_numpy(dtype=object)


def left_out(name: str, model: str) -> Iterator[dict[str, object]]:
    """One record a person and way of reading; CPU seconds of the fit beside."""
    X, y, sites = read_set(name)
    for site in np.unique(sites.astype(str)):
        test = sites == site
        start = time.process_time()
        fitted = MODELS[model].load_class()(random_state=0)
        fitted.fit({m: x[~test] for m, x in X.items()}, y[~test], sites=sites[~test])
        cost = time.process_time() - start
        own = y[test]
        lines = AgeBiases.fit(fitted.out_of_fold_subsets_, fitted.left_out_subsets_, y[~test])
        present = patterns({m: x[test].to_numpy(dtype=float) for m, x in X.items()})
        for way, given in (("known", None), ("new", sites[test])):
            read = fitted.read({m: x[test] for m, x in X.items()}, given)
            ends = fitted.predict_interval(read, COVERAGE)
            bits = fitted.log_scores(read, own, y)[fitted.modalities_]  # as a study of one cohort tells them
            predicted = fitted.predict(read)
            corrected = lines.correct(predicted, present, ["yes" if way == "known" else "no"] * len(own))
            rows = zip(own, predicted, corrected, *ends.T, bits, strict=True)
            for age, told, straight, low, high, bit in rows:
                yield {
                    "site": site, "way": way, "age": age, "predicted": told, "corrected": straight, "low": low,
                    "high": high, "bits": bit, "cost": cost,
                }  # fmt: skip


def slope(pad: pd.Series, age: pd.Series) -> float:
    """Slope of brain-PAD (n,) on age (n,)."""
    centred = age - age.mean()
    return float((centred * pad).sum() / (centred**2).sum())


def between_part(error: FloatArray, site: NDArray[np.int64]) -> float:
    """Part of the variance of errors (n,) that is between sites, by analysis of variance."""
    counts = np.bincount(site)
    n, s = len(error), len(counts)
    means = np.bincount(site, weights=error) / counts
    within = float(((error - means[site]) ** 2).sum()) / (n - s)
    between = float((counts * (means - error.mean()) ** 2).sum()) / (s - 1)
    found = max((between - within) / ((n - (counts**2).sum() / n) / (s - 1)), 0.0)
    return found / (found + within)


def chance(site: NDArray[np.int64], part: float, studies: int = 500, seed: int = 0) -> tuple[float, int]:
    """Mean, and 95% quantile, of the number of sites with a coverage below `LOW` where nothing is wrong.

    Errors of people are normal, `part` of their variance between sites; each site's interval is the quantile of the
    others' errors, weighted as the models weight them.
    """
    rng, counts = np.random.default_rng(seed), np.bincount(site)
    low = np.zeros(studies)
    for study in range(studies):
        error = rng.normal(size=len(counts))[site] * np.sqrt(part) + rng.normal(size=len(site)) * np.sqrt(1 - part)
        for s in np.flatnonzero(counts >= FEWEST):
            rest = np.abs(error[site != s])
            weights, order = person_weights(site[site != s]), np.argsort(rest)
            reached = np.cumsum(weights[order]) / weights.sum()
            limit = rest[order][np.searchsorted(reached, COVERAGE)]
            low[study] += np.mean(np.abs(error[site == s]) <= limit) < LOW
    return float(low.mean()), int(np.quantile(low, 0.95))


def print_rows(name: str, model: str) -> None:
    """Print both ways of one model and set."""
    people = pd.DataFrame(left_out(name, model))
    if out := [argument for argument in sys.argv if argument.startswith("--keep=")]:
        people.to_csv(f"{out[0][7:]}_{name}_{model}.tsv", sep="\t", index=False)
    for way, own in people.groupby("way", sort=False):
        error, pad = own["predicted"] - own["age"], own["corrected"] - own["age"]

        def within(values: pd.Series, site: pd.Series = own["site"]) -> pd.Series:
            return values - values.groupby(site).transform("mean")

        covered = own["age"].between(own["low"], own["high"])
        site = pd.factorize(own["site"])[0]
        half = (own["high"] - own["low"]).to_numpy() / 2
        part = between_part(error.to_numpy() / half * norm.ppf((1 + COVERAGE) / 2), site)
        by_site = covered.groupby(own["site"]).agg(["mean", "size"]).query("size >= @FEWEST")["mean"]
        mean, most = chance(site, part)
        print(
            f"| {name} | {MODELS[model].label} | {way} | {error.abs().mean():.2f} | {covered.mean():.3f} | "
            f"{2 * half.mean():.1f} | {by_site.min():.2f} | {(by_site < LOW).sum()} of {len(by_site)} | "
            f"{mean:.1f}, {most} | {own['bits'].mean():.2f} | {slope(pad, own['age']):+.3f} | "
            f"{slope(within(pad), within(own['age'])):+.3f} | {pad.abs().mean():.2f} | "
            f"{own.groupby('site')['cost'].first().mean():.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    named = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    models = [argument for argument in named if argument in MODELS] or ["ridge", "pidreg"]
    print(
        "| set | model | site read as | MAE (years) | coverage | width | worst site | sites below .75 | by chance: "
        "mean, 95% | bits | slope of corrected PAD on age | the same within sites | MAE, corrected | CPU s a fit |\n"
        f"|{'---|' * 14}"
    )
    for name in [argument for argument in named if argument in SETS] or SETS:
        if not (DATA / name).is_dir():
            print(f"{name}: skipped, {DATA / name} is absent")
            continue
        for model in models:
            print_rows(name, model)
