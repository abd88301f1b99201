"""Cost of a person: seconds and peak memory of every reader, beside the naive use of the same libraries; one thread.

Run ``python benchmarks/extraction.py``; it prints a table. Every row is a process of its own, so that peak memory is
that of the row. The BOLD image is int16 noise in gzip, which compresses as badly as real BOLD; decompression is the
floor.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1")

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from dipy.core.gradients import gradient_table
from dipy.reconst.dti import TensorModel
from nilearn.connectome import ConnectivityMeasure
from nilearn.maskers import NiftiLabelsMasker

from brainpid.config.extraction import DiffusionExtraction, FunctionalExtraction, StructuralExtraction
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold.confounds import MOTION, select_confounds
from brainpid.imaging.bold.regional import extract_bold
from brainpid.imaging.bold.series import iterate_volumes
from brainpid.imaging.default_atlases import gray_matter, white_matter
from brainpid.imaging.dwi.gradients import Gradients
from brainpid.imaging.dwi.regional import extract_dwi
from brainpid.imaging.dwi.tensor import tensor_maps
from brainpid.imaging.t1w.volumes import extract_t1
from brainpid.imaging.templates import csf_map, mni152

TR = 2.0
MAKE = "make images"
ROWS: dict[str, Callable[[Path], float]] = {}


def row(label: str) -> Callable[[Callable[[Path], float]], Callable[[Path], float]]:
    """Add a row to the table: a function of the folder that gives CPU seconds."""

    def add(measure: Callable[[Path], float]) -> Callable[[Path], float]:
        ROWS[label] = measure
        return measure

    return add


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def bold_image(folder: Path, n_volumes: int) -> Path:
    """Write a noisy 2 mm brain, its mask and an atlas of blocks of 20 mm; once a folder and length."""
    path = folder / f"bold_{n_volumes}.nii.gz"
    if path.is_file():
        return path
    brain = mni152("brain", 2)
    inside = np.asarray(brain.dataobj) > 0.5
    blocks = [np.arange(n) * 2 // 20 for n in inside.shape]
    labels = 1 + blocks[0][:, None, None] + 12 * blocks[1][None, :, None] + 144 * blocks[2][None, None, :]
    nib.save(nib.Nifti1Image((labels * inside).astype(np.int16), brain.affine), folder / "atlas.nii.gz")
    nib.save(nib.Nifti1Image(inside.astype(np.uint8), brain.affine), folder / "mask.nii.gz")
    rng = np.random.default_rng(0)
    data = np.zeros((*inside.shape, n_volumes), dtype=np.int16, order="F")
    for frame in range(n_volumes):
        data[..., frame] = np.where(inside, rng.normal(1000, 30, inside.shape), rng.normal(20, 4, inside.shape))
    image = nib.Nifti1Image(data, brain.affine)
    image.header.set_zooms((2, 2, 2, TR))
    nib.save(image, path)
    return path


def confounds(n_volumes: int) -> pd.DataFrame:
    """Six motion parameters and two tissues."""
    table = pd.DataFrame(np.random.default_rng(1).normal(size=(n_volumes, 8)), columns=[*MOTION, "csf", "white_matter"])
    return table * np.r_[np.full(3, 0.02), np.full(3, 0.0003), 1, 1]


def blocks_atlas(folder: Path) -> Atlas:
    """Return the atlas that `bold_image` wrote."""
    labels = nib.load(folder / "atlas.nii.gz")
    return Atlas(labels, {int(label): f"r{label}" for label in np.unique(labels.dataobj) if label}, "blocks")


def ours(folder: Path, n_volumes: int) -> float:
    """Extract BOLD with the defaults: connectivity, ALFF, fALFF, motion, coverage, picture."""
    path, atlas = folder / f"bold_{n_volumes}.nii.gz", blocks_atlas(folder)
    table, mask = confounds(n_volumes), nib.load(folder / "mask.nii.gz")
    settings = FunctionalExtraction()
    return cpu(lambda: extract_bold(nib.load(path), TR, confounds=table, mask=mask, settings=settings, atlas=atlas))


@row("BOLD 2 mm, 200 volumes: brainpid")
def bold_200(folder: Path) -> float:
    """Extract a usual run."""
    return ours(folder, 200)


@row("BOLD 2 mm, 200 volumes: of which reading and decompression")
def bold_reading(folder: Path) -> float:
    """Go through the file and do nothing else."""
    return cpu(lambda: sum(1 for _ in iterate_volumes(nib.load(folder / "bold_200.nii.gz"))))


@row("BOLD 2 mm, 200 volumes: NiftiLabelsMasker + ConnectivityMeasure")
def bold_nilearn(folder: Path) -> float:
    """Do the correlations as nilearn's pages show it."""
    masker = NiftiLabelsMasker(
        nib.load(folder / "atlas.nii.gz"), mask_img=nib.load(folder / "mask.nii.gz"), standardize="zscore_sample",
        detrend=True, low_pass=0.1, high_pass=0.01, t_r=TR,
    )  # fmt: skip
    columns = select_confounds(confounds(200), "simple")
    measure = ConnectivityMeasure(kind="correlation", standardize="zscore_sample")
    return cpu(lambda: measure.fit_transform([masker.fit_transform(folder / "bold_200.nii.gz", confounds=columns)]))


@row("BOLD 2 mm, 300 volumes: brainpid")
def bold_300(folder: Path) -> float:
    """Extract a long run, for its memory."""
    return ours(folder, 300)


def diffusion(resolution: int) -> tuple[nib.Nifti1Image, np.ndarray, Gradients]:
    """Make a brain with isotropic grey and anisotropic white matter, 2 + 30 volumes."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gradients = Gradients(np.r_[0.0, 0.0, np.full(30, 1000.0)], np.r_[np.zeros((2, 3)), vectors])
    gm, wm = (np.asarray(mni152(kind, resolution).dataobj) for kind in ("gm", "wm"))
    fluid = np.asarray(csf_map(resolution).dataobj)
    volumes = []
    for b, g in zip(gradients.bvals, gradients.bvecs, strict=True):
        white = np.exp(-b * (4e-4 + 1.1e-3 * g[0] ** 2))
        volumes.append(800 * wm * white + 1000 * gm * np.exp(-b * 8.5e-4) + 1200 * fluid * np.exp(-b * 3e-3))
    data = np.stack(volumes, axis=-1) + 20 * rng.normal(size=(*gm.shape, 32))
    affine = mni152("gm", resolution).affine
    return nib.Nifti1Image(data.astype(np.float32), affine), np.abs(data).astype(np.float32), gradients


@row("DWI tensor, 3 mm, 32 volumes: brainpid")
def tensor_ours(folder: Path) -> float:
    """Fit and make the four maps."""
    _, data, gradients = diffusion(3)
    mask = data[..., 0] > 400
    return cpu(lambda: tensor_maps(data, gradients, mask, DiffusionExtraction()))


@row("DWI tensor, 3 mm, 32 volumes: dipy's TensorModel alone")
def tensor_dipy(folder: Path) -> float:
    """Fit and make the four maps."""
    _, data, gradients = diffusion(3)
    mask = data[..., 0] > 400
    table = gradient_table(gradients.bvals, bvecs=gradients.bvecs)

    def fit() -> None:
        found = TensorModel(table, fit_method="WLS").fit(data, mask=mask)
        _ = found.fa, found.md, found.ad, found.rd

    return cpu(fit)


@row("DWI 2 mm, 32 volumes: brainpid, mask to features")
def dwi_2mm(folder: Path) -> float:
    """Extract a whole brain."""
    image, data, gradients = diffusion(2)
    atlas = white_matter(2)
    return cpu(lambda: extract_dwi(image, data, gradients, DiffusionExtraction(), atlas))


def t1(resolution: int) -> float:
    """Extract a skull-stripped head made from the template's tissues."""
    gm, wm = (np.asarray(mni152(kind, resolution).dataobj) for kind in ("gm", "wm"))
    data = 500 * gm + 800 * wm + 200 * np.asarray(csf_map(resolution).dataobj)
    data = np.clip(data + 15 * np.random.default_rng(0).normal(size=data.shape), 0, None).astype(np.float32)
    image = nib.Nifti1Image(data, mni152("gm", resolution).affine)
    atlas = gray_matter(resolution)
    return cpu(lambda: extract_t1(image, data, StructuralExtraction(resolution=resolution), atlas, 1))


@row("T1 2 mm: brainpid, N4 to volumes")
def t1_2mm(folder: Path) -> float:
    """Extract at the default resolution."""
    return t1(2)


@row("T1 5 mm: brainpid, N4 to volumes")
def t1_5mm(folder: Path) -> float:
    """Extract at a coarse resolution."""
    return t1(5)


def main() -> None:
    """Run every row in a process of its own."""
    if sys.argv[1:2] == [MAKE]:
        for n_volumes in (200, 300):
            bold_image(Path(sys.argv[2]), n_volumes)
        return
    if len(sys.argv) == 3:
        seconds = ROWS[sys.argv[1]](Path(sys.argv[2]))
        print(f"| {sys.argv[1]} | {seconds:.2f} | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} |")
        return
    with tempfile.TemporaryDirectory(prefix="brainpid-") as folder:
        # Images are made by a process of its own too: a child counts its parent's peak memory as its own.
        subprocess.run([sys.executable, __file__, MAKE, folder], check=True)
        print("| what | CPU s | peak GB |\n|---|---|---|", flush=True)
        for label in ROWS:
            subprocess.run([sys.executable, __file__, label, folder], check=True)


if __name__ == "__main__":
    main()
