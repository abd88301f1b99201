"""A raw diffusion series with its gradients."""

from __future__ import annotations

from dataclasses import replace

from brainpid.config.extraction import DiffusionExtraction
from brainpid.imaging.atlas_files import atlas_of
from brainpid.imaging.default_atlases import white_matter
from brainpid.imaging.dwi.gradients import read_gradients
from brainpid.imaging.dwi.regional import extract_dwi
from brainpid.imaging.extracted import Extracted
from brainpid.imaging.nifti import open_image, read_data


def extract_files(files: dict[str, str], settings: DiffusionExtraction) -> Extracted:
    """Extract regional means of tensor metrics; see `brainpid.imaging.dwi.regional.extract_dwi`."""
    image = open_image(files["dwi"], 4)
    gradients = read_gradients(files["bval"], files["bvec"], image.shape[3], settings.b0_threshold)
    atlas = atlas_of(settings.atlas, lambda: white_matter(settings.resolution))
    found = extract_dwi(image, read_data(image), gradients, settings, atlas)
    if gradients.b0_limit == settings.b0_threshold:
        return found
    lowest = gradients.bvals[gradients.unweighted]
    return replace(
        found,
        note=f"no volume with b <= {settings.b0_threshold:g} s/mm^2: the lowest shell, b = {lowest.min():g} to "
        f"{lowest.max():g}, counts as not weighted",
    )
