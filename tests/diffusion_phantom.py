"""Diffusion series of a synthetic brain in MNI space: one tensor a voxel, known FA and MD for every region."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from nilearn.image import resample_img

from brainpid.imaging.atlases import Atlas
from brainpid.imaging.dwi.gradients import Gradients
from brainpid.imaging.templates import mni152


def even_gradients(n: int, b: float = 1000, unweighted: int = 2, seed: int = 0) -> Gradients:
    """Directions along a spiral on the half sphere, after the volumes without weighting."""
    height = (np.arange(n) + 0.5) / n
    angle = np.pi * (1 + 5**0.5) * np.arange(n)
    radius = np.sqrt(1 - height**2)
    vectors = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)
    bvals = np.r_[np.zeros(unweighted), np.full(n, b)]
    return Gradients(bvals, np.vstack([np.zeros((unweighted, 3)), vectors]), 50.0)


def eigenvalues(fa: float, md: float) -> np.ndarray:
    """Eigenvalues of an axially symmetric, prolate tensor with this FA and MD."""
    # With l1 = md + 2d and l2 = l3 = md - d: FA^2 = (3/2) 6 d^2 / (3 md^2 + 6 d^2).
    d = md * fa / np.sqrt(3 - 2 * fa**2)
    return np.array([md + 2 * d, md - d, md - d])


def signal(s0, evals, axes, gradients: Gradients) -> np.ndarray:
    """S0 exp(-b g'Dg) of axially symmetric tensors: evals (..., 3), first axes (..., 3)."""
    along = (axes @ gradients.bvecs.T) ** 2
    adc = evals[..., 1:2] + (evals[..., 0:1] - evals[..., 1:2]) * along
    return np.asarray(s0)[..., None] * np.exp(-gradients.bvals * adc)


def octants(resolution: int) -> Atlas:
    """White matter cut into eight along the axes."""
    wm = mni152("wm", resolution)
    i, j, k = np.indices(wm.shape)
    x, y, z = np.moveaxis(nib.affines.apply_affine(wm.affine, np.stack([i, j, k], axis=-1)), -1, 0)
    label = 1 + (x > 0) + 2 * (y > -18) + 4 * (z > 18)
    label = np.where(np.asarray(wm.dataobj) > 0.5, label, 0)
    return Atlas(nib.Nifti1Image(label.astype(np.int16), wm.affine), {k: f"octant{k}" for k in range(1, 9)}, "octants")


def planted(atlas: Atlas) -> dict[str, tuple[float, float]]:
    """FA and MD (mm^2/s) of every region."""
    return {name: (0.35 + 0.04 * label, (6.5 + 0.3 * label) * 1e-4) for label, name in atlas.names.items()}


def phantom(
    atlas: Atlas, gradients: Gradients, move: np.ndarray | None = None, noise: float = 0.0, seed: int = 0
) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Series on the atlas's grid, of a brain that `move` (4 x 4, mm) displaced; noise relative to white matter's S0."""
    rng = np.random.default_rng(seed)
    grid = atlas.image.affine
    shape = atlas.image.shape
    source = (np.eye(4) if move is None else np.linalg.inv(move)) @ grid

    def take(image, how):
        moved = resample_img(
            nib.Nifti1Image(np.asarray(image.dataobj, dtype=np.float32), image.affine),
            target_affine=source,
            target_shape=shape,
            interpolation=how,
            force_resample=True,
            copy_header=True,
        )
        return np.asarray(moved.dataobj)

    resolution = round(abs(grid[0, 0]))
    brain, gm = take(mni152("brain", resolution), "nearest"), take(mni152("gm", resolution), "linear")
    label = np.rint(take(atlas.image, "nearest")).astype(int)
    tissue = np.where(brain > 0.5, np.where(gm > 0.4, 1, 2), 0)  # 1 grey, 2 fluid
    tissue[label > 0] = 3
    fa = np.choose(tissue, [0.0, 0.12, 0.05, 0.0])
    md = np.choose(tissue, [3e-3, 8.5e-4, 2.6e-3, 0.0])
    s0 = np.choose(tissue, [0.0, 1000.0, 1800.0, 800.0])
    for held, name in atlas.names.items():
        fa[label == held], md[label == held] = planted(atlas)[name]
    evals = np.moveaxis(eigenvalues(fa, md), 0, -1)
    i, j, k = (axis / 9 for axis in np.indices(shape))
    axes = np.stack([np.cos(i) * np.cos(j), np.sin(i) * np.cos(j), np.sin(j + 0 * k)], axis=-1)
    series = signal(s0, evals, axes, gradients)
    sigma = 800 * noise
    real = series + sigma * rng.normal(size=series.shape)
    series = np.hypot(real, sigma * rng.normal(size=series.shape)).astype(np.float32)
    return nib.Nifti1Image(series, grid), series


def displacement(degrees: float, shift: tuple[float, float, float]) -> np.ndarray:
    """Turn about x and z by `degrees`, then shift in mm."""
    a = np.radians(degrees)
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    move = np.eye(4)
    move[:3, :3] = turn_z @ turn_x
    move[:3, 3] = shift
    return move
