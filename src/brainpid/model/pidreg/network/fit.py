"""Fitting the ensemble of networks to standardised training people.

Member e leaves out inner fold e, so that every training person has a prediction by a network that was not trained on
that person.

A modality with more inputs than people enters by its coordinates in the space that the people's rows span, scaled to
the mean square of the inputs. No gradient leaves that space, and random weights turned into it are as random as before;
the trained weights are turned back into those of the inputs, less what the random ones have outside of the space, which
is noise to new people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.linalg import RowSpace
from brainpid.core.modalities import lacking, presence, subsets_of
from brainpid.model.pidreg.network.encoding import bin_edges
from brainpid.model.pidreg.network.ensemble import FittedEnsemble, network_inputs
from brainpid.model.pidreg.network.layers import Architecture, Ensemble, MemberRandom
from brainpid.model.pidreg.network.own_weights import OwnWeights
from brainpid.model.pidreg.network.training import TrainingOptions, train, with_stand_ins
from brainpid.model.progress import Callback
from brainpid.pid.estimation import MIN_PEOPLE_PER_DIMENSION, information_from_data
from brainpid.pid.lattice import FusionWeights

NOBODY = -1
"""In the place of an inner fold: the member is trained on everybody, and predicts nobody out of fold."""


def fit_network(
    blocks: Blocks,
    scores: FloatArray,
    fold: IntArray,
    members: Sequence[int],
    options: Mapping[str, Any],
    weights: FusionWeights,
    seeds: Sequence[np.random.SeedSequence],
    callback: Callback | None = None,
    device: str = "cpu",
) -> tuple[FittedEnsemble, list[dict[str, float]]]:
    """Train members; returns the ensemble and its history.

    Parameters
    ----------
    blocks : mapping of str to ndarray, shape (n, p_m)
        Standardised features in sorted order of the names; a row of NaN is a missing modality.
    scores : ndarray, shape (n,)
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    members : sequence of int
        The inner fold that each member leaves out; `NOBODY` for one that is trained on everybody.
    options : mapping of str to object
        Hyperparameters of `brainpid.model.PIDReg`, none of them left to a recipe.
    weights : FusionWeights
    seeds : sequence of SeedSequence
        Two for each member: initial weights, and the course of the training.
    callback : callable or None
        Called after each epoch, see `brainpid.model.progress`.
    device : {"cpu", "cuda"}
        Where it is trained, and read until it is saved; the weights come back to the CPU.
    """
    initial, course = _member_random(seeds[::2], "cpu"), _member_random(seeds[1::2], device)
    edges = (
        {m: bin_edges(block[~lacking(block)], options["bins"]) for m, block in blocks.items()}
        if options["bins"]
        else {}
    )
    entered, axes = zip(*map(_coordinates, network_inputs(with_stand_ins(blocks, scores, fold), edges)), strict=True)
    inputs = [block.to(device) for block in entered]
    network = Ensemble(_architecture([x.shape[1] for x in inputs], list(blocks), options, weights), initial).to(device)
    present = presence(blocks)
    own = None
    if options["fusion"] == "latents":
        own = OwnWeights(
            list(blocks), inputs, scores, np.asarray(present.all(axis=1)), fold, members, options["epochs"]
        )
    history = train(
        network,
        inputs,
        torch.from_numpy(scores.astype(np.float32)).to(device),
        torch.from_numpy(present.astype(np.float32)).to(device),
        [torch.from_numpy(np.flatnonzero(fold != left_out)) for left_out in members],
        course,
        TrainingOptions(**{name: options[name] for name in TrainingOptions.__dataclass_fields__}),
        _Watch(list(blocks), inputs, scores, present, [np.flatnonzero(fold == left_out) for left_out in members]),
        callback,
        own,
    )
    network.cpu().enter_by(axes)
    return FittedEnsemble(edges, network, device), history


def _coordinates(inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What a network takes (n, r) of inputs (n, p), and the map (p, r) that makes it; no map for inputs as they are."""
    n, p = inputs.shape
    if p <= n:
        return inputs, None
    space = RowSpace.of("inputs of the network", inputs.numpy().astype(np.float64))
    if not len(space.axes):  # of features that are all 0
        return inputs, None
    scale = (len(space.axes) / p) ** 0.5
    taken, entered = ((scale * part).astype(np.float32) for part in (space.coordinates, space.axes.T))
    return torch.from_numpy(taken), torch.from_numpy(np.ascontiguousarray(entered))


class _Watch:
    """Reads the people whom members leave out, after every epoch: error of the prediction, information, weights."""

    def __init__(
        self,
        names: list[str],
        inputs: list[torch.Tensor],
        scores: FloatArray,
        present: BoolArray,
        left_out: list[IntArray],
    ) -> None:
        self.names = names
        longest = max(len(rows) for rows in left_out)
        # Members read the same number of rows; what fills up a shorter fold, or none, is not counted.
        padded = np.stack([np.pad(rows, (0, longest - len(rows))) for rows in left_out])
        own = np.arange(longest) < np.array([len(rows) for rows in left_out])[:, None]
        counted = own & present[padded].all(axis=-1)
        self.inputs = [block[torch.from_numpy(padded)] for block in inputs]
        self.counted, self.scores = counted, scores[padded][counted]
        self.unused = MemberRandom([0] * len(left_out))

    @torch.inference_mode()
    def __call__(self, network: Ensemble) -> dict[str, float]:
        found = network(self.inputs, self.unused)
        error = found.prediction.cpu().numpy()[self.counted] - self.scores
        record = {"left_out_mse": float((error**2).mean())}
        if len(self.scores) >= MIN_PEOPLE_PER_DIMENSION * len(self.names):
            readouts = found.readouts.cpu().numpy()[self.counted].astype(np.float64)
            information = information_from_data(dict(zip(self.names, readouts.T[..., None], strict=True)), self.scores)
            bits = zip(subsets_of(information.modalities), information.bits.tolist(), strict=True)
            record |= {
                f"bits_{'+'.join(sorted(subset))}": value
                for subset, value in bits
                if len(subset) in (1, len(self.names))
            }
        weights = zip([*self.names, "synergy"], network.fusion.mean(0).tolist(), strict=True)
        return record | {f"weight_{name}": weight for name, weight in weights}


def _architecture(
    features: list[int], names: list[str], options: Mapping[str, Any], weights: FusionWeights
) -> Architecture:
    """Shape of the networks, modalities in the order of the inputs."""
    taken = ("hidden", "latent_dim", "head", "dropout", "signal", "alpha_readout")
    return Architecture(
        features=tuple(features),
        weights=tuple(weights.modalities[name] for name in names),
        synergy=weights.synergy,
        **{name: options[name] for name in taken},
    )


def _member_random(seeds: Sequence[np.random.SeedSequence], device: str) -> MemberRandom:
    return MemberRandom([int(seed.generate_state(1, np.uint64)[0] >> np.uint64(1)) for seed in seeds], device)
