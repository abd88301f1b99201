"""Piecewise-linear encoding of features, for tables that are large enough to bend every feature's axis.

Each standardised feature becomes one number per bin, which rises from 0 to 1 within the bin (the first and the last go
on beyond). A linear layer on top is a piecewise-linear function of every feature. Bin edges are quantiles of all
training values together with quantiles of the distinct ones: a feature that is mostly zero has no other edges.

References
----------
Gorishniy, Rubachev and Babenko 2022, NeurIPS (arXiv:2203.05556); encoding by `rtdl_num_embeddings`.
"""

from __future__ import annotations

import numpy as np
import torch
from rtdl_num_embeddings import PiecewiseLinearEncoding
from torch import Tensor

from brainpid.core.arrays import FloatArray


def bin_edges(block: FloatArray, bins: int) -> list[Tensor]:
    """Edges of the bins of each feature of a standardised training block (n, p); of none for a constant feature.

    Parameters
    ----------
    block : ndarray, shape (n, p)
    bins : int
        Half of the bins of a continuous feature: so many from all values, and so many from the distinct ones.

    Returns
    -------
    list of p Tensors, shape (bins_j + 1,), ascending; empty where a feature has one value only
    """
    places = np.linspace(0.0, 1.0, bins + 1)
    edges = []
    for column in block.astype(np.float32).T:
        distinct = np.unique(column)
        found = np.unique(
            np.concatenate([np.quantile(column, places), np.quantile(distinct, places)]).astype(np.float32)
        )
        # Neighbouring edges that nearly coincide would make slopes that only rounding errors use.
        kept = found[np.concatenate([[True], np.diff(found) > 1e-3])] if len(found) > 1 else found[:0]
        edges.append(torch.from_numpy(kept if len(kept) > 1 else found[:0]))
    return edges


def encode(block: FloatArray, edges: list[Tensor]) -> Tensor:
    """Encode a standardised block (n, p) to (n, sum of bins), float32."""
    used = [j for j, found in enumerate(edges) if len(found)]
    values = torch.from_numpy(block[:, used].astype(np.float32))
    encoded: Tensor = PiecewiseLinearEncoding([edges[j] for j in used])(values)
    return encoded
