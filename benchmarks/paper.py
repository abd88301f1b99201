"""What the terms of the published PIDReg are worth: the recipe ``paper``, and it without one of them at a time.

What predicts a training person out of fold has not seen that person's inner fold, one of ten: the out-of-fold
predictions of one fit are a ten-fold cross-validation, with the same folds in all rows of a seed (ranks of the target
and scales of the features are common to them). Tables are those of ``tests/configs/camcan_dev.yaml``, two seeds, and of
1,500 rows of ``tests/configs/superconductivity.yaml``, one seed. Prints a Markdown table with standard errors over
people of errors and of paired differences; skips where the data is absent. CPU seconds are those of a fit, which has
eleven networks in it.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from brainpid.config.schema import load_config
from brainpid.core.arrays import FloatArray
from brainpid.evaluation.metrics import accuracy, paired_difference
from brainpid.model import PIDReg

ROOT = Path(__file__).resolve().parents[1]
MOST = 1500
SEEDS = {"camcan_dev": 2, "superconductivity": 1}
NO_PENALTY = {"alpha_cs": 0.0, "alpha_joint": 0.0, "alpha_ci": 0.0}
VARIANTS: dict[str, dict[str, Any]] = {
    "default PIDReg": {},
    "recipe `paper`": {"recipe": "paper"},
    "without the marginal Gaussianity penalty": {"recipe": "paper", "alpha_cs": 0.0},
    "without the joint Gaussianity penalty": {"recipe": "paper", "alpha_joint": 0.0},
    "without the conditional-independence penalty": {"recipe": "paper", "alpha_ci": 0.0},
    "its Gaussian form instead": {"recipe": "paper", "conditional": "gaussian"},
    "without the noisy bottleneck": {"recipe": "paper", "signal": 1.0},
    "equal fusion weights": {"recipe": "paper", "fusion": "equal"},
    "fusion weights of ridge predictions": {"recipe": "paper", "fusion": "pid"},
    "none of these": {"recipe": "paper", "signal": 1.0, "fusion": "equal"} | NO_PENALTY,
    "published schedule": {"recipe": "paper", "batch_size": 256, "epochs": 200, "learning_rate": 1e-3},
}


def main() -> None:
    """Print the table of a configuration of ``tests/configs``, by name."""
    name = sys.argv[1] if len(sys.argv) > 1 else "camcan_dev"
    torch.set_num_threads(1)
    if (read := people_of(name)) is None:
        print(f"skipped: the data of tests/configs/{name}.yaml is absent")
        return
    X, target, groups = read
    complete = ~np.any([np.isnan(block).all(axis=1) for block in X.values()], axis=0)
    print("| model | MAE +- se | minus the default's +- se | minus the recipe's +- se | fusion weights | CPU s a fit |")
    print("|---|---|---|---|---|---|")
    seen: list[FloatArray] = []
    for label, options in VARIANTS.items():
        start, predicted, weights = time.process_time(), [], []
        for seed in range(SEEDS[name]):
            model = PIDReg(**options, random_state=seed).fit(X, target, groups)
            predicted.append(model.out_of_fold_prediction_[complete])
            weights.append([*model.fusion_weights_.values(), model.synergy_weight_])
        cost = (time.process_time() - start) / SEEDS[name]
        seen.append(np.stack(predicted))
        reached = accuracy(seen[-1], target[complete])
        pairs = [paired_difference(seen[-1], other, target[complete]) for other in seen[:2]]
        cells = [f"{pair.difference:+.2f} +- {pair.se:.2f}" for pair in pairs[: len(seen) - 1]]
        shares = " / ".join(f"{share:.2f}" for share in np.mean(weights, axis=0))
        cells += [""] * (2 - len(cells))
        print(
            f"| {label} | {reached.mae:.2f} +- {reached.mae_se:.2f} | {' | '.join(cells)} | {shares} | {cost:.1f} |",
            flush=True,
        )


def people_of(name: str) -> tuple[dict[str, FloatArray], FloatArray, FloatArray | None] | None:
    """Features by modality (n, p_m), target (n,) and groups (n,) of the first cohort; None where files are absent."""
    config = load_config(ROOT / "tests/configs" / f"{name}.yaml")
    cohort = next(iter(config.cohorts.values()))
    if not (ROOT / cohort.participants_path).is_file():
        return None
    people = _table(ROOT / cohort.participants_path)
    tables = {}
    for modality, source in cohort.sources.items():
        table = _table(ROOT / source.path)
        tables[modality] = (
            table.div(people[source.divide_by].reindex(table.index), axis=0) if source.divide_by else table
        )
    group = config.splits.group
    some = people.index[people.index.isin(set().union(*(table.index for table in tables.values())))]
    if len(some) > MOST:
        drawn = np.random.default_rng(0).permutation(len(some))[:MOST]
        some = some[np.sort(drawn)]
    X = {modality: table.reindex(some).to_numpy(dtype=float) for modality, table in tables.items()}
    labels = None if group is None else pd.factorize(people.loc[some, group])[0].astype(float)
    return X, people.loc[some, config.target.column].to_numpy(dtype=float), labels


def _table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", na_values="n/a").set_index("participant_id")


if __name__ == "__main__":
    main()
