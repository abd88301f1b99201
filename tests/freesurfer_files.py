"""FreeSurfer's statistics of one person, for tests."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

ASEG = """# Title Segmentation Statistics
# Measure BrainSegNotVent, BrainSegVolNotVent, Brain Segmentation Volume Without Ventricles, 1100000.5, mm^3
# Measure TotalGray, TotalGrayVol, Total gray matter volume, 600000.0, mm^3
# Measure CerebralWhiteMatter, CerebralWhiteMatterVol, Total cerebral white matter volume, 450000.0, mm^3
# Measure SurfaceHoles, SurfaceHoles, Total number of defect holes, 17, unitless
# Measure EstimatedTotalIntraCranialVol, eTIV, Estimated Total Intracranial Volume, 1500000.25, mm^3
# ColHeaders  Index SegId NVoxels Volume_mm3 StructName normMean
  1   4  6000 6100.5 Left-Lateral-Ventricle 35.1
  2  17  4000 4100.0 Left-Hippocampus 60.0
"""

APARC = """# ColHeaders StructName NumVert SurfArea GrayVol ThickAvg ThickStd
bankssts 1500 1000 2500 2.55 0.4
cuneus 1900 1300 3000 1.95 0.5
"""


def freesurfer(root: Path, aseg: str = ASEG, label: str = "sub-1", aparc: str = APARC) -> None:
    """Write the files of one person."""
    folder = root / label / "stats"
    folder.mkdir(parents=True)
    (folder / "aseg.stats").write_text(aseg)
    for hemisphere in ("lh", "rh"):
        (folder / f"{hemisphere}.aparc.stats").write_text(aparc)


def varied(statistics: str, rng: np.random.Generator) -> str:
    """Every volume, area and thickness of a table, changed by some percent."""
    numbers = r"\b\d{4,}(?:\.\d+)?\b|\b\d+\.\d+\b"
    return re.sub(numbers, lambda found: f"{float(found[0]) * (1 + 0.02 * rng.normal()):.3f}", statistics)
