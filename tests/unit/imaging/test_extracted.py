"""Extractors say which regions their features belong to; names are not asked."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.config.extraction import StructuralExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold.regional import _regions_of
from brainpid.imaging.dwi.regional import regions_of
from brainpid.imaging.extracted import check_icv
from brainpid.imaging.freesurfer import extract_files

ASEG = """# Measure EstimatedTotalIntraCranialVol, eTIV, Estimated Total Intracranial Volume, 1500000.0, mm^3
# Measure BrainSegNotVent, BrainSegVolNotVent, Brain Segmentation Volume Without Ventricles, 1100000.0, mm^3
# Measure TotalGray, TotalGrayVol, Total gray matter volume, 650000.0, mm^3
# Measure CerebralWhiteMatter, CerebralWhiteMatterVol, Total cerebral white matter volume, 450000.0, mm^3
# ColHeaders Index SegId NVoxels Volume_mm3 StructName
1 17 4000 4000.0 Left-Hippocampus
"""
APARC = """# ColHeaders StructName NumVert SurfArea GrayVol ThickAvg
insula 1000 700 2100 3.0
"""


@pytest.mark.parametrize("divide", [False, True])
def test_freesurfer(tmp_path, divide):
    files = {}
    for name, text in (("aseg", ASEG), ("lh_aparc", APARC), ("rh_aparc", APARC)):
        files[name] = str(tmp_path / name)
        (tmp_path / name).write_text(text)
    found = extract_files(files, StructuralExtraction(divide_by_icv=divide))
    assert found.regions == {
        "volume_Left-Hippocampus": ("Left-Hippocampus",),
        "thickness_lh_insula": ("lh_insula",),
        "volume_lh_insula": ("lh_insula",),
        "thickness_rh_insula": ("rh_insula",),
        "volume_rh_insula": ("rh_insula",),
    }
    assert set(found.values) - set(found.regions) == {"icv", "brain_without_ventricles", "gm_total", "wm_cerebral"}


def test_an_edge_has_two_regions_whatever_their_names_are():
    names = ("L_default", "R_visual", "z_odd__name")
    values = dict.fromkeys(["z_L_default__R_visual", "z_R_visual__z_odd__name", "alff_z_odd__name"], 0.0)
    assert _regions_of(values, names) == {
        "z_L_default__R_visual": ("L_default", "R_visual"),
        "z_R_visual__z_odd__name": ("R_visual", "z_odd__name"),
        "alff_z_odd__name": ("z_odd__name",),
    }


def test_maps_of_diffusion():
    empty = nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4))
    atlases = [Atlas(empty, {1: "fornix_L", 3: "body"}, "two"), Atlas(empty, {1: "whole"}, "one")]
    found = regions_of(["fa", "md"], atlases)
    assert found["fa_fornix_L"] == found["md_fornix_L"] == ("fornix_L",)
    assert list(found) == [f"{metric}_{name}" for metric in ("fa", "md") for name in ("fornix_L", "body", "whole")]


def test_an_intracranial_volume_is_that_of_a_head_or_refused():
    for volume in (700_000, 1_500_000, 2_300_000, np.nan):
        check_icv(volume, "x")
    for volume, words in ((699_000, "699"), (2_301_000, "2,301"), (0, "0"), (np.inf, "inf")):
        with pytest.raises(ImageError, match=rf"is {words} cm\^3 by x, expected 700 to 2,300 cm\^3"):
            check_icv(volume, "x")
