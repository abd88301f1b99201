"""Finding images: sessions, runs, inheritance, derivatives of other pipelines, and a reason where there is nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brainpid.cli import main
from brainpid.cohort import bids
from brainpid.cohort.derivatives import find_fmriprep, find_freesurfer, find_qsirecon
from brainpid.cohort.finding import find, people_in
from brainpid.config.extraction import StructuralExtraction
from brainpid.config.sources import FreeSurferSource, NiftiSource, image_of
from brainpid.core.errors import ImageError, InputError
from brainpid.imaging.freesurfer import extract_files, read_stats

SPACE = "MNI152NLin2009cAsym"


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_first_session_and_run_are_taken_and_said(tmp_path):
    touch(tmp_path, "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz")
    touch(tmp_path, *(f"sub-1/ses-a/anat/sub-1_ses-a_run-{run}_T1w.nii.gz" for run in (10, 2)))
    found = bids.find(tmp_path, "sub-1", "t1w")
    assert Path(found.files["t1w"]).name == "sub-1_ses-a_run-2_T1w.nii.gz"
    assert found.note.startswith("first of 3")
    other = bids.find(tmp_path, "sub-1", "t1w", session="b")
    assert Path(other.files["t1w"]).name == "sub-1_ses-b_T1w.nii.gz"
    assert other.note == ""


def test_absence_is_a_reason(tmp_path):
    touch(tmp_path, "sub-1/dwi/sub-1_dwi.nii.gz", "sub-2/anat/sub-2_T2w.nii.gz")
    assert bids.find(tmp_path, "sub-9", "t1w").reason == f"no folder {tmp_path / 'sub-9'}"
    assert "_T1w.nii" in bids.find(tmp_path, "sub-2", "t1w").reason
    assert "has no .bval beside it or above" in bids.find(tmp_path, "sub-1", "dwi").reason
    assert bids.find(tmp_path, "sub-1", "dwi", session="x").files == {}


def test_other_images_are_not_taken_for_the_one(tmp_path):
    touch(tmp_path, "sub-1/anat/sub-1_T1w.json", "sub-1/anat/sub-1_mod-T1w_defacemask.nii.gz")
    touch(tmp_path, "sub-1/func/sub-1_task-nback_bold.nii.gz", "sub-1/func/sub-1_task-rest_sbref.nii.gz")
    assert not bids.find(tmp_path, "sub-1", "t1w").files
    assert not bids.find(tmp_path, "sub-1", "bold").files
    assert bids.find(tmp_path, "sub-1", "bold", task="nback").files


def test_gradients_are_inherited_from_above(tmp_path):
    touch(tmp_path, "dwi.bval", "sub-1/dwi/sub-1_dwi.bvec", "sub-1/dwi/sub-1_dwi.nii.gz")
    touch(tmp_path, "sub-2/dwi/sub-2_acq-x_dwi.nii.gz", "sub-2/sub-2_dwi.bvec", "sub-2/dwi/sub-2_acq-y_dwi.bvec")
    one, two = (bids.find(tmp_path, person, "dwi").files for person in ("sub-1", "sub-2"))
    assert [Path(one[role]).name for role in ("bval", "bvec")] == ["dwi.bval", "sub-1_dwi.bvec"]
    assert [Path(two[role]).name for role in ("bval", "bvec")] == ["dwi.bval", "sub-2_dwi.bvec"]


@pytest.mark.parametrize("ending", ["desc-confounds_timeseries.tsv", "desc-confounds_regressors.tsv"])
def test_fmriprep_old_and_new(tmp_path, ending):
    stem = "sub-1/ses-1/func/sub-1_ses-1_task-rest"
    touch(tmp_path, f"{stem}_space-{SPACE}_res-2_desc-preproc_bold.nii.gz", f"{stem}_{ending}")
    touch(tmp_path, f"{stem}_space-T1w_desc-preproc_bold.nii.gz")
    found = find_fmriprep(tmp_path, "sub-1", SPACE)
    assert set(found.files) == {"bold", "confounds"}
    assert found.files["confounds"].endswith(ending)
    touch(tmp_path, f"{stem}_space-{SPACE}_res-2_desc-brain_mask.nii.gz")
    assert set(find_fmriprep(tmp_path, "sub-1", SPACE).files) == {"bold", "confounds", "mask"}
    assert "space-MNI305" in find_fmriprep(tmp_path, "sub-1", "MNI305").reason


def test_fmriprep_without_confounds_is_a_reason(tmp_path):
    touch(tmp_path, f"sub-1/func/sub-1_task-rest_space-{SPACE}_desc-preproc_bold.nii.gz")
    assert "has no sub-1_task-rest_desc-confounds_timeseries.tsv" in find_fmriprep(tmp_path, "sub-1", SPACE).reason


def test_qsirecon_maps_by_parameter(tmp_path):
    stem = f"sub-1/dwi/sub-1_space-{SPACE}_model-tensor_param"
    touch(tmp_path, f"{stem}-fa_dwimap.nii.gz", f"{stem}-MD_dwimap.nii.gz")
    touch(tmp_path, "sub-1/dwi/sub-1_space-ACPC_model-tensor_param-ad_dwimap.nii.gz")
    assert set(find_qsirecon(tmp_path, "sub-1", SPACE).files) == {"fa", "md"}
    assert find_qsirecon(tmp_path, "sub-1", "other").files == {}


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


def freesurfer(root: Path, aseg: str = ASEG) -> None:
    folder = root / "sub-1/stats"
    folder.mkdir(parents=True)
    (folder / "aseg.stats").write_text(aseg)
    for hemisphere in ("lh", "rh"):
        (folder / f"{hemisphere}.aparc.stats").write_text(APARC)


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
    with pytest.raises(ImageError, match=r"the intracranial volume is 0 mm\^3, expected more than 0"):
        extract_files(files, StructuralExtraction(divide_by_icv=True))


@pytest.mark.parametrize(
    ("aseg", "message"),
    [
        (ASEG.replace("eTIV", "x"), "expected the measure 'eTIV'"),
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


def test_a_session_of_freesurfer_is_found(tmp_path):
    freesurfer(tmp_path)
    (tmp_path / "sub-1").rename(tmp_path / "sub-1_ses-b")
    assert "sub-1_ses-b" in find_freesurfer(tmp_path, "sub-1").files["aseg"]
    assert "sub-1_ses-b" in find_freesurfer(tmp_path, "sub-1", "ses-b").files["aseg"]
    assert find_freesurfer(tmp_path, "sub-1", "a").files == {}


def index(root: Path, *people: str) -> int:
    (root / "sheet.tsv").write_text("\n".join(["participant_id", *people]) + "\n")
    settings = json.dumps({"bids": str(root), "sources": {"t1": {"kind": "nifti"}}})
    options = ["--participants", str(root / "sheet.tsv"), "--settings", settings, "--out", str(root / "index.tsv")]
    return main(["index", "--cohort", "a", *options])


def test_folders_of_strangers_are_named_and_not_listed(tmp_path, caplog):
    touch(tmp_path, *(f"sub-{k}/anat/sub-{k}_T1w.nii.gz" for k in (1, 3)))
    assert index(tmp_path, "sub-1", "sub-2") == 0
    assert "1 people with t1 files are not in the participants table and are not used: sub-3" in caplog.text
    lines = (tmp_path / "index.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == ["sub-1", "sub-2"]
    assert f"no folder {tmp_path / 'sub-2'}" in lines[1]


def test_labels_that_fit_no_folder_are_refused(tmp_path, capsys):
    touch(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz")
    assert index(tmp_path, "sub-A1", "sub-A2") == 2
    assert "none of 2 participants has t1 images" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "index.tsv").exists()


def test_people_and_images_of_a_source(tmp_path):
    touch(tmp_path, "sub-1/x", "sub-2/x", "derivatives/x", "code/x")
    source = NiftiSource(kind="nifti")
    assert people_in(source, str(tmp_path)) == ["sub-1", "sub-2"]
    touch(tmp_path / "fs", "1_ses-a/x", "2/x", "fsaverage/x")
    assert people_in(FreeSurferSource(kind="freesurfer", path=str(tmp_path / "fs")), None) == ["sub-1", "sub-2"]
    assert image_of(source, "t1") == "t1w"
    with pytest.raises(InputError, match="give image: t1w, dwi or bold"):
        image_of(source, "asl")
    with pytest.raises(InputError, match="the folder does not exist"):
        find(source, "t1", str(tmp_path / "nowhere"), "sub-1")
