"""A few local people: bias, error and coverage at sites left out, and whether what is promised of a new site is kept.

Usage: ``calibrate.py ridge`` or ``calibrate.py pidreg``. Sites of fcon1000 (thickness and volumes) and of
openneuro_transfer (and area) are left out one by one; and a model of all of fcon1000 goes to the six other sites, where
the people of the adaptation half are known and those of the test half are predicted, with what left-out sites of
fcon1000 tell of how much sites differ. The promise for a site is made of all other sites, as if it were not there.
Skips where the data is absent.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from brainpid.evaluation import local_promise
from brainpid.evaluation.local_promise import (
    arrays_of,
    coverage_of_new_site,
    error_of_new_site,
    people_of_sites,
    table_of_sites,
)
from brainpid.model.fitting import fit_model
from brainpid.model.local_people import NOBODY, correct, sums_of
from brainpid.model.site_spread import learn_spread

DATA = Path(__file__).resolve().parents[2] / "shared/data"
COVERAGE, CONFIDENCE = 0.9, 0.95
TOLD = (0, 5, 10, 20)
HALVES = 20
"""Draws of the people of an adaptation half."""
Tables = dict[str, pd.DataFrame]


def main() -> None:
    """Print the tables of one model."""
    model = sys.argv[1]
    if not DATA.is_dir():
        print(f"calibrate {model}: skipped, {DATA} is absent")
        return
    local_promise.DRAWS = 10
    fcon, fcon_tables = fcon1000()
    other, other_tables = openneuro()
    left_out = sites_left_out(model, fcon, fcon_tables)
    print(
        "| sites left out | known people | sites | MAE | uncorrected | site off on average | uncorrected | 90% "
        "intervals cover | error, coverage within the promise |\n|---|---|---|---|---|---|---|---|---|"
    )
    print_sites(f"fcon1000, {model}", left_out)
    print_sites(f"openneuro_transfer, {model}", sites_left_out(model, other, other_tables))
    print_halves(
        f"fcon1000 to openneuro_transfer, {model}", model, left_out, (fcon, fcon_tables), (other, other_tables)
    )


def fcon1000() -> tuple[pd.DataFrame, Tables]:
    """People and features of fcon1000."""
    people = pd.read_csv(DATA / "fcon1000/participants.tsv", sep="\t")
    features = in_order(DATA / "fcon1000/t1.tsv", people)
    return people, of_kinds(features)


def openneuro() -> tuple[pd.DataFrame, Tables]:
    """People and features of openneuro_transfer."""
    folder = DATA / "openneuro_transfer"
    people = pd.read_csv(folder / "participants.tsv", sep="\t")
    return people, {name: in_order(folder / f"{name}.tsv", people) for name in ("thickness", "volume", "area")}


def in_order(path: Path, people: pd.DataFrame) -> pd.DataFrame:
    """Features of a table in the order of the people."""
    return pd.read_csv(path, sep="\t").set_index("participant_id").loc[people["participant_id"]].reset_index(drop=True)


def of_kinds(features: pd.DataFrame) -> Tables:
    """Thickness, and volumes."""
    thick = [name for name in features if name.endswith("_thickness")]
    return {"thickness": features[thick], "volume": features.drop(columns=thick)}


def predicted(
    model: str, tables: Tables, people: pd.DataFrame, new: Tables, who: pd.DataFrame, seed: int
) -> pd.DataFrame:
    """Predictions of people by a model of others."""
    sites = people["site"].to_numpy(dtype=object)
    fitted = fit_model(model, {}, tables, people["age"].to_numpy(float), None, seed, sites).model
    features = {name: own.reset_index(drop=True) for name, own in new.items()}
    read = fitted.read(features, who["site"].to_numpy(dtype=object))
    low, high = fitted.predict_interval(read, COVERAGE).T
    told = who[["participant_id", "site", "age"]].reset_index(drop=True)
    return told.assign(cohort="all", predicted_age=fitted.predict(read), pi_low=low, pi_high=high)


def sites_left_out(model: str, people: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Predictions of every site by a model of all others."""
    parts = []
    for seed, site in enumerate(dict.fromkeys(people["site"])):
        own = (people["site"] == site).to_numpy()
        train, test = ({name: table[rows] for name, table in tables.items()} for rows in (~own, own))
        parts.append(predicted(model, train, people[~own], test, people[own], seed))
    return pd.concat(parts, ignore_index=True)


def print_sites(name: str, predictions: pd.DataFrame) -> None:
    """Rows of one set of sites: means over sites, and how many keep what the others promise."""
    raw, y, site = arrays_of(people_of_sites(predictions))
    found = table_of_sites(raw, y, site, COVERAGE)
    kept = {k: [] for k in TOLD}
    for one in np.unique(site):
        others = np.flatnonzero(site != one)
        promise = table_of_sites(raw.of(others), y[others], site[others], COVERAGE)
        for k in TOLD:
            own, rest = found[(found["site"] == one) & (found["people"] == k)], promise[promise["people"] == k]
            if own.empty or len(rest) < 3:
                continue
            error, covered = float(own["mae"].iloc[0]), float(own["coverage"].iloc[0])
            ends = error_of_new_site(rest["mae"].to_numpy(float), CONFIDENCE)
            parts = coverage_of_new_site(rest["coverage"].to_numpy(float), CONFIDENCE)
            kept[k].append((ends[0] <= error <= ends[1], parts[0] <= covered <= parts[1]))
    for k, inside in kept.items():
        row = found[found["people"] == k].mean(numeric_only=True)
        errors, covers = (sum(part) for part in zip(*inside, strict=True))
        print(
            f"| {name} | {k} | {len(inside)} | {row['mae']:.2f} | {row['mae_none']:.2f} | {row['site_bias']:.2f} | "
            f"{row['site_bias_none']:.2f} | {100 * row['coverage']:.0f}% | {errors}, {covers} of {len(inside)} |",
            flush=True,
        )


def print_halves(
    name: str, model: str, left_out: pd.DataFrame, source: tuple[pd.DataFrame, Tables], to: tuple[pd.DataFrame, Tables]
) -> None:
    """Rows of the six other sites: a model of fcon1000, adaptation halves known, test halves predicted."""
    people, tables = (to[0], {kind: renamed(to[1][kind]) for kind in ("thickness", "volume")})
    features = {kind: renamed(table) for kind, table in source[1].items()}
    both = {kind: [column for column in features[kind] if column in tables[kind]] for kind in features}
    told = predicted(
        model, {kind: features[kind][names] for kind, names in both.items()}, source[0],
        {kind: tables[kind][names] for kind, names in both.items()}, people, 0,
    ).assign(half=people["half"])  # fmt: skip
    raw, y, site = arrays_of(people_of_sites(left_out))
    spread = learn_spread(raw, y, site, COVERAGE, 0)
    records = []
    for _, own in told.groupby("site"):
        raw, y, _ = arrays_of(own)
        known, test = (np.flatnonzero(own["half"] == half) for half in ("adapt", "test"))
        for k in (0, 5, 10, len(known)):
            for draw in range(HALVES):
                chosen = np.random.default_rng(draw).permutation(known)[:k]
                sums = sums_of(raw.of(chosen), y[chosen], spread) if k else NOBODY
                new = correct(spread, sums, raw.of(test), COVERAGE)
                off, before = new.predicted - y[test], raw.predicted[test] - y[test]
                covered = ((new.low <= y[test]) & (y[test] <= new.high)).mean()
                values = (np.abs(off).mean(), np.abs(before).mean(), abs(off.mean()), abs(before.mean()), covered)
                records.append((own["site"].iloc[0], k if k < len(known) else 99, *values))
    table = pd.DataFrame(records, columns=["site", "k", "mae", "mae_none", "off", "off_none", "coverage"])
    for k, row in table.groupby(["site", "k"]).mean().groupby("k").mean().iterrows():
        people_known = "16 to 23" if k == 99 else k
        print(
            f"| {name} | {people_known} | 6 | {row['mae']:.2f} | {row['mae_none']:.2f} | {row['off']:.2f} | "
            f"{row['off_none']:.2f} | {100 * row['coverage']:.0f}% | |"
        )


def renamed(table: pd.DataFrame) -> pd.DataFrame:
    """Features under the names that both sets have."""
    names = {"EstimatedTotalIntraCranialVol": "eTIV"}
    names |= {f"{side}-Thalamus-Proper": f"{side}-Thalamus" for side in ("Left", "Right")}
    return table.rename(columns=names).rename(columns=lambda name: name.replace("&", "_and_"))


if __name__ == "__main__":
    main()
