"""A small BOLD series of three regions that follow planted series, for tests."""

from __future__ import annotations

import nibabel as nib
import numpy as np

from brainpid.imaging.atlases import Atlas

TR = 2.0
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SHAPE = (8, 8, 6)
NAMES = {1: "caudate", 2: "amygdala", 5: "thalamus"}


def make_atlas(affine=AFFINE):
    """Three regions that touch along the first axis."""
    labels = np.zeros(SHAPE, dtype=np.int16)
    labels[1:3, 1:7, 1:5], labels[3:5, 1:7, 1:5], labels[5:7, 1:7, 1:5] = 1, 2, 5
    return Atlas(nib.Nifti1Image(labels, affine), dict(NAMES), "three")


def make_bold(n=200, seed=0, noise=0.5):
    """A brain whose three regions follow three planted series."""
    rng = np.random.default_rng(seed)
    atlas = make_atlas()
    labels = np.asarray(atlas.image.dataobj)
    planted = rng.normal(size=(n, 3)) @ np.linalg.cholesky([[1, 0.6, -0.3], [0.6, 1, 0.1], [-0.3, 0.1, 1]]).T
    data = np.full((*SHAPE, n), 0.0)
    for column, label in enumerate(NAMES):
        data[labels == label] = 1000 + 10 * planted[:, column]
    inside = labels > 0
    data[inside] += noise * rng.normal(size=(int(inside.sum()), n))
    return data.astype(np.float32), planted, atlas


def image_of(data):
    """Put a series on the grid of the atlas."""
    return nib.Nifti1Image(data, AFFINE)
