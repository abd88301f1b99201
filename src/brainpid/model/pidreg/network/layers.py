r"""Networks of PIDReg, all ensemble members stacked along a leading axis and run in one pass.

For member e and modality m, with latents of dimension d shared by all modalities:

- encoder ``a_m = f_m(x_m)``: a perceptron with batch norm;
- noisy bottleneck, in training only: ``z_m = lambda_m a_m + (1 - lambda_m) eps``, where eps is Gaussian with the
  batch mean and standard deviation of ``a_m`` and lambda_m in (0, 1) is learned; otherwise ``z_m = a_m``;
- fusion ``z = sum_m w_m z_m + w_S prod_m z_m`` with weights that no gradient reaches;
- head ``h(z)``, the prediction of the normal score, and one linear readout of ``z_m`` per modality, the scalar
  latent that the decomposition is read from. Readouts are always trained; ``alpha_readout`` is the part of their
  gradient that goes on into the encoders.

No parameter and no random number is shared between members: member e is the same network whether it is trained
alone or in the stack.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn


class MemberRandom:
    """One random stream per ensemble member, independent of the global state and of the other members.

    Parameters
    ----------
    seeds : sequence of int
        One seed per member.
    device : str
        Where the numbers are put. They are drawn on the CPU, so that they are the same on every device.
    """

    def __init__(self, seeds: Sequence[int], device: str = "cpu") -> None:
        self._device = device
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __len__(self) -> int:
        return len(self._generators)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, shape (E, *shape)."""
        return self._stack(lambda generator: torch.randn(*shape, generator=generator))

    def dropout_mask(self, rate: float, *shape: int) -> Tensor:
        """0 with probability `rate` (to the nearest 1/256), else 1 over the other probability, shape (E, *shape)."""
        # One byte per entry costs an eighth of a uniform float, which would be a tenth of a training step.
        size = math.prod(shape)
        words = self._stack(
            lambda g: torch.empty(-(-size // 8), dtype=torch.int64).random_(-(2**63), None, generator=g)
        )
        dropped = round(rate * 256)
        kept = words.view(torch.uint8)[:, :size].reshape(-1, *shape) >= dropped
        return kept.to(torch.get_default_dtype()).mul_(256 / (256 - dropped))

    def shuffled(self, rows: Sequence[Tensor], k: int) -> Tensor:
        """Draw k of each member's own rows in random order, shape (E, k)."""
        pairs = zip(rows, self._generators, strict=True)
        drawn = [own[torch.randperm(len(own), generator=generator)[:k]] for own, generator in pairs]
        return torch.stack(drawn).to(self._device)

    def _stack(self, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        return torch.stack([draw(generator) for generator in self._generators]).to(self._device)


class MemberLinear(nn.Module):
    """Affine map of each member: ``y_e = x_e W_e + b_e``.

    Parameters
    ----------
    random : MemberRandom
        Source of the initial weights, normal with variance ``gain^2 / n_in``.
    n_in, n_out : int
    gain : float
    """

    def __init__(self, random: MemberRandom, n_in: int, n_out: int, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(random.normal(n_in, n_out) * gain * n_in**-0.5)
        self.bias = nn.Parameter(torch.zeros(len(random), 1, n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (E, n, n_in) to (E, n, n_out)."""
        return torch.baddbmm(self.bias, x, self.weight)


class MemberBatchNorm(nn.Module):
    """Batch normalisation over the rows of each member, with running moments for prediction."""

    def __init__(self, members: int, n: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(members, n))
        self.shift = nn.Parameter(torch.zeros(members, n))
        self.running_mean: Tensor
        self.running_variance: Tensor
        self.register_buffer("running_mean", torch.zeros(members * n))
        self.register_buffer("running_variance", torch.ones(members * n))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (E, n, k) with batch moments in training, with running moments otherwise."""
        members, rows, width = x.shape
        # Members side by side are one batch norm of E * k channels, three times as fast as moments over axis 1.
        side_by_side = nn.functional.batch_norm(
            x.transpose(0, 1).reshape(rows, members * width),
            self.running_mean,
            self.running_variance,
            self.gain.flatten(),
            self.shift.flatten(),
            training=self.training,
        )
        return side_by_side.view(rows, members, width).transpose(0, 1)


class Perceptron(nn.Module):
    """Hidden layers (linear, batch norm, GELU, dropout) and a linear output."""

    def __init__(self, random: MemberRandom, widths: Sequence[int], n_out: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        hidden = list(pairwise(widths))
        self.linear = nn.ModuleList(MemberLinear(random, a, b, gain=2**0.5) for a, b in hidden)
        self.norm = nn.ModuleList(MemberBatchNorm(len(random), b) for _, b in hidden)
        self.output = MemberLinear(random, widths[-1], n_out)

    def forward(self, x: Tensor, random: MemberRandom) -> Tensor:
        """Map (E, n, widths[0]) to (E, n, n_out)."""
        return self.above_first(self.first(x), random)

    @property
    def first(self) -> MemberLinear:
        """The affine map that the features enter by."""
        return cast(MemberLinear, self.linear[0]) if len(self.linear) else self.output

    def above_first(self, x: Tensor, random: MemberRandom) -> Tensor:
        """Map what `first` gave, (E, n, widths[1]) or without hidden layers (E, n, n_out), to (E, n, n_out)."""
        for place, norm in enumerate(self.norm):
            x = nn.functional.gelu(norm(x))
            if self.training and self.dropout > 0.0:
                x = x * random.dropout_mask(self.dropout, *x.shape[1:])
            x = self.linear[place + 1](x) if place + 1 < len(self.linear) else self.output(x)
        return x


class NoisyBottleneck(nn.Module):
    """``z = lambda a + (1 - lambda) eps`` in training; the identity otherwise.

    Parameters
    ----------
    members : int
    initial : float
        Initial lambda, in (0, 1), one per member; 1 switches the bottleneck off.
    """

    def __init__(self, members: int, initial: float) -> None:
        super().__init__()
        self.active = initial < 1.0
        logit = torch.full((members, 1, 1), initial).logit(eps=1e-6)
        self.logit = nn.Parameter(logit, requires_grad=self.active)

    def forward(self, a: Tensor, random: MemberRandom) -> Tensor:
        """Mix noise with the batch moments of `a` (E, n, d) into it; the moments carry no gradient."""
        if not (self.training and self.active):
            return a
        deviation, mean = torch.std_mean(a.detach(), 1, keepdim=True)
        noise = mean + deviation * random.normal(*a.shape[1:])
        return torch.lerp(noise, a, torch.sigmoid(self.logit))


@dataclass(frozen=True)
class Architecture:
    """Shape of the networks; plain values, so that it can be saved beside the weights.

    Attributes
    ----------
    features : tuple of int
        Number of features p_m of each modality.
    hidden : tuple of int
        Hidden widths of each encoder.
    latent_dim : int
        Latent dimension d.
    head : tuple of int
        Hidden widths of the head; empty for a linear head.
    dropout : float
        In hidden layers.
    signal : float
        Initial lambda of the bottleneck.
    alpha_readout : float
        Part of the readouts' gradient that reaches the encoders; 0 for none.
    weights : tuple of float
        Fusion weight w_m of each modality, before it is read from the latents, if it is.
    synergy : float
        Fusion weight w_S of the product.
    """

    features: tuple[int, ...]
    hidden: tuple[int, ...]
    latent_dim: int
    head: tuple[int, ...]
    dropout: float
    signal: float
    alpha_readout: float
    weights: tuple[float, ...]
    synergy: float


@dataclass(frozen=True)
class Outputs:
    """What a pass returns: latents a_m (E, n, d), readouts (E, n, M), prediction (E, n); the last two are scores."""

    latents: list[Tensor]
    readouts: Tensor
    prediction: Tensor


class Ensemble(nn.Module):
    """All members of a PIDReg model.

    Parameters
    ----------
    architecture : Architecture
    random : MemberRandom
        Source of the initial weights.
    """

    def __init__(self, architecture: Architecture, random: MemberRandom) -> None:
        super().__init__()
        self.architecture = arch = architecture
        self.members = members = len(random)
        d = arch.latent_dim
        self.encoders = nn.ModuleList(Perceptron(random, [p, *arch.hidden], d, arch.dropout) for p in arch.features)
        self.bottlenecks = nn.ModuleList(NoisyBottleneck(members, arch.signal) for _ in arch.features)
        self.readouts = nn.ModuleList(MemberLinear(random, d, 1) for _ in arch.features)
        self.head = Perceptron(random, [d, *arch.head], 1, arch.dropout)
        self.fusion: Tensor  # (E, M + 1), the weight of the product last
        start = torch.tensor([*arch.weights, arch.synergy], dtype=torch.float64)
        self.register_buffer("fusion", start.repeat(members, 1))

    def only(self, member: int) -> Ensemble:
        """One member by itself, in evaluation mode."""
        alone = Ensemble(self.architecture, MemberRandom([0])).eval()
        # Whatever the shape, members are its slowest axis.
        own = {name: held.reshape(self.members, -1)[member] for name, held in self.state_dict().items()}
        alone.load_state_dict({name: own[name].reshape(held.shape) for name, held in alone.state_dict().items()})
        return alone

    def enter_by(self, maps: Sequence[Tensor | None]) -> None:
        """Let modalities enter by inputs (n, p) and not by ``inputs @ map`` any more; None leaves one as it is."""
        for encoder, entered in zip(self.encoders, maps, strict=True):
            if entered is not None:
                first = cast(Perceptron, encoder).first
                first.weight = nn.Parameter((entered @ first.weight.detach()).contiguous())
        features = [p if m is None else len(m) for p, m in zip(self.architecture.features, maps, strict=True)]
        self.architecture = replace(self.architecture, features=tuple(features))

    def forward(self, blocks: Sequence[Tensor], random: MemberRandom) -> Outputs:
        """Predict from one block (E, n, p_m) per modality; `random` is used in training only."""
        return self.on_latents([encoder(x, random) for encoder, x in zip(self.encoders, blocks, strict=True)], random)

    def on_latents(self, latents: list[Tensor], random: MemberRandom) -> Outputs:
        """Predict from the latents a_m (E, n, d) of every modality."""
        noisy = [bottleneck(a, random) for bottleneck, a in zip(self.bottlenecks, latents, strict=True)]
        tapped = [torch.lerp(z.detach(), z, self.architecture.alpha_readout) for z in noisy]
        readouts = torch.cat([readout(z) for readout, z in zip(self.readouts, tapped, strict=True)], -1)
        return Outputs(latents, readouts, self.head(self._fuse(noisy), random).squeeze(-1))

    def _fuse(self, latents: Sequence[Tensor]) -> Tensor:
        """Fuse latents (E, n, d) with each member's weights to (E, n, d)."""
        weights = self.fusion.to(latents[0].dtype)[:, :, None, None].unbind(1)
        # A product without weight is computed all the same: to ask for the weight's value would make a GPU wait.
        parts = [*latents, torch.stack(list(latents)).prod(0)]
        return torch.stack([w * z for w, z in zip(weights, parts, strict=True)]).sum(0)
