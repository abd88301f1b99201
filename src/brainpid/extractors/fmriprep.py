"""A BOLD run that fMRIPrep has preprocessed."""

from __future__ import annotations

from pathlib import Path

from brainpid.extractors.settings import atlas_of, plain
from brainpid.imaging.bold_settings import BOLDSettings
from brainpid.imaging.confounds import read_confounds
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.functional import extract_bold
from brainpid.imaging.repetition import repetition_time
from brainpid.imaging.volumes import open_image
from brainpid.source_settings import FunctionalExtraction

ATLAS_RESOLUTION = 3


def extract_files(files: dict[str, str], settings: FunctionalExtraction) -> Extracted:
    """Extract connectivity and amplitudes; see `brainpid.imaging.functional.extract_bold`."""
    image = open_image(files["bold"], 4)
    confounds = read_confounds(files["confounds"], image.shape[3])
    mask = open_image(files["mask"], 3) if "mask" in files else None
    tr = repetition_time(image, Path(files["bold"]))
    atlas = atlas_of(settings.atlas, lambda: gray_matter(ATLAS_RESOLUTION))
    chosen = plain(BOLDSettings, settings)
    return extract_bold(image, tr, confounds=confounds, mask=mask, settings=chosen, atlas=atlas)
