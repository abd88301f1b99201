"""Finding what other pipelines made: fMRIPrep, QSIRecon and FreeSurfer."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohorts import touch

from brainpid.cohort.derivatives import find_fmriprep, find_qsirecon
from brainpid.config.extraction import DIFFUSION_METRICS

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


def qsirecon(root, *maps, wanted=None, maps_wanted=None, space=SPACE):
    touch(root, *(f"sub-1/dwi/sub-1_space-{SPACE}_{one}_dwimap.nii.gz" for one in maps))
    return find_qsirecon(root, "sub-1", space, None, wanted, maps_wanted, DIFFUSION_METRICS)


def stems(found):
    return {role: Path(path).name.split(f"{SPACE}_")[1].split("_dwimap")[0] for role, path in found.files.items()}


def test_qsirecon_maps_by_parameter(tmp_path):
    touch(tmp_path, "sub-1/dwi/sub-1_space-ACPC_model-tensor_param-ad_dwimap.nii.gz")
    found = qsirecon(tmp_path, "model-tensor_param-fa", "model-tensor_param-MD")
    assert set(found.files) == {"fa", "md"}
    assert found.note == ""
    other = qsirecon(tmp_path, space="other")
    assert other.files == {}
    assert "space-other" in other.reason
    assert "there is sub-1_space-" in other.reason


def test_a_plain_map_is_taken_before_a_modulated_one_and_the_tensor_before_the_kurtosis(tmp_path):
    noddi = [f"model-noddi_param-{one}" for one in ("icvf_desc-modulated", "icvf", "od", "rmse", "direction", "ndi")]
    found = qsirecon(tmp_path, *noddi, "model-dki_param-fa", "model-tensor_param-fa", "model-dki_param-mk")
    assert stems(found) == {
        "fa": "model-tensor_param-fa",
        "icvf": "model-noddi_param-icvf",
        "mk": "model-dki_param-mk",
        "od": "model-noddi_param-od",
    }
    assert "of several maps: fa of sub-1_space-" in found.note
    assert "not known and not used: direction, rmse" in found.note


def test_maps_are_chosen_by_entities_where_asked(tmp_path):
    both = ("model-dki_param-fa", "model-tensor_param-fa", "model-noddi_param-icvf_desc-modulated", "param-odx")
    asked = {"fa": {"model": ("dki",)}, "icvf": {"desc": ("modulated",)}, "od": {"param": ("odx",)}, "md": {}}
    found = qsirecon(tmp_path, *both, maps_wanted=asked)
    assert stems(found) == {"fa": both[0], "icvf": both[2], "od": "param-odx"}
    assert found.note == "no map of md"
    assert stems(qsirecon(tmp_path, wanted={"model": ("dki",)})) == {"fa": both[0]}


def test_a_template_with_cohorts_is_found_with_its_confounds(tmp_path):
    pediatric = {"1": "_cohort-2", "2": "+2", "3": "_cohort-2_res-2", "4": "_cohort-3"}
    for person, ending in pediatric.items():
        stem = f"sub-{person}/func/sub-{person}_task-rest"
        touch(tmp_path, f"{stem}_desc-confounds_timeseries.tsv")
        for what in ("desc-preproc_bold", "desc-brain_mask"):
            touch(tmp_path, f"{stem}_space-MNIPediatricAsym{ending}_{what}.nii.gz")
    for space in ("MNIPediatricAsym", "MNIPediatricAsym+2", "MNIPediatricAsym:cohort-2"):
        for person in "123":
            found = find_fmriprep(tmp_path, f"sub-{person}", space)
            assert set(found.files) == {"bold", "confounds", "mask"}, found.reason
            assert "space MNIPediatricAsym is not MNI152" in found.note
    assert find_fmriprep(tmp_path, "sub-4", "MNIPediatricAsym").files
    assert not find_fmriprep(tmp_path, "sub-4", "MNIPediatricAsym+2").files


def test_tasks_spaces_and_tables_are_compared_whole(tmp_path):
    for task, space in (("restMovie", SPACE), ("rest", f"{SPACE}2")):
        stem = f"sub-1/func/sub-1_task-{task}"
        touch(tmp_path, f"{stem}_space-{space}_desc-preproc_bold.nii.gz", f"{stem}_desc-confounds_timeseries.tsv")
    reason = find_fmriprep(tmp_path, "sub-1", SPACE).reason
    assert "no …_task-rest_" in reason
    assert "there is sub-1_task-restMovie_space-" in reason
    assert f"sub-1_task-rest_space-{SPACE}2_desc-preproc_bold.nii.gz" in reason
    touch(tmp_path, f"sub-1/func/sub-1_task-rest_run-1_space-{SPACE}_desc-preproc_bold.nii.gz")
    touch(tmp_path, "sub-1/func/sub-1_task-rest_run-10_desc-confounds_timeseries.tsv")
    assert "has no sub-1_task-rest_run-1_desc-confounds" in find_fmriprep(tmp_path, "sub-1", SPACE).reason
    touch(tmp_path, "sub-1/func/sub-1_task-rest_run-01_desc-confounds_timeseries.tsv")
    assert find_fmriprep(tmp_path, "sub-1", SPACE).files["confounds"].endswith("run-01_desc-confounds_timeseries.tsv")


def test_the_acquisition_of_a_run_is_what_may_differ_between_people(tmp_path):
    stem = "sub-1/func/sub-1_task-rest_acq-mb4_run-1"
    touch(tmp_path, f"{stem}_space-{SPACE}_res-2_desc-preproc_bold.nii.gz", f"{stem}_desc-confounds_timeseries.tsv")
    assert find_fmriprep(tmp_path, "sub-1", SPACE).acquisition == "acq-mb4_res-2_desc-preproc"
    chosen = find_fmriprep(tmp_path, "sub-1", SPACE, wanted={"res": ("2", None), "acq": ("mb4",)})
    assert chosen.files["confounds"].endswith("acq-mb4_run-1_desc-confounds_timeseries.tsv")
    assert not find_fmriprep(tmp_path, "sub-1", SPACE, wanted={"acq": ("mb",)}).files


@pytest.mark.parametrize("part", ["", "_part-mag", "_echo-2"])
def test_tables_and_masks_may_have_or_lack_the_part_and_echo_of_their_run(tmp_path, part):
    stem = "sub-1/func/sub-1_task-rest"
    touch(tmp_path, f"{stem}_part-mag_space-{SPACE}_desc-preproc_bold.nii.gz")
    touch(tmp_path, f"{stem}{part}_desc-confounds_timeseries.tsv", f"{stem}{part}_space-{SPACE}_desc-brain_mask.nii.gz")
    assert set(find_fmriprep(tmp_path, "sub-1", SPACE).files) == {"bold", "confounds", "mask"}
