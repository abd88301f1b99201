"""The training loop: all ensemble members in one pass, each on its own rows.

The loss of member e is ``MSE(h(z), g) + sum_m MSE(readout_m, g) + alpha_cs sum_m CS(a_m) +
alpha_joint HZ(a_1..a_M, g) / n + alpha_ci sum_{m<k} I(a_m; a_k | g)``; members are summed, so that none changes
another's gradient. The optimiser is AdamW under a one-cycle learning rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import torch
from torch import Tensor

from brainpid.errors import NumericalError
from brainpid.networks import Ensemble, MemberRandom, Outputs
from brainpid.penalties import (
    cauchy_schwarz_to_normal,
    gaussian_conditional_information,
    henze_zirkler,
    kernel_conditional_dependence,
)

# Latent covariances of one batch are near singular once the latents' dimension nears the number of rows.
_SHRINKAGE = 0.1


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    epochs : int
    batch_size : int
        Nominal number of rows per member and step; an epoch's rows are cut into equal batches near this size.
    learning_rate : float
        Peak of the one-cycle schedule.
    weight_decay : float
        Decoupled weight decay.
    alpha_cs, alpha_joint, alpha_ci : float
        Weights of the penalties; 0 leaves a term out of the computation.
    conditional : {"gaussian", "kernel"}
        Form of the conditional-independence term.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    alpha_cs: float
    alpha_joint: float
    alpha_ci: float
    conditional: str


def loss_terms(outputs: Outputs, blocks: Sequence[Tensor], target: Tensor, recipe: Recipe) -> dict[str, Tensor]:
    """Loss terms of every member, each already multiplied by its weight.

    Parameters
    ----------
    outputs : Outputs
        Of a pass over `blocks`.
    blocks : sequence of Tensor, shape (E, n, p_m)
    target : Tensor, shape (E, n)
        Normal scores.
    recipe : Recipe

    Returns
    -------
    dict of Tensor, shape (E,)
        ``mse``, ``readout`` and those of ``cs``, ``joint``, ``ci`` whose weight is not 0.
    """
    latents = outputs.latents
    terms = {
        "mse": (outputs.prediction - target).square().mean(-1),
        "readout": (outputs.readouts - target.unsqueeze(-1)).square().mean(-2).sum(-1),
    }
    if recipe.alpha_cs:
        terms["cs"] = recipe.alpha_cs * torch.stack([cauchy_schwarz_to_normal(a) for a in latents]).sum(0)
    if recipe.alpha_joint:
        joint = torch.cat([*latents, target.unsqueeze(-1)], -1)
        n, d = joint.shape[-2:]
        terms["joint"] = recipe.alpha_joint * henze_zirkler(joint, d**-0.5, _SHRINKAGE) / n
    if recipe.alpha_ci:
        terms["ci"] = recipe.alpha_ci * _conditional_independence(latents, blocks, target, recipe.conditional)
    return terms


def _conditional_independence(latents: Sequence[Tensor], blocks: Sequence[Tensor], target: Tensor, form: str) -> Tensor:
    """Sum ``I(a_m; a_k | g)`` over pairs (gaussian) or ``D(a_m; x_k | x_m)`` over ordered pairs (kernel): (E,)."""
    if form == "kernel":
        ordered = permutations(range(len(latents)), 2)
        parts = [kernel_conditional_dependence(blocks[k], latents[m], blocks[m]) for m, k in ordered]
    else:
        pairs = combinations(latents, 2)
        parts = [gaussian_conditional_information(a, b, target, _SHRINKAGE) for a, b in pairs]
    return torch.stack(parts).sum(0)


def train(
    network: Ensemble,
    blocks: Sequence[Tensor],
    target: Tensor,
    rows: Sequence[Tensor],
    random: MemberRandom,
    recipe: Recipe,
) -> list[dict[str, float]]:
    """Train all members in place and leave the network in evaluation mode.

    Parameters
    ----------
    network : Ensemble
    blocks : sequence of Tensor, shape (n, p_m)
        Standardised features of all training rows.
    target : Tensor, shape (n,)
        Normal scores.
    rows : sequence of E Tensors of int, shape (r_e,)
        The rows that each member is trained on; their numbers may differ by a few, and rows beyond the last full
        batch sit out an epoch at random.
    random : MemberRandom
        Order of rows, dropout and bottleneck noise.
    recipe : Recipe

    Returns
    -------
    list of dict
        One entry per epoch: ``epoch``, ``learning_rate``, ``loss`` and the loss terms, means over members and
        batches.

    Raises
    ------
    NumericalError
        Where a loss term is not finite; the message names the epoch, the batch and the term.
    """
    n_rows = min(len(own) for own in rows)
    n_batches = max(1, round(n_rows / recipe.batch_size))
    size = n_rows // n_batches
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=recipe.learning_rate, total_steps=recipe.epochs * n_batches
    )
    history: list[dict[str, float]] = []
    network.train()
    for epoch in range(recipe.epochs):
        order = random.shuffled(rows, n_batches * size)
        sums: dict[str, float] = {}
        rate = float(schedule.get_last_lr()[0])
        for batch in range(n_batches):
            chosen = order[:, batch * size : (batch + 1) * size]
            inputs = [block[chosen] for block in blocks]
            goal = target[chosen]
            terms = loss_terms(network(inputs, random), inputs, goal, recipe)
            means = {name: float(term.detach().mean()) for name, term in terms.items()}
            _check_finite(means, epoch, batch)
            loss = torch.stack(list(terms.values())).sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            for name, value in means.items():
                sums[name] = sums.get(name, 0.0) + value / n_batches
        history.append({"epoch": float(epoch), "learning_rate": rate, "loss": sum(sums.values()), **sums})
    network.eval()
    return history


def _check_finite(means: dict[str, float], epoch: int, batch: int) -> None:
    for name, value in means.items():
        if not torch.isfinite(torch.tensor(value)):
            found = ", ".join(f"{term} {mean:.4g}" for term, mean in means.items())
            raise NumericalError(
                f"loss term '{name}' is not finite at epoch {epoch}, batch {batch} (terms: {found}); "
                "lower the learning rate or look for extreme feature values"
            )
