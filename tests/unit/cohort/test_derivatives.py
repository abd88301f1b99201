"""Finding what other pipelines made: fMRIPrep, QSIRecon and FreeSurfer."""

from __future__ import annotations

import pytest
from cohorts import touch
from freesurfer_files import freesurfer

from brainpid.cohort.derivatives import find_fmriprep, find_freesurfer, find_qsirecon

SPACE = "MNI152NLin2009cAsym"


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


def test_a_session_of_freesurfer_is_found(tmp_path):
    freesurfer(tmp_path)
    (tmp_path / "sub-1").rename(tmp_path / "sub-1_ses-b")
    assert "sub-1_ses-b" in find_freesurfer(tmp_path, "sub-1").files["aseg"]
    assert "sub-1_ses-b" in find_freesurfer(tmp_path, "sub-1", "ses-b").files["aseg"]
    assert find_freesurfer(tmp_path, "sub-1", "a").files == {}
