"""Cost of training: CPU seconds an epoch of PIDReg's networks, beside a plain multilayer perceptron of the same widths.

The released research code of the paper takes 4.9 s an epoch on 3,500 rows (81 + 86 features, batch 256); the last
column compares with that, scaled to the same number of rows. Synthetic data; one thread. Then the whole of ten fits
to a table of the size of a small cohort, with base learners beside the
networks and without.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from brainpid.crossfit.transforms import Standardizer, normal_scores
from brainpid.model import PIDReg
from brainpid.model.pidreg.network.fit import fit_network
from brainpid.model.pidreg.options import RECIPES
from brainpid.pid.lattice import FusionWeights

RELEASED_SECONDS_PER_ROW = 4.9 / 3500
EPOCHS = 8
WIDE = {"batch_size": 256, "hidden": (256, 128), "latent_dim": 64}
CASES: dict[str, tuple[int, tuple[int, int], dict[str, Any]]] = {
    "268 rows, 86 + 288, encoders 128-16": (268, (86, 288), {}),
    "3500 rows, 81 + 86, encoders 256-128-64": (3500, (81, 86), WIDE),
    "the same with piecewise-linear encoding": (3500, (81, 86), WIDE | {"bins": 8}),
}


def seconds(work: object, repeats: int = 3) -> float:
    """Median CPU time of a callable, which a busy machine disturbs less than wall time."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()  # type: ignore[operator]
        times.append(time.process_time() - start)
    return float(np.median(times))


def people(n: int, features: tuple[int, int]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two modalities of noise, of which five columns each make up the target."""
    rng = np.random.default_rng(0)
    X = {f"m{k}": rng.normal(size=(n, p)) for k, p in enumerate(features)}
    return X, np.sum([x[:, :5].sum(1) for x in X.values()], axis=0) + rng.normal(size=n)


def pidreg_epoch(X: dict[str, np.ndarray], y: np.ndarray, members: int, settings: dict[str, Any]) -> float:
    """Seconds an epoch: the difference of two trainings that differ in their number of epochs only."""
    blocks = {m: Standardizer.fit(x).transform(x) for m, x in X.items()}
    weights = FusionWeights(dict.fromkeys(X, 0.45), 0.1, informative=True)
    seeds = np.random.SeedSequence(0).spawn(2 * members)
    fold = np.arange(len(y)) % 10
    given = {name: value for name, value in PIDReg().get_params().items() if value is not None}

    def fit(epochs: int) -> None:
        options = RECIPES["compact"] | given | settings | {"epochs": epochs}
        fit_network(blocks, normal_scores(y), fold, range(members), options, weights, seeds)

    long, short = (seconds(lambda epochs=epochs: fit(epochs)) for epochs in (EPOCHS + 2, 2))
    return (long - short) / EPOCHS


def perceptron_epoch(X: dict[str, np.ndarray], y: np.ndarray, settings: dict[str, Any]) -> float:
    """Seconds an epoch of one early-fusion perceptron of the same widths."""
    shape = RECIPES["compact"] | settings
    inputs = torch.from_numpy(np.hstack(list(X.values())).astype(np.float32))
    target = torch.from_numpy(((y - y.mean()) / y.std()).astype(np.float32))[:, None]
    widths = [inputs.shape[1], *shape["hidden"], shape["latent_dim"]]
    layers = [
        layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.BatchNorm1d(b), nn.GELU(), nn.Dropout(0.1))
    ]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], 1))
    optimiser = torch.optim.AdamW(network.parameters())

    def epoch() -> None:
        for rows in torch.randperm(len(inputs)).split(shape["batch_size"]):
            optimiser.zero_grad()
            nn.functional.mse_loss(network(inputs[rows]), target[rows]).backward()
            optimiser.step()

    epoch()
    return seconds(lambda: [epoch() for _ in range(EPOCHS)]) / EPOCHS


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| case | members | ms an epoch, all | ms a member-epoch | plain perceptron, ms | released code / ours |")
    print("|---|---|---|---|---|---|")
    for name, (n, features, settings) in CASES.items():
        X, y = people(n, features)
        plain = perceptron_epoch(X, y, settings)
        for members in (1, 8):
            took = pidreg_epoch(X, y, members, settings)
            ratio = RELEASED_SECONDS_PER_ROW * n / took
            costs = f"{1e3 * took:.1f} | {1e3 * took / members:.1f} | {1e3 * plain:.1f}"
            print(f"| {name} | {members} | {costs} | {ratio:.0f} x |", flush=True)
    X, y = people(280, (86, 288))
    print("\n| ten fits of a cohort of 280 (86 + 288 features) | s |\n|---|---|")
    for members in (5, 10):
        for label, experts in (("with experts", ("auto",)), ("network alone", ())):
            took = seconds(lambda: [PIDReg(members=members, experts=experts).fit(X, y) for _ in range(10)], repeats=1)  # noqa: B023
            print(f"| {members} members, {label} | {took:.1f} |", flush=True)


if __name__ == "__main__":
    main()
