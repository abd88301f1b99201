"""A raw BOLD run, as a declared best effort: rigid realignment and an affine map to MNI, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from brainpid.config.extraction import FunctionalExtraction
from brainpid.imaging.atlas_files import atlas_of
from brainpid.imaging.bold.raw import extract_raw_bold
from brainpid.imaging.bold.repetition_time import repetition_time
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.nifti import open_image

ATLAS_RESOLUTION = 3


def extract_files(files: dict[str, str], settings: FunctionalExtraction) -> Extracted:
    """Extract connectivity and amplitudes; see `brainpid.imaging.bold.raw.extract_raw_bold`."""
    image = open_image(files["bold"], 4)
    tr, doubt = repetition_time(image, files)
    atlas = atlas_of(settings.atlas, lambda: gray_matter(ATLAS_RESOLUTION))
    return replace(extract_raw_bold(image, tr, settings=settings, atlas=atlas), note=doubt)
