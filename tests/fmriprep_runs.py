"""Small BOLD runs as fMRIPrep writes them, and an atlas of two regions, for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from brainpid.imaging.bold.confounds import MOTION

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SPACE = "MNI152NLin2009cAsym"


def fmriprep_runs(root: Path, people: Sequence[str], atlas: Path) -> None:
    """Write a run of 120 volumes of everybody below `root`, and ``atlas.nii.gz`` with its table into a folder."""
    rng = np.random.default_rng(0)
    labels = np.zeros((6, 6, 4), dtype=np.int16)
    labels[1:3, 1:5], labels[3:5, 1:5] = 1, 2
    nib.save(nib.Nifti1Image(labels, AFFINE), atlas / "atlas.nii.gz")
    (atlas / "atlas.tsv").write_text("index\tname\n1\tone\n2\ttwo\n")
    for person in people:
        stem = root / f"{person}/func/{person}_task-rest"
        stem.parent.mkdir(parents=True)
        image = nib.Nifti1Image((1000 + rng.normal(0, 10, (6, 6, 4, 120))).astype(np.float32), AFFINE)
        image.header.set_zooms((4, 4, 4, 2.0))
        image.header.set_xyzt_units("mm", "sec")
        nib.save(image, f"{stem}_space-{SPACE}_desc-preproc_bold.nii.gz")
        motion = pd.DataFrame(rng.normal(0, 1e-3, (120, 6)), columns=list(MOTION))
        motion.to_csv(f"{stem}_desc-confounds_timeseries.tsv", sep="\t", index=False)
        Path(f"{stem}_space-{SPACE}_desc-preproc_bold.json").write_text(json.dumps({"RepetitionTime": 2.0}))
