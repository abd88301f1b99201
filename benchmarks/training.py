"""Seconds per epoch of PIDReg, beside a plain network and the released research code.

Run as ``OMP_NUM_THREADS=1 python benchmarks/training.py``. All on one thread. An epoch is timed as the slope between a
long and a short fit, so that standardisation, ridge weights and the out-of-fold pass are not counted; the median of
several repetitions is printed. "Member-epoch" is an epoch divided by the number of members.

The released PIDReg code takes 4.9 s per epoch on 3500 rows (measured once on another machine, one thread); its figure
here is that one scaled to the number of rows, and the requirement is a twentieth of it at the size of Cam-CAN.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from brainpid.model import PIDReg

RELEASED_SECONDS_PER_ROW = 4.9 / 3500
REQUIRED_SPEEDUP = 20


@dataclass(frozen=True)
class Size:
    """One setting: training rows, features of each modality, and the options that fix the size of the networks."""

    name: str
    rows: int
    features: tuple[int, ...]
    hidden: tuple[int, ...]
    latent_dim: int
    batch_size: int
    epochs: tuple[int, int]
    repetitions: int
    required: bool


DEFAULTS = PIDReg().get_params()
SIZES = (
    Size("Cam-CAN, defaults", 268, (86, 288), DEFAULTS["hidden"], DEFAULTS["latent_dim"], 128, (5, 25), 7, True),
    Size("Cam-CAN, hidden 128", 268, (86, 288), (128,), 16, 128, (5, 25), 7, True),
    Size("3500 rows, 256-128, d 64", 3500, (81, 86), (256, 128), 64, 256, (1, 3), 3, False),
)


def synthetic(size: Size) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Make features that share one factor with the target; values do not matter to the time, sizes do."""
    rng = np.random.default_rng(0)
    g = rng.normal(size=size.rows)
    X = {f"m{k}": 0.5 * g[:, None] + rng.normal(size=(size.rows, p)) for k, p in enumerate(size.features)}
    return X, 50 + 15 * g


def seconds_per_epoch(fit: Callable[[int], object], size: Size) -> float:
    """Median slope between a short and a long fit."""
    short, long = size.epochs
    fit(1)  # the first call pays for memory and for the set-up of kernels
    slopes = []
    for _ in range(size.repetitions):
        marks = [time.perf_counter()]
        for epochs in (short, long):
            fit(epochs)
            marks.append(time.perf_counter())
        slopes.append((marks[2] - 2 * marks[1] + marks[0]) / (long - short))
    return statistics.median(slopes)


def fit_early_fusion(X: dict[str, np.ndarray], y: np.ndarray, size: Size, epochs: int) -> None:
    """Train one plain network on the concatenated features, as wide as all encoders together."""
    inputs = torch.from_numpy(np.concatenate(list(X.values()), axis=1).astype(np.float32))
    target = torch.from_numpy(((y - y.mean()) / y.std()).astype(np.float32))
    generator = torch.Generator().manual_seed(0)
    widths = [inputs.shape[1], *(len(X) * w for w in (*size.hidden, size.latent_dim))]
    layers: list[nn.Module] = []
    for a, b in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.GELU()]
    network = nn.Sequential(*layers, nn.Linear(widths[-1], 1))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
    batches = max(1, round(len(target) / size.batch_size))
    for _ in range(epochs):
        for rows in torch.randperm(len(target), generator=generator).tensor_split(batches):
            loss = (network(inputs[rows]).squeeze(-1) - target[rows]).square().mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()


def run(size: Size) -> None:
    """Print one row of the table."""
    X, y = synthetic(size)
    options = {"hidden": size.hidden, "latent_dim": size.latent_dim, "batch_size": size.batch_size}
    members = DEFAULTS["members"]
    epoch = seconds_per_epoch(lambda epochs: PIDReg(epochs=epochs, **options).fit(X, y), size)
    plain = seconds_per_epoch(lambda epochs: fit_early_fusion(X, y, size, epochs), size)
    released = RELEASED_SECONDS_PER_ROW * size.rows
    verdict = "-"
    if size.required:
        limit = released / REQUIRED_SPEEDUP
        verdict = f"{'met' if epoch <= limit else 'MISSED'} ({1e3 * limit:.1f} ms)"
    print(
        f"| {size.name} | {size.rows} | {1e3 * epoch:.1f} | {1e3 * epoch / members:.2f} | {1e3 * plain:.1f} | "
        f"{1e3 * released:.0f} | {released / epoch:.0f} | {verdict} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print(f"{DEFAULTS['members']} members, one thread; times in milliseconds per epoch\n")
    print("| setting | rows | all members | per member | plain early fusion | released code, scaled | x | required |")
    print("|---|---|---|---|---|---|---|---|")
    for size in SIZES:
        run(size)


if __name__ == "__main__":
    main()
