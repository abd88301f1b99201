"""A modality with more inputs than people enters by coordinates, and is read by its inputs."""

from __future__ import annotations

import pytest
import torch

from brainpid.model.pidreg.network.fit import _coordinates
from brainpid.model.pidreg.network.layers import Architecture, Ensemble, MemberRandom

SHAPE = {"latent_dim": 2, "head": (), "dropout": 0.0, "signal": 1.0, "alpha_readout": 1.0, "synergy": 0.1}


def people(n: int, p: int) -> torch.Tensor:
    return torch.randn(n, p, generator=torch.Generator().manual_seed(p))


@pytest.mark.parametrize("hidden", [(), (5,)])
def test_trained_on_coordinates_and_read_by_inputs(hidden):
    inputs = [people(8, 30), people(8, 3)]
    taken, maps = zip(*map(_coordinates, inputs), strict=True)
    assert [block.shape[1] for block in taken] == [8, 3]
    assert maps[1] is None
    assert float(taken[0].square().mean()) == pytest.approx(float(inputs[0].square().mean()), rel=1e-5)
    architecture = Architecture(features=(8, 3), hidden=hidden, weights=(0.5, 0.4), **SHAPE)
    network, unused = Ensemble(architecture, MemberRandom([1, 2])).eval(), MemberRandom([0, 0])

    def read(blocks):
        return network([block.expand(2, -1, -1) for block in blocks], unused).prediction

    before = read(taken)
    network.enter_by(maps)
    torch.testing.assert_close(read(inputs), before, rtol=1e-4, atol=1e-5)
    assert network.architecture.features == (30, 3)
    # What no training person has does not matter.
    beside = people(8, 31)[:, :30]
    outside = beside - beside @ torch.linalg.pinv(inputs[0]) @ inputs[0]
    torch.testing.assert_close(read([inputs[0] + 9 * outside, inputs[1]]), before, rtol=1e-3, atol=1e-4)


def test_no_more_inputs_than_people_and_inputs_of_zeros_stay():
    for inputs in (people(9, 9), torch.zeros(4, 9)):
        taken, entered = _coordinates(inputs)
        assert taken is inputs
        assert entered is None
