"""Diffusion scalar maps in template space."""

from __future__ import annotations

from brainpid.config.extraction import DiffusionExtraction
from brainpid.imaging.atlas_files import atlas_of
from brainpid.imaging.default_atlases import white_matter
from brainpid.imaging.dwi.scalar_maps import extract_scalar_maps
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.nifti import open_image


def extract_files(files: dict[str, str], settings: DiffusionExtraction, diffusivity_unit: str = "mm^2/s") -> Extracted:
    """Extract regional means of every map; see `extract_scalar_maps`."""
    maps = {parameter: open_image(path, 3) for parameter, path in files.items()}
    atlas = atlas_of(settings.atlas, lambda: white_matter(settings.resolution))
    return extract_scalar_maps(maps, settings, atlas, diffusivity_unit)
