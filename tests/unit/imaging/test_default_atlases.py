"""The parcellations that need no download."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.imaging.atlases import labels_on
from brainpid.imaging.default_atlases import gray_matter, white_matter


@pytest.mark.parametrize(("make", "count"), [(gray_matter, 36), (white_matter, 18)])
def test_default_atlases_have_every_region_on_its_side(make, count):
    atlas = make(5)
    labels = np.asarray(atlas.image.dataobj)
    assert len(atlas.names) == count
    for label, name in atlas.names.items():
        voxels = np.argwhere(labels == label)
        assert len(voxels) >= 40
        x = nib.affines.apply_affine(atlas.image.affine, voxels)[:, 0]
        assert (x < 0).all() if name.startswith("L_") else (x >= 0).all() or not name.startswith("R_")
    assert np.array_equal(labels_on(atlas, atlas.image), labels)
