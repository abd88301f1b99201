"""The encoders that cross-fitting can use, by name, and what each of them offers.

Like models, encoders are named, not imported: nothing heavy is loaded before it is needed, and an edit of one encoder
reruns what used it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from brainpid.core.arrays import Blocks, FloatArray


class Encoder(Protocol):
    """What an encoder does: fit to training people, encode new ones, once for each of T targets."""

    def __call__(self, training: Blocks, scores: FloatArray, new: Blocks, seed: int) -> dict[str, FloatArray]:
        """Encode new people.

        Parameters
        ----------
        training, new : mapping of str to ndarray, shapes (n, p_m) and (k, p_m)
            Features, standardised on the training people, without missing cells.
        scores : ndarray, shape (T, n)
            Normal scores of each target among the training people.
        seed : int
            Of everything random.

        Returns
        -------
        dict of str to ndarray, shape (T, k, d)
            Latents of each modality.
        """


@dataclass(frozen=True)
class EncoderEntry:
    """Where an encoder lives: a class whose arguments are its options, in a module that is imported when needed."""

    module: str
    class_name: str
    packages: tuple[str, ...]
    label: str

    def load(self, **options: Any) -> Encoder:
        """Import the class and make an encoder."""
        encoder: Encoder = getattr(import_module(self.module), self.class_name)(**options)
        return encoder


ENCODERS = {
    "ridge": EncoderEntry("brainpid.crossfit.ridge", "RidgeEncoder", ("numpy",), "ridge"),
    "pls": EncoderEntry(
        "brainpid.crossfit.partial_least_squares", "PLSEncoder", ("numpy", "scikit-learn"), "partial least squares"
    ),
    "pidreg": EncoderEntry("brainpid.model.pidreg.encoder", "PIDRegEncoder", ("numpy", "torch"), "PIDReg"),
}
