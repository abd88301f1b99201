"""Encoder by partial least squares: the components of each modality that covary with the target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.cross_decomposition import PLSRegression

from brainpid.core.arrays import Blocks, FloatArray
from brainpid.core.linalg import factorising


@dataclass(frozen=True)
class PLSEncoder:
    """Partial least squares.

    Attributes
    ----------
    components : int
        Number of components of each modality; fewer where a modality has fewer features.
    scalar : bool
        Whether the latent is the prediction (d = 1) or the component scores (d = components).
    """

    components: int = 2
    scalar: bool = True

    def __call__(self, training: Blocks, scores: FloatArray, new: Blocks, seed: int = 0) -> dict[str, FloatArray]:
        """See `brainpid.crossfit.encoders.Encoder`; nothing is random."""
        latents = {}
        for name, block in training.items():
            components = min(self.components, *block.shape)
            with factorising("partial least squares", block, *block.shape):
                fits = [PLSRegression(components, scale=False).fit(block, target) for target in scores]
            encoded = [
                np.reshape(fit.predict(new[name]), (-1, 1)) if self.scalar else fit.transform(new[name]) for fit in fits
            ]
            latents[name] = np.stack(encoded)
        return latents
