"""What a trained ensemble needs to predict, as one value that can be saved and read again without pickle."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from brainpid.arrays import BoolArray, FloatArray, Modalities
from brainpid.inputs import Layout, complete_rows
from brainpid.networks import Architecture, Ensemble, MemberRandom
from brainpid.transforms import NormalScores, Standardizer

_CHUNK = 2048  # rows per pass at prediction: bounds the memory of a stack of members


class Pass(NamedTuple):
    """What all members say of people, on the normal-score scale.

    Attributes
    ----------
    complete : ndarray of bool, shape (n,)
        Who has every modality; the other arrays are of these people.
    predictions : ndarray, shape (E, n_complete)
    readouts : ndarray, shape (E, n_complete, M)
        Modalities in sorted order.
    """

    complete: BoolArray
    predictions: FloatArray
    readouts: FloatArray


@dataclass(frozen=True)
class FittedEnsemble:
    """Everything that was fitted on training people and that a prediction needs.

    Attributes
    ----------
    layout : Layout
        Modalities and features that were fitted on.
    standardizers : dict of str to Standardizer
        By modality, in sorted order, which is that of the network's inputs.
    target_map : NormalScores
    network : Ensemble
        In evaluation mode.
    """

    layout: Layout
    standardizers: dict[str, Standardizer]
    target_map: NormalScores
    network: Ensemble

    def run(self, X: Modalities) -> Pass:
        """Pass people through all members.

        Raises
        ------
        InputError
            Where `X` does not have the modalities and features that were fitted.
        """
        blocks = self.layout.check(X)
        complete = complete_rows(blocks, "given no prediction (NaN)")
        inputs = [
            torch.from_numpy(fitted.transform(blocks[name][complete]).astype(np.float32))
            for name, fitted in self.standardizers.items()
        ]
        return Pass(complete, *run_network(self.network, inputs))

    def by_modality(self, readouts: FloatArray, complete: BoolArray) -> dict[str, FloatArray]:
        """Spread readouts (n_complete, M) over all people (n,), by name in the order of the layout."""
        spread = np.full((len(complete), readouts.shape[1]), np.nan)
        spread[complete] = readouts
        columns = dict(zip(self.standardizers, spread.T, strict=True))
        return {name: columns[name] for name in self.layout.modalities}

    def state(self) -> dict[str, Any]:
        """Return tensors and plain containers, which `torch.load` accepts from any source."""
        return {
            "layout": asdict(self.layout),
            "standardizers": {name: tensors(asdict(fitted)) for name, fitted in self.standardizers.items()},
            "target_map": tensors(asdict(self.target_map)),
            "architecture": asdict(self.network.architecture),
            "members": self.network.members,
            "network": self.network.state_dict(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Undo `state`."""
        network = Ensemble(Architecture(**state["architecture"]), MemberRandom([0] * state["members"])).eval()
        network.load_state_dict(state["network"])
        return cls(
            layout=Layout(**state["layout"]),
            standardizers={name: Standardizer(**arrays(held)) for name, held in state["standardizers"].items()},
            target_map=NormalScores(**arrays(state["target_map"])),
            network=network,
        )


@torch.inference_mode()
def run_network(network: Ensemble, blocks: list[Tensor]) -> tuple[FloatArray, FloatArray]:
    """Predictions (E, n) and readouts (E, n, M) of standardised blocks (n, p_m), in evaluation mode."""
    unused = MemberRandom([0] * network.members)
    starts = range(0, max(len(blocks[0]), 1), _CHUNK)
    passes = [
        network([block[start : start + _CHUNK].expand(network.members, -1, -1) for block in blocks], unused)
        for start in starts
    ]
    predictions = torch.cat([p.prediction for p in passes], 1).numpy().astype(np.float64)
    readouts = torch.cat([p.readouts for p in passes], 1).numpy().astype(np.float64)
    return predictions, readouts


def tensors(content: dict[str, Any]) -> dict[str, Any]:
    """Replace arrays by tensors."""
    return {
        name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in content.items()
    }


def arrays(content: dict[str, Any]) -> dict[str, Any]:
    """Undo `tensors`."""
    return {name: value.numpy() if isinstance(value, Tensor) else value for name, value in content.items()}
