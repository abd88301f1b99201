"""Gaussian latents of several modalities with a planted, known covariance.

The target is ``Y = sqrt(shared) s + sum_m sqrt(unique_m) u_m + sqrt(rest) e`` with independent standard normal s, u_m
and e. Modality m sees s and its own u_m through noise, in latents that are mixed by a random invertible map, so that no
column alone carries the signal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Planted:
    """A population with known covariance: the target first, then the columns of each modality."""

    cov: NDArray[np.float64]
    dims: dict[str, int]

    def information(self, *modalities: str) -> float:
        """Return the true information of these modalities together, in bits, from log determinants."""
        edges = 1 + np.cumsum([0, *self.dims.values()])
        spans = dict(zip(self.dims, pairwise(edges), strict=True))
        own = np.concatenate([np.arange(*spans[m]) for m in modalities])
        both = np.append(0, own)
        log_det = [np.linalg.slogdet(self.cov[np.ix_(index, index)])[1] for index in (own, both)]
        return float(0.5 * (np.log(self.cov[0, 0]) + log_det[0] - log_det[1]) / np.log(2))

    def draw(
        self, n: int, rng: np.random.Generator, draws: tuple[int, ...] = ()
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """Draw latents (*draws, n, d_m) and the target (*draws, n)."""
        factor = np.linalg.cholesky(self.cov)
        table = rng.standard_normal((*draws, n, len(self.cov))) @ factor.T
        blocks = np.split(table, 1 + np.cumsum([0, *self.dims.values()]), axis=-1)[1:-1]
        return dict(zip(self.dims, blocks, strict=True)), table[..., 0]


def planted(
    shared: float,
    unique: Mapping[str, float],
    width: int = 8,
    noise: float = 0.5,
    seed: int = 0,
) -> Planted:
    """Plant a population in which `shared` and `unique` are parts of the target's variance.

    Parameters
    ----------
    shared : float
        Part of the target's variance that comes from a factor that every modality sees.
    unique : mapping of str to float
        Part that comes from a factor that only this modality sees.
    width : int
        Columns of each modality (at least 2).
    noise : float
        Variance of the noise on both factors in each modality; the other columns are noise alone.
    seed : int
        Of the mixing maps.
    """
    rng = np.random.default_rng(seed)
    m, columns = len(unique), width * len(unique)
    # Columns of `loading`: s, u_1..u_M, e, then one noise source for each latent.
    loading = np.zeros((1 + columns, 2 + m + columns))
    loading[0, 0] = np.sqrt(shared)
    loading[0, 1 : 1 + m] = np.sqrt(list(unique.values()))
    loading[0, 1 + m] = np.sqrt(1 - shared - sum(unique.values()))
    for k in range(m):
        own = slice(1 + k * width, 1 + (k + 1) * width)
        latents = np.zeros((width, loading.shape[1]))
        latents[0, 0] = latents[1, 1 + k] = 1.0
        scale = np.where(np.arange(width) < 2, np.sqrt(noise), 1.0)
        latents[:, 2 + m + k * width : 2 + m + (k + 1) * width] = np.diag(scale)
        loading[own] = rng.standard_normal((width, width)) @ latents
    return Planted(loading @ loading.T, dict.fromkeys(unique, width))
