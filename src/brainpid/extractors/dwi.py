"""A raw diffusion series with its gradients."""

from __future__ import annotations

from brainpid.extractors.settings import atlas_of, plain
from brainpid.imaging.default_atlases import white_matter
from brainpid.imaging.diffusion import DWISettings, extract_dwi
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.gradients import read_gradients
from brainpid.imaging.volumes import open_image, read_data
from brainpid.source_settings import DiffusionExtraction


def extract_files(files: dict[str, str], settings: DiffusionExtraction) -> Extracted:
    """Extract regional means of tensor metrics; see `brainpid.imaging.diffusion.extract_dwi`."""
    image = open_image(files["dwi"], 4)
    gradients = read_gradients(files["bval"], files["bvec"], image.shape[3])
    atlas = atlas_of(settings.atlas, lambda: white_matter(settings.resolution))
    return extract_dwi(image, read_data(image), gradients, plain(DWISettings, settings), atlas)
