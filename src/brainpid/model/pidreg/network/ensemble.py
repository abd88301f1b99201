"""What a trained ensemble of networks needs to read people, as one value that can be saved without pickle."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor

from brainpid.core.arrays import Blocks, BoolArray, FloatArray, IntArray
from brainpid.core.modalities import presence
from brainpid.model.pidreg.base_predictions import (
    AdditivePredictions,
    BasePredictions,
    VaryingPredictions,
    subset_patterns,
    subsets_read,
)
from brainpid.model.pidreg.network.encoding import encode
from brainpid.model.pidreg.network.layers import Architecture, Ensemble, MemberRandom, Perceptron
from brainpid.model.varying import Additive

_CHUNK = 1024  # rows per pass at prediction: bounds the memory of a stack of members


@dataclass(frozen=True)
class FittedEnsemble:
    """Networks and the encoding of their inputs.

    Attributes
    ----------
    edges : dict of str to list of Tensor
        Bin edges of the piecewise-linear encoding of each modality; empty for standardised features as they are.
    network : Ensemble
        In evaluation mode, on the CPU.
    device : {"cpu", "cuda"}
        Where many people are read; one that was saved and loaded is read on the CPU, the same everywhere.
    """

    edges: dict[str, list[Tensor]]
    network: Ensemble
    device: str = "cpu"

    def read(self, blocks: Blocks) -> BasePredictions:
        """Mean prediction of the members; standardised blocks, where a row of NaN is a missing modality."""
        predictions, readouts, present = self._pass(blocks)
        return _predictions(predictions.mean(0), readouts.mean(0), present)

    def leave_out(self, blocks: Blocks, fold: IntArray, left_out: Sequence[int]) -> BasePredictions:
        """Mean prediction of each training person by the members that left that person out; NaN where none did.

        Parameters
        ----------
        blocks : mapping of str to ndarray, shape (n, p_m)
        fold : ndarray of int, shape (n,)
            Inner fold of each person.
        left_out : sequence of int
            The inner fold that each member left out.
        """
        predictions, readouts, present = self._pass(blocks)
        unseen = np.asarray(left_out)[:, None] == fold
        weight = unseen / np.where(unseen.any(axis=0), unseen.sum(axis=0), np.nan)
        return _predictions((predictions * weight).sum(0), (readouts * weight[..., None]).sum(0), present)

    @torch.inference_mode()
    def vary(self, blocks: Blocks, modality: str) -> VaryingPredictions:
        """People as they vary in one modality: what changed columns add to the first layer is all that is computed."""
        present, unused = presence(blocks), MemberRandom([0] * self.network.members)
        inputs = network_inputs({m: np.nan_to_num(block) for m, block in blocks.items()}, self.edges)
        stacked = [block.expand(self.network.members, -1, -1) for block in inputs]
        encoders = cast("list[Perceptron]", list(self.network.encoders))
        latents = [encoder(x, unused) for encoder, x in zip(encoders, stacked, strict=True)]
        place, edges = list(blocks).index(modality), self.edges.get(modality)
        encoder, own = encoders[place], inputs[place]
        first = encoder.first(stacked[place])
        widths = np.ones(blocks[modality].shape[1], dtype=int)
        if edges is not None:
            widths = np.array([max(len(found) - 1, 0) for found in edges])
        ends = np.cumsum(widths)

        @torch.inference_mode()
        def changed(columns: IntArray, values: FloatArray) -> BasePredictions:
            times, rows = len(values), values.shape[0] * values.shape[1]
            entered = first.repeat(1, times, 1)
            if len(inside := np.concatenate([np.arange(ends[j] - widths[j], ends[j]) for j in columns])):
                some = {modality: [edges[j] for j in columns]} if edges is not None else {}
                (after,) = network_inputs({modality: np.nan_to_num(values.reshape(rows, -1))}, some)
                step = after - own[:, inside].repeat(times, 1)
                entered = entered + step @ encoder.first.weight[:, inside]
            moved = [latent.repeat(1, times, 1) for latent in latents]
            moved[place] = encoder.above_first(entered, unused)
            out = self.network.on_latents(moved, unused)
            together, alone = (part.mean(0).numpy().astype(np.float64) for part in (out.prediction, out.readouts))
            return _predictions(together, alone, np.tile(present, (times, 1)))

        return changed

    def additive(self, blocks: Blocks, modality: str) -> AdditivePredictions:
        """What each feature does alone, by backpropagation; along a bent axis the chord of one standard deviation."""
        present, unused, place = (
            presence(blocks),
            MemberRandom([0] * self.network.members),
            list(blocks).index(modality),
        )
        filled = {m: np.nan_to_num(block) for m, block in blocks.items()}
        inputs = network_inputs(filled, self.edges)
        inputs[place].requires_grad_(True)
        encoders = [cast(Perceptron, encoder) for encoder in self.network.encoders]
        stacked = [block.expand(self.network.members, -1, -1) for block in inputs]
        latents = [encoder(x, unused) for encoder, x in zip(encoders, stacked, strict=True)]
        together = self.network.on_latents(latents, unused).prediction.mean(0).sum()
        # Of the latents themselves: what reaches them from the readouts in training may be nothing.
        alone = self.network.readouts[place](latents[place]).mean(0).sum()
        own = filled[modality]

        def slopes(score: Tensor) -> Additive:
            (entered,) = torch.autograd.grad(score, inputs[place], retain_graph=True)
            slope = entered.numpy().astype(np.float64)
            return Additive(self._per_feature(slope, own, modality))

        joint = slopes(together).times(np.asarray(present.all(axis=1), dtype=np.float64))
        return {place: slopes(alone), len(subsets_read(list(blocks))) - 1: joint}

    def _per_feature(self, slope: FloatArray, block: FloatArray, modality: str) -> FloatArray:
        """Slopes (n, q_m) with respect to what the encoders take as slopes with respect to features (n, p_m)."""
        if (edges := self.edges.get(modality)) is None:
            return slope
        rise = (encode(block + 0.5, edges) - encode(block - 0.5, edges)).numpy() * slope
        widths = [max(len(found) - 1, 0) for found in edges]
        ends = np.concatenate([np.zeros((len(block), 1)), rise.cumsum(axis=1)], axis=1)
        at = np.concatenate([[0], np.cumsum(widths)])
        return np.asarray(ends[:, at[1:]] - ends[:, at[:-1]])

    def only(self, member: int) -> FittedEnsemble:
        """One of the members by itself."""
        return replace(self, network=self.network.only(member))

    def weights(self) -> tuple[list[float], float]:
        """Fusion weights of the modalities, in the order of the blocks, and of the product; means over the members."""
        *modalities, synergy = self.network.fusion.mean(0).tolist()
        return modalities, synergy

    def _pass(self, blocks: Blocks) -> tuple[FloatArray, FloatArray, BoolArray]:
        present = presence(blocks)
        inputs = network_inputs({m: np.nan_to_num(block) for m, block in blocks.items()}, self.edges)
        return *run_network(self.network, inputs, self.device), present

    def state(self) -> dict[str, Any]:
        """Return tensors and plain containers, which `torch.load` accepts from any source."""
        return {
            "edges": self.edges,
            "architecture": asdict(self.network.architecture),
            "members": self.network.members,
            "network": self.network.state_dict(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        network = Ensemble(Architecture(**state["architecture"]), MemberRandom([0] * state["members"])).eval()
        network.load_state_dict(state["network"])
        return cls(state["edges"], network)


def _predictions(together: FloatArray, alone: FloatArray, present: BoolArray) -> BasePredictions:
    """Predictions without those that a missing modality had a part in."""
    scores = np.full((len(present), len(subset_patterns(present.shape[1]))), np.nan)
    scores[:, : present.shape[1]] = np.where(present, alone, np.nan)
    scores[:, -1] = np.where(present.all(axis=1), together, np.nan)
    return BasePredictions(scores)


def network_inputs(blocks: Blocks, edges: dict[str, list[Tensor]]) -> list[Tensor]:
    """Turn standardised blocks (n, p_m) into what the encoders take, (n, q_m) each, float32."""
    return [
        encode(block, edges[m]) if m in edges else torch.from_numpy(block.astype(np.float32))
        for m, block in blocks.items()
    ]


@torch.inference_mode()
def run_network(network: Ensemble, blocks: list[Tensor], device: str = "cpu") -> tuple[FloatArray, FloatArray]:
    """Predictions (E, n) and readouts (E, n, M) of encoded blocks (n, q_m), in evaluation mode.

    In float64, so that what is predicted of a person hangs on who else is read by no more than 1e-12: products of
    float32 matrices differ in the seventh digit with the number of rows.
    """
    unused, precise = MemberRandom([0] * network.members), deepcopy(network).double().to(device)
    starts = range(0, max(len(blocks[0]), 1), _CHUNK)
    passes = [
        precise(
            [block[start : start + _CHUNK].to(device).double().expand(network.members, -1, -1) for block in blocks],
            unused,
        )
        for start in starts
    ]
    predictions = torch.cat([p.prediction for p in passes], 1).cpu().numpy()
    readouts = torch.cat([p.readouts for p in passes], 1).cpu().numpy()
    return predictions, readouts
