"""Seconds and memory of the extraction from BOLD beside nilearn's maskers, one thread; prints a table.

    python benchmarks/bold.py [--voxel-mm 2] [--volumes 200] [--only ours|nilearn]

Peak memory is the process's: run `--only` for each. The image is int16 noise in gzip, which compresses as
badly as real BOLD.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nilearn.connectome import ConnectivityMeasure
from nilearn.maskers import NiftiLabelsMasker

from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold_series import iterate_volumes
from brainpid.imaging.bold_settings import BOLDSettings
from brainpid.imaging.confounds import MOTION, select_confounds
from brainpid.imaging.functional import extract_bold
from brainpid.imaging.templates import mni152

TR = 2.0


def make_person(folder: Path, voxel_mm: int, n_volumes: int) -> None:
    """Write a noisy brain, its mask and an atlas of blocks of 20 mm, volume by volume."""
    brain = mni152("brain", voxel_mm)
    inside = np.asarray(brain.dataobj) > 0.5
    blocks = [np.arange(n) * voxel_mm // 20 for n in inside.shape]
    labels = 1 + blocks[0][:, None, None] + 12 * blocks[1][None, :, None] + 144 * blocks[2][None, None, :]
    nib.save(nib.Nifti1Image((labels * inside).astype(np.int16), brain.affine), folder / "atlas.nii.gz")
    nib.save(nib.Nifti1Image(inside.astype(np.uint8), brain.affine), folder / "mask.nii.gz")
    rng = np.random.default_rng(0)
    data = np.zeros((*inside.shape, n_volumes), dtype=np.int16, order="F")
    for frame in range(n_volumes):
        volume = rng.normal(
            1000,
            30,
            inside.shape,
        )
        data[..., frame] = np.where(inside, volume, rng.normal(20, 4, inside.shape))
    image = nib.Nifti1Image(data, brain.affine)
    image.header.set_zooms((voxel_mm,) * 3 + (TR,))
    nib.save(image, folder / "bold.nii.gz")


def make_confounds(n_volumes: int) -> pd.DataFrame:
    """Six motion parameters and two tissues."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(n_volumes, 8)), columns=[*MOTION, "csf", "white_matter"])
    return table * np.r_[np.full(3, 0.02), np.full(3, 0.0003), 1, 1]


def main() -> None:
    """Time one person."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxel-mm", type=int, default=2)
    parser.add_argument("--volumes", type=int, default=200)
    parser.add_argument("--only", choices=["ours", "nilearn", "make"])
    parser.add_argument("--folder", type=Path, help="where the image stays between runs")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="brainpid-"))
    folder.mkdir(exist_ok=True)
    if not (folder / "bold.nii.gz").is_file():
        make_person(folder, options.voxel_mm, options.volumes)
    confounds = make_confounds(options.volumes)
    mask = nib.load(folder / "mask.nii.gz")
    labels = nib.load(folder / "atlas.nii.gz")
    found = np.unique(np.asarray(labels.dataobj))
    atlas = Atlas(labels, {int(label): f"r{label}" for label in found if label}, "blocks")
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{options.voxel_mm} mm, {options.volumes} volumes, {len(atlas.names)} regions; {base:.2f} GB before")
    if options.only in (None, "ours"):
        start = time.process_time()
        for _ in iterate_volumes(nib.load(folder / "bold.nii.gz")):
            pass
        reading = time.process_time() - start
        for name, settings in (
            ("simple", BOLDSettings()),
            ("all measures but ReHo", BOLDSettings(measures=("correlation", "partial"))),
        ):
            start = time.process_time()
            extract_bold(
                nib.load(folder / "bold.nii.gz"), TR, confounds=confounds, mask=mask, settings=settings, atlas=atlas
            )
            print(f"brainpid, {name}: {time.process_time() - start:.2f} CPU s, of which reading {reading:.2f}")
    if options.only in (None, "nilearn"):
        start = time.process_time()
        masker = NiftiLabelsMasker(
            labels, mask_img=mask, standardize="zscore_sample", detrend=True, low_pass=0.1, high_pass=0.01, t_r=TR
        )
        series = masker.fit_transform(folder / "bold.nii.gz", confounds=select_confounds(confounds, "simple"))
        ConnectivityMeasure(kind="correlation", standardize="zscore_sample").fit_transform([series])
        print(f"nilearn, maskers and connectivity: {time.process_time() - start:.2f} CPU s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
