"""Penalties give a gradient at every dimension, agree with known answers, and vanish where they must."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch
from cohorts import SHARED_DATA

from brainpid.core.errors import NumericalError
from brainpid.model.pidreg.network.penalties import (
    cauchy_schwarz_to_normal,
    gaussian_conditional_information,
    henze_zirkler,
    kernel_conditional_dependence,
)


def sample(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


@pytest.mark.parametrize("d", [8, 64, 400])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_every_penalty_gives_every_latent_a_gradient(d, shift):
    n = 128
    latents = [(2 * sample(n, d, seed=k) + shift).float().requires_grad_() for k in range(2)]
    y = sample(n, seed=9).float()
    penalties = {
        "cs": sum(cauchy_schwarz_to_normal(latent) for latent in latents),
        "joint": henze_zirkler(torch.cat([*latents, y[:, None]], -1), (2 * d + 1) ** -0.5, 0.1),
        "gaussian": gaussian_conditional_information(*latents, y, 0.1),
        "kernel": kernel_conditional_dependence(latents[0], latents[1], sample(n, d, seed=5).float()),
    }
    for name, penalty in penalties.items():
        for gradient in torch.autograd.grad(penalty, latents):
            assert torch.isfinite(gradient).all(), name
            assert gradient.abs().max() > 0, name


def test_cauchy_schwarz_agrees_with_a_large_normal_sample():
    latent = 1.5 * sample(300, 2) + 0.5
    normal = sample(20000, 2, seed=1)
    s2 = 2.0

    def mean_kernel(a, b):
        return torch.exp(-(torch.cdist(a, b) ** 2) / (2 * s2)).mean()

    by_sampling = (
        mean_kernel(latent, latent).log() + mean_kernel(normal[:5000], normal[5000:10000]).log()
        - 2 * mean_kernel(latent, normal).log()
    )  # fmt: skip
    assert cauchy_schwarz_to_normal(latent).item() == pytest.approx(by_sampling.item(), abs=0.01)


def test_cauchy_schwarz_is_smallest_for_a_standard_normal():
    z = sample(2000, 3)
    near = cauchy_schwarz_to_normal(z)
    assert 0 <= near < 0.01
    for other in (0.2 * z, 3 * z, z + 1, z**3):
        assert cauchy_schwarz_to_normal(other) > 3 * near


def test_henze_zirkler_is_affine_invariant_and_sees_non_normality():
    z = sample(400, 3)
    mixing = sample(3, 3, seed=2)
    assert henze_zirkler(z @ mixing + 4).item() == pytest.approx(henze_zirkler(z).item(), rel=1e-9)
    assert henze_zirkler(z).item() < 1.2
    assert henze_zirkler(z.exp()).item() > 5


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="the folder with known answers is not there")
def test_kernel_dependence_of_known_points():
    truth = json.loads((SHARED_DATA / "pid_ground_truth.json").read_text())["cs_cmi"]
    z, t, c = (torch.tensor(truth[name], dtype=torch.float64) for name in "ztc")
    for row in truth["rows"]:
        found = kernel_conditional_dependence(t, z, c, (row["sigma_t"], row["sigma_z"], row["sigma_c"]))
        assert found.item() == pytest.approx(row["joint"], abs=1e-9)


def test_kernel_dependence_is_zero_on_a_product_grid():
    grid = torch.tensor(list(itertools.product(range(3), range(4), range(5))), dtype=torch.float64)
    t, z, c = grid.split(1, dim=1)
    assert kernel_conditional_dependence(t, z, c, (0.7, 0.7, 0.7)).item() == pytest.approx(0, abs=1e-12)


def test_kernel_dependence_is_never_negative():
    draws = [sample(500, 20, 2, seed=k) for k in range(3)]
    assert kernel_conditional_dependence(*draws).min() >= -1e-12


def test_gaussian_conditional_information_of_a_known_dependence():
    y, noise_1, noise_2, shared = (sample(200_000, seed=k) for k in range(4))
    z1, z2 = y + shared + noise_1, y + shared + noise_2
    expected = -0.5 * np.log2(1 - 0.25)  # given y the correlation is 1/2
    found = gaussian_conditional_information(z1[:, None], z2[:, None], y)
    assert found.item() == pytest.approx(expected, abs=0.005)
    independent = gaussian_conditional_information((y + noise_1)[:, None], (y + noise_2)[:, None], y)
    assert independent.item() == pytest.approx(0, abs=1e-3)


def test_a_singular_latent_is_an_error_with_numbers():
    latents = torch.ones(50, 3, dtype=torch.float64)
    with pytest.raises(NumericalError, match=r"n = 50, d = 3, condition number"):
        henze_zirkler(latents)
