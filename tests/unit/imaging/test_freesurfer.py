"""FreeSurfer's statistics become features with units, or are refused with a reason."""

from __future__ import annotations

import math

import pytest
from freesurfer_files import APARC, ASEG, freesurfer

from brainpid.cohort.freesurfer import find_freesurfer
from brainpid.config.extraction import StructuralExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.freesurfer import extract_files, read_stats


def test_freesurfer_statistics_become_features_with_units(tmp_path):
    freesurfer(tmp_path)
    found = find_freesurfer(tmp_path, "sub-1")
    extracted = extract_files(found.files, StructuralExtraction())
    assert extracted.values["icv"] == 1500000.25
    assert extracted.values["volume_Left-Hippocampus"] == 4100.0
    assert extracted.values["thickness_rh_cuneus"] == 1.95
    assert extracted.units["thickness_rh_cuneus"] == "mm"
    assert extracted.units["volume_lh_bankssts"] == "mm^3"
    assert extracted.quality == {"surface_holes": 17.0}
    assert list(extracted.values) == list(extracted.units)


def test_volumes_are_divided_by_that_of_the_skull_where_asked(tmp_path):
    freesurfer(tmp_path)
    files = find_freesurfer(tmp_path, "sub-1").files
    plain, divided = (extract_files(files, StructuralExtraction(divide_by_icv=choice)) for choice in (False, True))
    assert list(divided.values) == list(plain.values)
    assert divided.values["volume_Left-Hippocampus"] == 4100.0 / 1500000.25
    assert divided.units["volume_Left-Hippocampus"] == divided.units["gm_total"] == "1"
    for name in ("icv", "thickness_rh_cuneus"):
        assert (divided.values[name], divided.units[name]) == (plain.values[name], plain.units[name])
    (tmp_path / "sub-1/stats/aseg.stats").write_text(ASEG.replace("1500000.25", "0"))
    with pytest.raises(ImageError, match=r"the intracranial volume is 0 cm\^3 by eTIV of .* expected 700 to 2,300 cm"):
        extract_files(files, StructuralExtraction(divide_by_icv=True))


@pytest.mark.parametrize(
    ("aseg", "message"),
    [
        (ASEG.replace("1500000.25", "inf"), "the intracranial volume is inf cm"),
        (ASEG.replace("1500000.25", "150000"), "the intracranial volume is 150 cm"),
        (ASEG.replace("Volume_mm3", "Vol"), "expected a column 'Volume_mm3'"),
        (ASEG.replace("6100.5", "six"), "expected a number"),
        (ASEG.replace(" 35.1", ""), "line 8 has 5 cells, expected 6"),
        ("", "expected a line '# ColHeaders'"),
    ],
)
def test_statistics_that_are_none_are_refused(tmp_path, aseg, message):
    freesurfer(tmp_path, aseg)
    with pytest.raises(ImageError, match=message):
        extract_files(find_freesurfer(tmp_path, "sub-1").files, StructuralExtraction())


def test_a_missing_statistics_file_is_a_reason(tmp_path):
    freesurfer(tmp_path)
    (tmp_path / "sub-1/stats/rh.aparc.stats").unlink()
    assert "no rh.aparc.stats in" in find_freesurfer(tmp_path, "sub-1").reason
    with pytest.raises(ImageError, match="not readable"):
        read_stats(tmp_path / "nothing")


def test_summaries_and_structures_of_other_versions_have_one_name(tmp_path):
    old = ASEG.replace("CerebralWhiteMatter", "CorticalWhiteMatter").replace("eTIV", "ICV")
    freesurfer(tmp_path, old.replace("Left-Hippocampus", "Left-Thalamus-Proper"))
    found = extract_files(find_freesurfer(tmp_path, "sub-1").files, StructuralExtraction())
    assert (found.values["icv"], found.values["wm_cerebral"], found.note) == (1500000.25, 450000.0, "")
    assert found.values["volume_Left-Thalamus"] == 4100.0
    freesurfer(tmp_path, label="sub-2", aparc=APARC.replace("cuneus", "G&S_frontomargin"))
    other = extract_files(find_freesurfer(tmp_path, "sub-2").files, StructuralExtraction())
    assert other.values["thickness_lh_G_and_S_frontomargin"] == 1.95


def test_a_summary_that_is_lacking_is_not_known_and_said(tmp_path):
    freesurfer(tmp_path, ASEG.replace("TotalGrayVol", "x").replace("eTIV", "y"))
    files = find_freesurfer(tmp_path, "sub-1").files
    found = extract_files(files, StructuralExtraction())
    assert math.isnan(found.values["gm_total"])
    assert found.values["wm_cerebral"] == 450000.0
    assert found.note == "aseg.stats has no measure eTIV, TotalGrayVol"
    with pytest.raises(ImageError, match="the intracranial volume is not known"):
        extract_files(files, StructuralExtraction(divide_by_icv=True))
