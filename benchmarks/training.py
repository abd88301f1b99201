"""Cost of training: seconds an epoch of the whole PIDReg ensemble, beside a plain multilayer perceptron.

The released research code of the paper takes 4.9 s an epoch on 3,500 rows (81 + 86 features, batch 256); the
last column compares with that, scaled to the same number of rows. Synthetic data; one thread.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from brainpid.model import PIDReg

RELEASED_SECONDS_PER_ROW = 4.9 / 3500
EPOCHS = 10
CASES = {
    "268 rows, 86 + 288": {"n": 268, "features": (86, 288), "batch_size": 128, "hidden": (128,), "latent_dim": 16},
    "3500 rows, 81 + 86": {"n": 3500, "features": (81, 86), "batch_size": 256, "hidden": (256, 128), "latent_dim": 64},
}


def seconds(work: object, repeats: int = 3) -> float:
    """Median wall time of a callable."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def pidreg_epoch(X: dict, y: np.ndarray, members: int, **settings: object) -> float:
    """Seconds an epoch: the difference of two fits that differ in their number of epochs only."""
    long, short = (
        seconds(lambda epochs=epochs: PIDReg(members=members, epochs=epochs, **settings).fit(X, y))
        for epochs in (EPOCHS + 2, 2)
    )
    return (long - short) / EPOCHS


def perceptron_epoch(X: dict, y: np.ndarray, batch_size: int, hidden: tuple[int, ...], latent_dim: int) -> float:
    """Seconds an epoch of one early-fusion perceptron of the same widths."""
    inputs = torch.from_numpy(np.hstack(list(X.values())).astype(np.float32))
    target = torch.from_numpy(((y - y.mean()) / y.std()).astype(np.float32))[:, None]
    widths = [inputs.shape[1], *hidden, latent_dim]
    layers = [
        layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.BatchNorm1d(b), nn.GELU(), nn.Dropout(0.1))
    ]
    network = nn.Sequential(*layers, nn.Linear(latent_dim, 1))
    optimiser = torch.optim.AdamW(network.parameters())

    def epoch() -> None:
        for rows in torch.randperm(len(inputs)).split(batch_size):
            optimiser.zero_grad()
            nn.functional.mse_loss(network(inputs[rows]), target[rows]).backward()
            optimiser.step()

    epoch()
    return seconds(lambda: [epoch() for _ in range(EPOCHS)]) / EPOCHS


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    print("| case | members | ms an epoch, all | ms a member-epoch | plain perceptron, ms | released code / ours |")
    print("|---|---|---|---|---|---|")
    for name, case in CASES.items():
        n, features = case.pop("n"), case.pop("features")
        X = {f"m{k}": rng.normal(size=(n, p)) for k, p in enumerate(features)}
        y = sum(x[:, :5].sum(1) for x in X.values()) + rng.normal(size=n)
        plain = perceptron_epoch(X, y, **case)
        for members in (2, 10):
            took = pidreg_epoch(X, y, members, **case)
            ratio = RELEASED_SECONDS_PER_ROW * n / took
            costs = f"{1e3 * took:.1f} | {1e3 * took / members:.1f} | {1e3 * plain:.1f}"
            print(f"| {name} | {members} | {costs} | {ratio:.0f} x |")


if __name__ == "__main__":
    main()
