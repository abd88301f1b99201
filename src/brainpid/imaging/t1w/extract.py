"""A raw T1-weighted image."""

from __future__ import annotations

from brainpid.config.extraction import StructuralExtraction
from brainpid.imaging.atlas_files import atlas_of
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.extracted import Extracted, divide_by_icv
from brainpid.imaging.nifti import open_image, read_data
from brainpid.imaging.t1w.volumes import extract_t1

SEED = 1


def extract_files(files: dict[str, str], settings: StructuralExtraction) -> Extracted:
    """Extract regional volumes; see `brainpid.imaging.t1w.volumes.extract_t1` and `divide_by_icv`."""
    image = open_image(files["t1w"], 3)
    atlas = atlas_of(settings.atlas, lambda: gray_matter(settings.resolution))
    found = extract_t1(image, read_data(image), settings, atlas, SEED)
    return divide_by_icv(found) if settings.divide_by_icv else found
