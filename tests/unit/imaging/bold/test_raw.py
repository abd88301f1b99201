"""Raw BOLD: known motion, the contrast of the template, the way of the labels."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from nilearn.signal import clean
from scipy import ndimage
from scipy.spatial.transform import Rotation

from brainpid.config.extraction import FunctionalExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold.confounds import framewise_displacement
from brainpid.imaging.bold.raw import bold_template, extract_raw_bold, realign
from brainpid.imaging.templates import mni152

TR = 2.0


def moved(volume, affine, rotation, translation):
    """The volume after its head turned (rad, about the grid's middle) and shifted (mm)."""
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    matrix = np.diag(1 / sizes) @ rotation.as_matrix().T @ np.diag(sizes)
    middle = (np.array(volume.shape) - 1) / 2
    offset = middle - matrix @ (middle + np.asarray(translation) / sizes)
    return ndimage.affine_transform(volume, matrix, offset, order=1)


@pytest.mark.slow
def test_known_motion_is_found(tmp_path):
    head = bold_template(3)
    volume = 1000 * np.asarray(head.dataobj)
    still, turn = Rotation.identity(), Rotation.from_euler("z", 0.03)
    frames = [
        volume,
        volume,
        moved(volume, head.affine, still, [0, 1.5, 0]),
        moved(volume, head.affine, turn, [0, 1.5, 0]),
        moved(volume, head.affine, turn, [0, 1.5, 0]),
    ]
    motion, transforms = realign(nib.Nifti1Image(np.stack(frames, axis=3), head.affine), tmp_path)
    assert len(transforms) == 5
    found = np.abs(motion.to_numpy())
    assert found[:2].max() < 0.05
    # The second axis of the scanner is the second of the grid; its sign is ITK's.
    np.testing.assert_allclose(found[2, :3], [0, 1.5, 0], atol=0.15)
    assert found[3, 5] == pytest.approx(0.03, abs=0.003)
    np.testing.assert_allclose(found[2:, 3:5], 0, atol=0.003)
    fd = framewise_displacement(motion)
    assert fd[2] == pytest.approx(1.5, abs=0.3)
    assert fd[4] < 0.2
    assert fd[3] == pytest.approx(50 * 0.03, abs=0.6)


@pytest.mark.slow
def test_a_planted_correlation_survives_motion_and_another_space():
    brain = bold_template(4)
    base = np.asarray(brain.dataobj)
    x = brain.affine[0, 0] * np.arange(base.shape[0]) + brain.affine[0, 3]
    y = brain.affine[1, 1] * np.arange(base.shape[1]) + brain.affine[1, 3]
    inside = base > 0.1
    side = np.where(x < 0, 1, 2)[:, None, None] + np.where(y < -20, 0, 2)[None, :, None]
    labels = (side * inside).astype(np.int16)
    names = {1: "left_back", 2: "right_back", 3: "left_front", 4: "right_front"}
    rng = np.random.default_rng(0)
    n = 36  # each volume is a registration; the filter needs 34
    planted = rng.normal(size=(n, 4))
    planted[:, 1] = planted[:, 0] + 0.3 * rng.normal(size=n)  # both backs go together
    tilt = Rotation.from_euler("x", 0.1)
    frames = []
    for frame in range(n):
        volume = 1000 * base * (1 + 0.01 * np.r_[0, planted[frame]][labels])
        shift = [0.3 * np.sin(frame / 9), 6, -5]
        frames.append(moved(volume, brain.affine, tilt, shift) + rng.normal(0, 2, base.shape))
    image = nib.Nifti1Image(np.stack(frames, axis=3).astype(np.float32), brain.affine)
    atlas = Atlas(nib.Nifti1Image(labels, brain.affine), names, "quarters")
    # Not "6P": signals of whole quarters of the brain move the estimates of its place, and would be regressed out.
    settings = FunctionalExtraction(raw_strategy="none", min_frames=30)
    found = extract_raw_bold(image, TR, settings=settings, atlas=atlas)
    assert found.quality["similarity"] > 0.8
    assert found.quality["fd_mean_mm"] < 0.2
    assert found.excluded == ""
    slow = clean(planted, standardize=None, low_pass=0.1, high_pass=0.01, t_r=TR)
    expected = np.arctanh(np.corrcoef(slow, rowvar=False) - np.eye(4))
    assert found.values["z_left_back__right_back"] == pytest.approx(expected[0, 1], abs=0.3)
    for a, b in ((0, 2), (1, 3), (2, 3)):
        name = "__".join(sorted([names[a + 1], names[b + 1]]))
        assert found.values[f"z_{name}"] == pytest.approx(expected[a, b], abs=0.3)


def test_the_template_has_the_contrast_of_bold():
    template, wm = bold_template(4), mni152("wm", 4)
    gm = np.asarray(mni152("gm", 4).dataobj)
    data = np.asarray(template.dataobj)
    brain = np.asarray(mni152("brain", 4).dataobj) > 0.5
    inner = ndimage.binary_erosion(brain, iterations=3)  # away from the edge, which is smoothed with the outside
    assert data[inner & (gm > 0.8)].mean() > data[inner & (np.asarray(wm.dataobj) > 0.9)].mean() + 0.03
    assert data[~ndimage.binary_dilation(brain, iterations=4)].max() < 0.02


def test_raw_images_that_cannot_be_used():
    atlas = Atlas(mni152("brain", 4), {1: "brain"}, "one")
    image = nib.Nifti1Image(np.zeros((8, 8, 8, 60), dtype=np.float32), np.eye(4))
    with pytest.raises(ImageError, match="volume 1 of 60 is not finite or has no contrast"):
        extract_raw_bold(image, TR, settings=FunctionalExtraction(), atlas=atlas)
    flat = nib.Nifti1Image(np.zeros((8, 8, 8), dtype=np.float32), np.eye(4))
    with pytest.raises(ImageError, match="expected a 4D BOLD image"):
        extract_raw_bold(flat, TR, settings=FunctionalExtraction(), atlas=atlas)
