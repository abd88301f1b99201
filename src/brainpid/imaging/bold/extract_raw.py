"""A raw BOLD run, as a declared best effort: rigid realignment and an affine map to MNI, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from brainpid.config.extraction import FunctionalExtraction
from brainpid.imaging.atlas_files import atlas_of
from brainpid.imaging.bold.raw import extract_raw_bold
from brainpid.imaging.bold.repetition_time import repetition_time
from brainpid.imaging.bold.settings import BOLDSettings
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.nifti import open_image
from brainpid.imaging.plain_settings import plain

ATLAS_RESOLUTION = 3


def extract_files(files: dict[str, str], settings: FunctionalExtraction) -> Extracted:
    """Extract connectivity and amplitudes; see `brainpid.imaging.bold.raw.extract_raw_bold`."""
    image = open_image(files["bold"], 4)
    tr = repetition_time(image, Path(files["bold"]))
    atlas = atlas_of(settings.atlas, lambda: gray_matter(ATLAS_RESOLUTION))
    chosen = replace(plain(BOLDSettings, settings), strategy=settings.raw_strategy)
    return extract_raw_bold(image, tr, settings=chosen, atlas=atlas)
