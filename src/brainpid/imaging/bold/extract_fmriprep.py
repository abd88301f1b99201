"""A BOLD run that fMRIPrep has preprocessed."""

from __future__ import annotations

from dataclasses import replace

from brainpid.config.extraction import FunctionalExtraction
from brainpid.imaging.atlas_files import atlas_of
from brainpid.imaging.bold.confounds import read_confounds
from brainpid.imaging.bold.regional import extract_bold
from brainpid.imaging.bold.repetition_time import repetition_time
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.nifti import open_image

ATLAS_RESOLUTION = 3


def extract_files(files: dict[str, str], settings: FunctionalExtraction) -> Extracted:
    """Extract connectivity and amplitudes; see `brainpid.imaging.bold.regional.extract_bold`."""
    image = open_image(files["bold"], 4)
    confounds = read_confounds(files["confounds"], image.shape[3])
    mask = open_image(files["mask"], 3) if "mask" in files else None
    tr, doubt = repetition_time(image, files)
    atlas = atlas_of(settings.atlas, lambda: gray_matter(ATLAS_RESOLUTION))
    found = extract_bold(image, tr, confounds=confounds, mask=mask, settings=settings, atlas=atlas)
    return replace(found, note=doubt)
