"""Accuracy on people whom nothing was chosen on: 1,078 adults of 23 sites, cortical thickness and volumes of T1.

Defaults and experts of PIDReg were looked at on the folds of ``camcan_dev``; here they meet other people. Folds are
random, so that a site is on both sides. Prints a Markdown table of models with their defaults on the same ten folds.
Skips where the data is absent.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from brainpid.crossfit.folds import stratified_folds
from brainpid.evaluation.metrics import accuracy, paired_difference
from brainpid.model.registry import MODELS

DATA = Path(__file__).resolve().parents[2] / "shared/data/fcon1000"
FOLDS = 10
COMPARED: dict[str, tuple[str, dict[str, Any]]] = {
    "PIDReg": ("pidreg", {}),
    "PIDReg without the normative model": ("pidreg", {"experts": ("kernel",)}),
    "PIDReg, the network alone": ("pidreg", {"experts": ()}),
    "Gaussian process": ("gpr", {}),
    "SVR": ("svr", {}),
    "Stacking": ("stacking", {}),
    "Elastic net": ("elastic_net", {}),
    "Ridge": ("ridge", {}),
}


def main() -> None:
    """Print the table."""
    if not DATA.is_dir():
        print("skipped: the data of fcon1000 is absent")
        return
    torch.set_num_threads(1)
    X, age = read()
    fold = stratified_folds(age, FOLDS, np.random.default_rng(0), None)
    print("| model | n | MAE (years) | PIDReg minus it | RMSE | R2 | CPU s a training |\n|---|---|---|---|---|---|---|")
    reference = None
    for label, (name, options) in COMPARED.items():
        start = time.process_time()
        predicted = np.empty((1, len(age)))
        for k in range(FOLDS):
            training, test = fold != k, fold == k
            model = MODELS[name].load_class()(random_state=k, **options)
            model.fit({m: block[training] for m, block in X.items()}, age[training])
            predicted[0, test] = model.predict({m: block[test] for m, block in X.items()})
        cost = (time.process_time() - start) / FOLDS
        reached, pair = accuracy(predicted, age), ""
        if reference is None:
            reference = predicted
        else:
            found = paired_difference(reference, predicted, age)
            pair = f"{found.difference:+.2f} [{found.ci_low:+.2f}, {found.ci_high:+.2f}]"
        print(
            f"| {label} | {len(age)} | {reached.mae:.2f} | {pair} | {reached.rmse:.2f} | {reached.r2:.3f} | "
            f"{cost:.1f} |",
            flush=True,
        )


def read() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Thickness and volumes as two modalities, and age in years."""
    people, table = (pd.read_csv(DATA / f"{name}.tsv", sep="\t", na_values="n/a") for name in ("participants", "t1"))
    table = people[["participant_id", "age"]].merge(table, on="participant_id").dropna(subset="age")
    features = table.drop(columns=["participant_id", "age"])
    thick = features.columns.str.endswith("_thickness")
    blocks = {"thickness": features.loc[:, thick], "volume": features.loc[:, ~thick]}
    return {m: block.to_numpy(dtype=float) for m, block in blocks.items()}, table["age"].to_numpy(dtype=float)


if __name__ == "__main__":
    main()
