"""How long the extraction of a person takes, from the header of the image: an estimate for who plans a run.

Seconds of one core of a machine of 2024; another one takes half or double. No result depends on them, so that nothing
that a digest of code follows may import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainpid.config.extraction import DiffusionExtraction, FunctionalExtraction, StructuralExtraction
from brainpid.config.sources import ImportSource
from brainpid.features.memory import TEMPLATE_VOXELS, USUAL, ImageSize, image_size, job_memory

START_S = 4.0
"""Of a job that extracts images: libraries and templates."""
MOST_HEADERS = 200
"""People of a cohort whose images' headers are read."""
TEXT = ImageSize(1_000_000, 1)


@dataclass(frozen=True)
class ImageWork:
    """What the images of one modality of a cohort take.

    Attributes
    ----------
    people : int
        Who has them.
    seconds : float
        Of a person, on average.
    mb : int
        Memory that the largest of their jobs asks for.
    features : int
        About how many come out of a person.
    """

    people: int
    seconds: float
    mb: int
    features: int


def image_work(reader: str, people: Sequence[Sequence[str]], settings: Any) -> ImageWork:
    """Estimate the work of some people's images.

    Parameters
    ----------
    reader : str
        What reads the files (`brainpid.config.sources.reader_of`).
    people : sequence of sequence of str
        Image files of each person who has some.
    settings : Section
        Of the extraction.
    """
    places = np.unique(np.linspace(0, max(0, len(people) - 1), MOST_HEADERS).astype(int)) if people else ()
    looked_at = [people[place] for place in places]
    formula, usual = SECONDS[reader], USUAL.get(reader, TEXT)
    each = []
    for paths in looked_at:
        sizes = [size for path in paths if (size := image_size(path)) is not None]
        each.append(formula(max(sizes, key=lambda size: size.voxels * size.volumes, default=usual), settings))
    need = job_memory(reader, looked_at, settings, 1)
    return ImageWork(len(people), float(np.mean(each)) if each else 0.0, need.mb, FEATURES[reader])


def _template_voxels(resolution: int) -> float:
    return TEMPLATE_VOXELS / resolution**3


def _t1w(size: ImageSize, settings: StructuralExtraction) -> float:
    """Registration and bias field on the grid of the template work, or of the image where that is coarser."""
    voxels = min(_template_voxels(settings.resolution), 1.5 * size.voxels)
    each = 2e-6 + (5e-6 if settings.n4 else 0) + (8e-6 if settings.registration == "syn" else 0)
    return 0.2 + each * voxels + 0.1e-6 * size.voxels


def _dwi(size: ImageSize, settings: DiffusionExtraction) -> float:
    """The fit of every voxel, and the registration of one map."""
    fit = (0.25e-6 + (5e-6 if settings.mppca else 0)) * size.voxels * size.volumes
    each = 6e-6 if settings.registration == "syn" else 1e-6
    return 0.15 + fit + each * _template_voxels(settings.resolution)


def _bold(size: ImageSize, settings: FunctionalExtraction) -> float:
    """Every volume is registered to the first, and resampled."""
    return 0.5 + size.volumes * (0.02 + 0.5e-6 * size.voxels)


def _fmriprep(size: ImageSize, settings: FunctionalExtraction) -> float:
    """Mostly decompression."""
    return 0.05 + (20e-9 if settings.reho else 6e-9) * size.voxels * size.volumes


def _qsirecon(size: ImageSize, settings: DiffusionExtraction) -> float:
    """Maps, resampled to the atlas."""
    return 0.2 + 0.5e-6 * size.voxels


def _freesurfer(size: ImageSize, settings: StructuralExtraction) -> float:
    """Text."""
    return 0.01


def _import(size: ImageSize, settings: ImportSource) -> float:
    """What a function of the user's own takes is not known."""
    return 1.0


SECONDS: Mapping[str, Callable[[ImageSize, Any], float]] = {
    "t1w": _t1w,
    "dwi": _dwi,
    "bold": _bold,
    "fmriprep": _fmriprep,
    "freesurfer": _freesurfer,
    "qsirecon": _qsirecon,
    "import": _import,
}
"""Of one person, by the names of `brainpid.features.extractors.EXTRACTORS`."""
FEATURES = {"t1w": 60, "dwi": 80, "bold": 700, "fmriprep": 700, "freesurfer": 250, "qsirecon": 80, "import": 100}
"""About how many a person has by the default atlas."""
