"""Maps of diffusion as QSIRecon writes them, on the template's grid, for tests."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from diffusion_phantom import octants, planted

from brainpid.imaging.templates import mni152


def maps_of_a_brain() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """FA and MD on the template's grid of 4 mm, planted in every octant of the white matter, and the grid's affine."""
    atlas = octants(4)
    regions = np.asarray(atlas.image.dataobj)
    brain = np.asarray(mni152("brain", 4).dataobj) > 0.5
    fa, md = np.where(brain, 0.1, 0), np.where(brain, 9e-4, 0)
    for region, name in atlas.names.items():
        fa[regions == region], md[regions == region] = planted(atlas)[name]
    return fa, md, atlas.image.affine


def write_maps(folder: Path, label: str, maps: tuple[np.ndarray, np.ndarray, np.ndarray], scale: float) -> None:
    """FA times `scale`, and MD that rises where FA falls, as QSIRecon names them."""
    folder.mkdir(parents=True)
    fa, md, affine = maps
    for name, values in (("fa", scale * fa), ("md", md * (2 - scale))):
        file = f"{label}_space-MNI152NLin2009cAsym_model-tensor_param-{name}_dwimap.nii.gz"
        nib.save(nib.Nifti1Image(values.astype(np.float32), affine), folder / file)
