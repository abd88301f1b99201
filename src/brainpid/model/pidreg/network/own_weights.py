"""Fusion weights of a network from its own latents, by the closed form of `brainpid.pid.lattice`.

Information in latents is far too large on the people whom an encoder was fitted to. A fifth of a network's training
people therefore sit out the first half of its epochs, by whole inner folds, so that groups stay together. At each fifth
of that half the information about the target is read on them, debiased, in one scalar per modality, the readout of its
latent, and gives the weights. The last ones stay: from half of the epochs on nothing changes them, and everybody is
trained on. No person who is predicted out of fold has a part in the weights of the network that predicts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from brainpid.config.models import FEWEST_OF_OWN_WEIGHTS
from brainpid.core.arrays import BoolArray, FloatArray, IntArray
from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.crossfit.minima import fewest_of_latents, folds_read
from brainpid.model.pidreg.network.layers import Ensemble, MemberRandom
from brainpid.pid.estimation import information_from_data
from brainpid.pid.lattice import FusionWeights, fusion_weights

_LOG = logging.getLogger(__name__)

READINGS = 5


class OwnWeights:
    """Reads and sets the fusion weights of every member.

    Parameters
    ----------
    names : sequence of str
        Modalities in the order of the inputs.
    inputs : sequence of Tensor, shape (n, q_m)
        What the encoders take.
    scores : ndarray, shape (n,)
    complete : ndarray of bool, shape (n,)
        Who has every modality; the others are not read.
    fold : ndarray of int, shape (n,)
        Inner fold of each person.
    members : sequence of int
        The inner fold that each member leaves out; -1 for none.
    epochs : int

    Attributes
    ----------
    rows : list of E Tensors of int
        The rows that each member is trained on until `until` epochs are done.
    until : int

    Raises
    ------
    InputError
        Where there are fewer than three inner folds, or too few people to read.
    """

    def __init__(
        self,
        names: Sequence[str],
        inputs: Sequence[Tensor],
        scores: FloatArray,
        complete: BoolArray,
        fold: IntArray,
        members: Sequence[int],
        epochs: int,
    ) -> None:
        self._names, self._inputs, self._scores = names, inputs, scores
        n_folds = int(fold.max()) + 1
        if n_folds < FEWEST_OF_OWN_WEIGHTS:
            raise InputError(
                f"fusion: latents (of the recipe paper): expected at least {FEWEST_OF_OWN_WEIGHTS} inner folds, which "
                f"are the members or, where they are fewer, the groups; found {n_folds}"
            )
        following = 1 + np.arange(folds_read(n_folds))
        sits_out = [np.isin(fold, (left_out + following) % n_folds) for left_out in members]
        self._read = [np.flatnonzero(out & complete) for out in sits_out]
        fewest, needed = min(len(rows) for rows in self._read), fewest_of_latents(len(names))
        if fewest < needed:
            raise InputError(
                f"fusion: latents (of the recipe paper): {fewest} people with every modality are there to read the "
                f"weights of {len(names)} modalities from, a fifth of the training people; expected at least {needed}"
            )
        self.until = (epochs + 1) // 2
        self._at = {max(1, round(self.until * k / READINGS)) for k in range(1, READINGS + 1)}
        self.rows = [
            torch.from_numpy(np.flatnonzero((fold != left_out) & ~out))
            for left_out, out in zip(members, sits_out, strict=True)
        ]

    @torch.inference_mode()
    def read(self, network: Ensemble, epochs: int) -> None:
        """Set the weights of a network in evaluation mode, if after so many epochs it is time."""
        if epochs not in self._at:
            return
        longest = max(len(rows) for rows in self._read)
        padded = torch.from_numpy(np.stack([np.pad(rows, (0, longest - len(rows))) for rows in self._read]))
        found = network([block[padded] for block in self._inputs], MemberRandom([0] * network.members))
        readouts = found.readouts.cpu().numpy().astype(np.float64)
        for member, rows in enumerate(self._read):
            weights = self._weights(readouts[member, : len(rows)], self._scores[rows])
            if epochs == self.until and not weights.informative:
                _LOG.warning("no latent of a network has positive information about the target: equal fusion weights")
            network.fusion[member] = torch.tensor([*(weights.modalities[m] for m in self._names), weights.synergy])

    def _weights(self, readouts: FloatArray, scores: FloatArray) -> FusionWeights:
        """Weights by the debiased information in readouts (n, M) about scores (n,)."""
        found = information_from_data(dict(zip(self._names, readouts.T[..., None], strict=True)), scores)
        return fusion_weights(dict(zip(map(frozenset, subsets_of(found.modalities)), found.bits.tolist(), strict=True)))
