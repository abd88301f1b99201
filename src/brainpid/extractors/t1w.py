"""A raw T1-weighted image."""

from __future__ import annotations

from brainpid.extractors.settings import atlas_of, plain
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.extracted import Extracted, divide_by_icv
from brainpid.imaging.structural import T1Settings, extract_t1
from brainpid.imaging.volumes import open_image, read_data
from brainpid.source_settings import StructuralExtraction

SEED = 1


def extract_files(files: dict[str, str], settings: StructuralExtraction) -> Extracted:
    """Extract regional volumes; see `brainpid.imaging.structural.extract_t1` and `divide_by_icv`."""
    image = open_image(files["t1w"], 3)
    atlas = atlas_of(settings.atlas, lambda: gray_matter(settings.resolution))
    found = extract_t1(image, read_data(image), plain(T1Settings, settings), atlas, SEED)
    return divide_by_icv(found) if settings.divide_by_icv else found
