"""What each piece of PIDReg is worth: one option changed at a time, on real people and the same folds.

Uses the folds of ``tests/configs/camcan_dev.yaml``; prints a Markdown table. Differences are paired over people,
negative where the change is better than the default. Skips where the data is absent.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from brainpid.config.schema import load_config
from brainpid.evaluation.metrics import accuracy, paired_difference
from brainpid.features.matrix import read_chosen, read_matrix
from brainpid.model import PIDReg

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "tests/configs/camcan_dev.yaml"
REPEATS = 2
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "another seed": {"random_state": 10_000},
    "a third seed": {"random_state": 20_000},
    "no base learners beside the network": {"experts": ()},
    "the Gaussian process alone beside it": {"experts": ("kernel",)},
    "the normative model alone beside it": {"experts": ("normative",)},
    "equal fusion weights": {"fusion": "equal"},
    "learned latent noise": {"signal": 0.9},
    "target as it is": {"target_transform": "none"},
    "Gaussianity penalty": {"alpha_cs": 0.1},
    "joint Gaussianity penalty": {"alpha_joint": 0.1},
    "conditional independence, Gaussian": {"alpha_ci": 0.1},
    "piecewise-linear encoding": {"bins": 8},
    "5 members": {"members": 5},
    "20 members": {"members": 20},
}


def main() -> None:
    """Print the table."""
    config = load_config(CONFIG)
    if not (ROOT / next(iter(config.cohorts.values())).participants_path).is_file():
        print("skipped: the data of tests/configs/camcan_dev.yaml is absent")
        return
    torch.set_num_threads(1)
    output = ROOT / config.output_dir
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", str(CONFIG), "--quiet", "all"]
    subprocess.run([*command, "--until", "split"], cwd=ROOT, check=True)
    splits = pd.read_csv(output / "splits.tsv", sep="\t")
    people = pd.read_csv(output / "participants.tsv", sep="\t", na_values="n/a").query("included")
    X = read_matrix([output / "features/camcan.h5"], people, read_chosen(output / "features.tsv", config.modalities))
    complete = ~np.any([np.isnan(block).all(axis=1) for block in X.values()], axis=0)
    age = people["age"].to_numpy(dtype=float)
    print("| change | MAE | RMSE | MAE minus the default's, 95% interval | CPU s a fit |\n|---|---|---|---|---|")
    reference = None
    for name, options in VARIANTS.items():
        start = time.process_time()
        predicted = np.full((REPEATS, len(age)), np.nan)
        for (repeat, fold), rows in splits[splits["repeat"] < REPEATS].groupby(["repeat", "fold"]):
            role = people.merge(rows, on=["cohort", "participant_id"], how="left")["role"].to_numpy()
            training, test = role == "train", role == "test"
            seed = options.get("random_state", 0) + int(100 * repeat + fold)
            model = PIDReg(**options | {"random_state": seed})
            model.fit({m: block[training] for m, block in X.items()}, age[training])
            predicted[repeat, test] = model.predict({m: block[test] for m, block in X.items()})
        cost = (time.process_time() - start) / (REPEATS * config.splits.folds)
        found = predicted[:, complete]
        reference = found if reference is None else reference
        reached, pair = accuracy(found, age[complete]), paired_difference(found, reference, age[complete])
        print(
            f"| {name} | {reached.mae:.2f} | {reached.rmse:.2f} | {pair.difference:+.2f} [{pair.ci_low:+.2f}, "
            f"{pair.ci_high:+.2f}] | {cost:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
