"""PIDReg as an encoder: the scalar latent of each modality, from an ensemble that is fitted to each target anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brainpid.core.arrays import Blocks, FloatArray
from brainpid.model.pidreg.estimator import PIDReg


@dataclass(frozen=True)
class PIDRegEncoder:
    """One scalar latent a modality: the readout of that modality's latent.

    Attributes
    ----------
    options : dict
        Options of `brainpid.model.PIDReg`.
    """

    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, training: Blocks, scores: FloatArray, new: Blocks, seed: int = 0) -> dict[str, FloatArray]:
        """See `brainpid.crossfit.encoders.Encoder`."""
        latents: dict[str, list[FloatArray]] = {name: [] for name in training}
        for target in scores:
            model = PIDReg(**self.options | {"target_transform": "none", "random_state": seed}).fit(training, target)
            for name, latent in model.scalar_latents(new).items():
                latents[name].append(latent[:, None])
        return {name: np.stack(values) for name, values in latents.items()}
