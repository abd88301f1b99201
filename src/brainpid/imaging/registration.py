"""Registration of one person's image to a template with ANTs, and resampling in both directions."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import ants
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from brainpid.config.extraction import RegistrationModel
from brainpid.core.errors import ImageError, MachineError
from brainpid.imaging.ants_calls import ants_call
from brainpid.imaging.nifti import make_image

Interpolation = Literal["linear", "nearest"]
_MODELS: dict[RegistrationModel, str] = {"affine": "Affine", "syn": "antsRegistrationSyNQuick[s]"}
_LEVELS = {6: (2100, 3), 4: (1200, 2), 2: (1200, 1), 1: (10, 0)}
"""ANTs' levels of a linear registration: iterations and smoothing in voxels, by how often the grid shrinks."""
_FEWEST_VOXELS = 6
"""Along the shortest axis of a level; with 4, on an 8 mm template, one head in 20 turned over."""
_INTERPOLATORS = {"linear": "linear", "nearest": "nearestNeighbor"}

LOOK = "Is the whole head in the image, upright, and of the expected contrast?"


@dataclass
class Registration:
    """A transform between a person's space and a template's; its files live as long as the context.

    Attributes
    ----------
    similarity : float
        Correlation of the warped image with the template inside the template's mask, -1 to 1.
    """

    similarity: float
    _moving: ants.ANTsImage
    _fixed: ants.ANTsImage
    _forward: list[str]
    _inverse: list[str]
    _folder: tempfile.TemporaryDirectory[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def to_template(self, image: nib.Nifti1Image, interpolation: Interpolation = "linear") -> nib.Nifti1Image:
        """Resample a 3D image of the person onto the template's grid."""
        warped = ants.apply_transforms(
            self._fixed, to_ants(image), self._forward, interpolator=_INTERPOLATORS[interpolation]
        )
        return ants.to_nibabel_nifti(warped)

    def from_template(self, image: nib.Nifti1Image, interpolation: Interpolation = "linear") -> nib.Nifti1Image:
        """Resample a 3D image in the template's space onto the person's grid."""
        inverted = [path.endswith(".mat") for path in self._inverse]
        warped = ants.apply_transforms(
            self._moving,
            to_ants(image),
            self._inverse,
            interpolator=_INTERPOLATORS[interpolation],
            whichtoinvert=inverted,
        )
        return ants.to_nibabel_nifti(warped)

    def labels_from_template(self, image: nib.Nifti1Image) -> NDArray[np.int32]:
        """Labels of a template's image on the person's grid, by nearest neighbour."""
        return np.asarray(self.from_template(image, "nearest").dataobj).round().astype(np.int32)


def to_ants(image: nib.Nifti1Image) -> ants.ANTsImage:
    """Copy a 3D image to ANTs in float32; millimetres are taken where the header names no unit."""
    return ants.from_nibabel_nifti(make_image(np.asarray(image.dataobj, dtype=np.float32), image.affine))


def seed_ants(seed: int) -> None:
    """Seed `ants.registration`, which takes a seed from here alone: a keyword of that name is ignored."""
    ants.config.set_ants_deterministic(True, seed)


def register(
    image: nib.Nifti1Image,
    template: nib.Nifti1Image,
    *,
    mask: nib.Nifti1Image,
    model: RegistrationModel,
    least_similarity: float,
    seed: int = 1,
    focus: nib.Nifti1Image | None = None,
    shift: NDArray[np.float64] | None = None,
) -> Registration:
    """Register a 3D image to a template.

    Parameters
    ----------
    image, template : Nifti1Image
        Of similar contrast; skull-stripped both or neither.
    mask : Nifti1Image
        Where similarity is judged, on the template's grid.
    model : {"affine", "syn"}
    least_similarity : float
        Below it the registration has failed.
    seed : int
    focus : Nifti1Image, optional
        Where images are compared while they are brought together, on the template's grid; everywhere, if None. A mask a
        little wider than the brain lets a whole head meet a skull-stripped template; linear steps then maximise the
        correlation, since mutual information widens the brain to the skull (3.0 instead of 1.5 litres on a real head).
    shift : ndarray of float, shape (3,), optional
        Translation in mm (x to the right, y to the front, z up) from the template to the image to start from; from
        centre of mass to centre of mass, if None, which a neck in the image misleads.

    Returns
    -------
    Registration
        To be used in a ``with`` statement.

    Raises
    ------
    ImageError
        Where ANTs fails or the similarity is too low; the message has both numbers.
    """
    moving, fixed = to_ants(image), to_ants(template)
    folder = tempfile.TemporaryDirectory(prefix="brainpid-")
    options = _levels(min(template.shape)) if model == "affine" else {}
    if focus is not None:
        options |= {"mask": to_ants(focus), "mask_all_stages": True, "aff_metric": "GC"}
    if shift is not None:
        options["initial_transform"] = _write_shift(shift, Path(folder.name) / "start.mat")
    seed_ants(seed)
    try:
        with ants_call("registration to the template", LOOK):
            found = ants.registration(
                fixed,
                moving,
                type_of_transform=_MODELS[model],
                outprefix=str(Path(folder.name) / "t"),
                singleprecision=True,
                **options,
            )
    except (ImageError, MachineError):
        folder.cleanup()
        raise
    inside = np.asarray(mask.dataobj) > 0.5
    warped = found["warpedmovout"].numpy()[inside]
    spread = float(warped.std())
    similarity = float(np.corrcoef(warped, fixed.numpy()[inside])[0, 1]) if spread > 0 else 0.0
    if similarity < least_similarity:
        folder.cleanup()
        raise ImageError(
            f"registration to the template failed: similarity {similarity:.2f}, expected at least "
            f"{least_similarity:g}. {LOOK}"
        )
    return Registration(similarity, moving, fixed, found["fwdtransforms"], found["invtransforms"], folder)


def _levels(voxels: int) -> dict[str, Any]:
    """Levels of a linear registration to a template with so many voxels along its shortest axis."""
    shrink = tuple(factor for factor in _LEVELS if factor == 1 or voxels // factor >= _FEWEST_VOXELS)
    iterations, smoothing = zip(*(_LEVELS[factor] for factor in shrink), strict=True)
    return {"aff_shrink_factors": shrink, "aff_iterations": iterations, "aff_smoothing_sigmas": smoothing}


def _write_shift(shift: NDArray[np.float64], path: Path) -> str:
    """Write a translation for ANTs, whose x and y point to the left and to the back; return the path."""
    flipped = (np.asarray(shift) * [-1, -1, 1]).tolist()
    ants.write_transform(ants.create_ants_transform("AffineTransform", dimension=3, translation=flipped), str(path))
    return str(path)
