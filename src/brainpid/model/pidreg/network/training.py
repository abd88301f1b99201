"""The training loop: all ensemble members in one pass, each on its own rows.

The loss of member e is ``MSE(h(z), g) + sum_m MSE(readout_m, g) + alpha_cs sum_m CS(a_m) +
alpha_joint HZ(a_1..a_M, g) / n + alpha_ci sum_{m<k} I(a_m; a_k | g)``; members are summed, so that none changes
another's gradient. A penalty whose weight is 0 is not computed. The optimiser is AdamW under a one-cycle learning rate.

A person who lacks a modality has a stand-in's features in it, so that batch moments and penalties stay those of real
people; no error of prediction that the stand-in has a part in is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import torch
from torch import Tensor

from brainpid.core.arrays import Blocks, FloatArray, IntArray
from brainpid.core.errors import NumericalError
from brainpid.core.modalities import lacking
from brainpid.core.progress import progress
from brainpid.model.pidreg.network.layers import Ensemble, MemberRandom, Outputs
from brainpid.model.pidreg.network.optimiser import OneCycleAdamW
from brainpid.model.pidreg.network.own_weights import OwnWeights
from brainpid.model.pidreg.network.penalties import (
    cauchy_schwarz_to_normal,
    gaussian_conditional_information,
    henze_zirkler,
    kernel_conditional_dependence,
)
from brainpid.model.progress import Callback, told

# Latent covariances of one batch are near singular once the latents' dimension nears the number of rows.
_SHRINKAGE = 0.1


@dataclass(frozen=True)
class TrainingOptions:
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


def loss_terms(
    outputs: Outputs, blocks: Sequence[Tensor], scores: Tensor, present: Tensor, recipe: TrainingOptions
) -> dict[str, Tensor]:
    """Loss terms of every member, each already multiplied by its weight.

    Parameters
    ----------
    outputs : Outputs
        Of a pass over `blocks`.
    blocks : sequence of Tensor, shape (E, n, p_m)
    scores : Tensor, shape (E, n)
        Normal scores of the target.
    present : Tensor, shape (E, n, M)
        1 where a person has a modality, 0 where a stand-in's features are in its place.
    recipe : TrainingOptions

    Returns
    -------
    dict of Tensor, shape (E,)
        ``mse``, ``readout`` and those of ``cs``, ``joint``, ``ci`` whose weight is not 0.
    """
    latents = outputs.latents
    complete = present.prod(-1)
    terms = {
        "mse": _mean_square(outputs.prediction - scores, complete),
        "readout": _mean_square(
            (outputs.readouts - scores.unsqueeze(-1)).transpose(-1, -2), present.transpose(-1, -2)
        ).sum(-1),
    }
    if recipe.alpha_cs:
        terms["cs"] = recipe.alpha_cs * torch.stack([cauchy_schwarz_to_normal(a) for a in latents]).sum(0)
    if recipe.alpha_joint:
        joint = torch.cat([*latents, scores.unsqueeze(-1)], -1)
        n, d = joint.shape[-2:]
        terms["joint"] = recipe.alpha_joint * henze_zirkler(joint, d**-0.5, _SHRINKAGE) / n
    if recipe.alpha_ci:
        terms["ci"] = recipe.alpha_ci * _conditional_independence(latents, blocks, scores, recipe.conditional)
    return terms


def _mean_square(error: Tensor, counted: Tensor) -> Tensor:
    """Mean square over the last axis, of the errors that are counted."""
    return (error.square() * counted).sum(-1) / counted.sum(-1).clamp(min=1.0)


def _conditional_independence(latents: Sequence[Tensor], blocks: Sequence[Tensor], scores: Tensor, form: str) -> Tensor:
    """Sum ``I(a_m; a_k | g)`` over pairs (gaussian) or ``D(a_m; x_k | x_m)`` over ordered pairs (kernel): (E,)."""
    if form == "kernel":
        ordered = permutations(range(len(latents)), 2)
        parts = [kernel_conditional_dependence(blocks[k], latents[m], blocks[m]) for m, k in ordered]
    else:
        pairs = combinations(latents, 2)
        parts = [gaussian_conditional_information(a, b, scores, _SHRINKAGE) for a, b in pairs]
    return torch.stack(parts).sum(0)


def with_stand_ins(blocks: Blocks, scores: FloatArray, fold: IntArray) -> dict[str, FloatArray]:
    """Fill the rows of people who lack a modality with the features of a stand-in.

    The stand-in is the person of the same inner fold with the nearest score who has the modality, so that a member
    learns nothing of the people it leaves out.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features; a row of NaN is a missing modality.
    scores : ndarray, shape (n,)
    fold : ndarray of int, shape (n,)

    Returns
    -------
    dict of str to ndarray, shape (n, p_m)
        Without NaN; 0, the mean, where nobody in the fold has the modality.
    """
    filled = {}
    for m, block in blocks.items():
        absent = lacking(block)
        filled[m] = np.where(absent[:, None], 0.0, block)
        for row in np.flatnonzero(absent):
            others = np.flatnonzero(~absent & (fold == fold[row]))
            if len(others):
                filled[m][row] = block[others[np.abs(scores[others] - scores[row]).argmin()]]
    return filled


def train(
    network: Ensemble,
    blocks: Sequence[Tensor],
    scores: Tensor,
    present: Tensor,
    rows: Sequence[Tensor],
    random: MemberRandom,
    recipe: TrainingOptions,
    watch: Callable[[Ensemble], dict[str, float]] = lambda network: {},
    callback: Callback | None = None,
    own: OwnWeights | None = None,
) -> list[dict[str, float]]:
    """Train all members in place and leave the network in evaluation mode.

    Parameters
    ----------
    network : Ensemble
    blocks : sequence of Tensor, shape (n, p_m)
        Standardised features of all training rows, a stand-in's where a person lacks the modality.
    scores : Tensor, shape (n,)
        Normal scores of the target.
    present : Tensor, shape (n, M)
        1 where a person has a modality, else 0.
    rows : sequence of E Tensors of int, shape (r_e,)
        The rows that each member is trained on; their numbers may differ by a few, and rows beyond the last full
        batch sit out an epoch at random.
    random : MemberRandom
        Order of rows, dropout and bottleneck noise.
    recipe : TrainingOptions
    watch : callable
        Called after each epoch with the network in evaluation mode; what it returns is added to the epoch's entry.
    callback : callable or None
        Called with each epoch's entry, see `brainpid.model.progress`.
    own : OwnWeights or None
        Sets fusion weights as the training goes on; the rows that it reads sit out until it is done.

    Returns
    -------
    list of dict
        One entry per epoch: ``epoch``, ``learning_rate``, ``loss`` and the loss terms, means over members and
        batches, and what `watch` returned.

    Raises
    ------
    NumericalError
        Where a loss term is not finite; the message names the epoch, the batch and the term.
    """
    plan = [own.rows if own is not None and epoch < own.until else rows for epoch in range(recipe.epochs)]
    batches = [_batches(taken, recipe.batch_size) for taken in plan]
    parameters = [p for p in network.parameters() if p.requires_grad]
    steps = sum(number for number, _ in batches)
    optimiser = OneCycleAdamW(parameters, recipe.learning_rate, recipe.weight_decay, steps)
    history: list[dict[str, float]] = []
    for epoch in progress(range(recipe.epochs), "training"):
        network.train()
        n_batches, size = batches[epoch]
        order = random.shuffled(plan[epoch], n_batches * size)
        sums: dict[str, float] = {}
        rate = optimiser.rate
        for batch in range(n_batches):
            chosen = order[:, batch * size : (batch + 1) * size]
            inputs = [block[chosen] for block in blocks]
            goal = scores[chosen]
            terms = loss_terms(network(inputs, random), inputs, goal, present[chosen], recipe)
            means = {name: float(term.detach().mean()) for name, term in terms.items()}
            _check_finite(means, epoch, batch)
            loss = torch.stack(list(terms.values())).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            for name, value in means.items():
                sums[name] = sums.get(name, 0.0) + value / n_batches
        network.eval()
        if own is not None:
            own.read(network, epoch + 1)
        record = {"epoch": float(epoch), "learning_rate": rate, "loss": sum(sums.values()), **sums}
        history.append(record | watch(network))
        told(callback, "network", epoch + 1, recipe.epochs, record=history[-1])
    return history


def _batches(rows: Sequence[Tensor], nominal: int) -> tuple[int, int]:
    """Number of batches of an epoch, and their size, where members are trained on such rows."""
    fewest = min(len(own) for own in rows)
    number = max(1, round(fewest / nominal))
    return number, fewest // number


def _check_finite(means: dict[str, float], epoch: int, batch: int) -> None:
    for name, value in means.items():
        if not torch.isfinite(torch.tensor(value)):
            found = ", ".join(f"{term} {mean:.4g}" for term, mean in means.items())
            raise NumericalError(
                f"loss term '{name}' is not finite at epoch {epoch}, batch {batch} (terms: {found}); "
                "lower the learning rate or look for extreme feature values"
            )
