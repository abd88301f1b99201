"""How much memory the extraction of an image takes, from its header: what a job asks for before it starts.

Every formula was fitted to peaks of the extractor on synthetic images of several sizes, and lies 5 to 40% above them.
No result depends on them, so that nothing that a digest of code follows may import this module.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brainpid.config.extraction import DiffusionExtraction, FunctionalExtraction, StructuralExtraction
from brainpid.config.sources import ImportSource

MAIN_MB = 150.0
"""The process that hands out the work."""
MPPCA_MB = 16e-6
"""Of a voxel of a volume that is denoised: dipy works in float64."""
TEMPLATE_VOXELS = 9e6
"""Voxels of the template at 1 mm."""


@dataclass(frozen=True)
class ImageSize:
    """Size of an image.

    Attributes
    ----------
    voxels : int
        Of one volume.
    volumes : int
    """

    voxels: int
    volumes: int


@dataclass(frozen=True)
class Need:
    """Memory that a job asks for.

    Attributes
    ----------
    mb : int
    largest : str
        File of the largest image; empty where none could be read.
    """

    mb: int
    largest: str


def _t1w(size: ImageSize, settings: StructuralExtraction) -> float:
    """Template work by its resolution, or ten copies of the image, whatever is more."""
    return 300 + max(330e-6 * TEMPLATE_VOXELS / settings.resolution**3, 45e-6 * size.voxels)


def _dwi(size: ImageSize, settings: DiffusionExtraction) -> float:
    """The series in float32, its brain once more, what the fit of some voxels holds, and a few volumes."""
    each = 5.5e-6 + (MPPCA_MB if settings.mppca else 0)
    return 400 + each * size.voxels * size.volumes + 60e-6 * size.voxels + 3.2 * size.volumes


def _bold(size: ImageSize, settings: FunctionalExtraction) -> float:
    """A few volumes; regional homogeneity keeps all voxels of the brain."""
    return 500 + 90e-6 * size.voxels + (4e-6 * size.voxels * size.volumes if settings.reho else 0)


def _fmriprep(size: ImageSize, settings: FunctionalExtraction) -> float:
    """A few volumes; regional homogeneity keeps all voxels of the brain."""
    return 230 + 130e-6 * size.voxels + (4e-6 * size.voxels * size.volumes if settings.reho else 0)


def _qsirecon(size: ImageSize, settings: DiffusionExtraction) -> float:
    """A few volumes, one map after the other, and the template."""
    return 480 + 40e-6 * size.voxels + 30e-6 * TEMPLATE_VOXELS / settings.resolution**3


def _freesurfer(size: ImageSize, settings: StructuralExtraction) -> float:
    """Text."""
    return 150


def _import(size: ImageSize, settings: ImportSource) -> float:
    """What a function of the user's own takes is not known; a job that fails for lack of it is given more."""
    return 1000


MEMORY_MB: Mapping[str, Callable[[ImageSize, Any], float]] = {
    "t1w": _t1w,
    "dwi": _dwi,
    "bold": _bold,
    "fmriprep": _fmriprep,
    "freesurfer": _freesurfer,
    "qsirecon": _qsirecon,
    "import": _import,
}
"""MB of one worker, by the names of `brainpid.features.extractors.EXTRACTORS`."""
USUAL = {"t1w": ImageSize(17_000_000, 1), "dwi": ImageSize(1_500_000, 100)}
"""Size that counts for an image whose header cannot be read, of which most end there."""


def job_memory(reader: str, people: Iterable[Iterable[str]], settings: Any, workers: int) -> Need:
    """Memory of a job that extracts some people.

    Parameters
    ----------
    reader : str
        A name of `MEMORY_MB`.
    people : iterable of iterable of str
        Paths of the images of everybody who has files; others are of no size.
    settings : Section
        Of the extraction.
    workers : int
        How many people are worked on at a time.
    """
    formula, usual = MEMORY_MB[reader], USUAL.get(reader, ImageSize(1_000_000, 1))
    needs = []
    for paths in people:
        sizes = [(found, path) for path in paths if (found := image_size(path)) is not None]
        size, path = max(sizes, key=lambda one: one[0].voxels * one[0].volumes, default=(usual, ""))
        needs.append((formula(size, settings), path))
    needs = sorted(needs, reverse=True)[: max(1, workers)]
    return Need(math.ceil(MAIN_MB + sum(mb for mb, _ in needs)), needs[0][1] if needs else "")


def image_size(path: str) -> ImageSize | None:
    """Size of a NIfTI image by the dimensions in its header; None of what is no image, or cannot be read.

    Of thousands of images before a run starts, a library that builds an image of each takes ten times as long.
    """
    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            header = file.read(80)
        for order in "<>":
            size = struct.unpack_from(f"{order}i", header)[0]
            if size in _DIMENSIONS:
                kind, place = _DIMENSIONS[size]
                used, *shape = struct.unpack_from(f"{order}8{kind}", header, place)
                shape = [max(1, n) for n in shape[: max(0, used)]]
                return ImageSize(math.prod(shape[:3]), math.prod(shape[3:]))
    except (OSError, EOFError, zlib.error, struct.error):
        pass
    return None


_DIMENSIONS = {348: ("h", 40), 540: ("q", 16)}
"""Type and place of the dimensions in headers of NIfTI-1 and NIfTI-2, by the size that a header begins with."""
