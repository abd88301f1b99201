"""Fusion weights of a network are read on people whom it has not been trained on, by the closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from brainpid.model.pidreg.network.fit import NOBODY
from brainpid.model.pidreg.network.layers import Architecture, Ensemble, MemberRandom, Outputs
from brainpid.model.pidreg.network.own_weights import OwnWeights
from brainpid.pid.lattice import fusion_weights

N, FOLD = 1000, np.arange(1000) % 10
RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=N)
INPUTS = [torch.from_numpy(RNG.normal(size=(N, 3)).astype(np.float32)) for _ in range(2)]


def own_weights(complete=None, members=(0, 9, NOBODY), fold=FOLD) -> OwnWeights:
    complete = np.ones(N, dtype=bool) if complete is None else complete
    return OwnWeights(["dwi", "t1"], INPUTS, SCORES, complete, fold, members, 11)


def test_whom_a_network_reads_it_is_neither_trained_on_nor_predicts_out_of_fold():
    trained = [set(FOLD[rows].tolist()) for rows in own_weights().rows]
    assert trained == [{3, 4, 5, 6, 7, 8, 9}, {2, 3, 4, 5, 6, 7, 8}, {2, 3, 4, 5, 6, 7, 8, 9}]
    assert own_weights().until == 6


def test_weights_are_those_of_the_closed_form(monkeypatch):
    """Readouts of correlation .8 and .4 with the score, noise independent: the informations of the three subsets."""
    network = Ensemble(Architecture((3, 3), (4,), 2, (), 0.0, 1.0, 0.0, (0.5, 0.5), 0.0), MemberRandom([1])).eval()
    fold = np.repeat([0, 1, 2], [1, N - 2, 1])
    noise = np.random.default_rng(1).normal(size=(2, N))
    readouts = np.stack([r * SCORES + (1 - r**2) ** 0.5 * e for r, e in zip((0.4, 0.8), noise, strict=True)], axis=-1)

    def forward(blocks, random):
        assert blocks[0].shape == (1, N - 2, 3)
        return Outputs([], torch.from_numpy(readouts[None, 1:-1]), torch.zeros(1, N - 2))

    monkeypatch.setattr(network, "forward", forward)
    own = own_weights(members=[0], fold=fold)
    own.read(network, 0)
    assert network.fusion.tolist() == [[0.5, 0.5, 0.0]]  # it is not time yet
    own.read(network, own.until)
    s = [r**2 / (1 - r**2) for r in (0.4, 0.8)]
    known = {frozenset(["dwi"]): s[0], frozenset(["t1"]): s[1], frozenset(["dwi", "t1"]): sum(s)}
    expected = fusion_weights({subset: 0.5 * np.log2(1 + signal) for subset, signal in known.items()})
    assert network.fusion[0].tolist() == pytest.approx([*expected.modalities.values(), expected.synergy], abs=0.03)
    assert network.fusion[0].sum().item() == pytest.approx(1)
