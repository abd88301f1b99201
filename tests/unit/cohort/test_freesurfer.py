"""Finding FreeSurfer's and FastSurfer's statistics: visits, longitudinal templates, names of versions."""

from __future__ import annotations

import pytest
from cohorts import touch
from freesurfer_files import freesurfer

from brainpid.cohort.freesurfer import find_freesurfer


def stats(root, folder, parcellation="aparc"):
    touch(root / folder / "stats", "aseg.stats", *(f"{side}.{parcellation}.stats" for side in ("lh", "rh")))


def test_a_session_of_freesurfer_is_found(tmp_path):
    freesurfer(tmp_path)
    (tmp_path / "sub-1").rename(tmp_path / "sub-1_ses-b")
    assert "sub-1_ses-b" in find_freesurfer(tmp_path, "sub-1").files["aseg"]
    assert "sub-1_ses-b" in find_freesurfer(tmp_path, "sub-1", "ses-b").files["aseg"]
    assert find_freesurfer(tmp_path, "sub-1", "a").files == {}


def test_a_longitudinal_template_is_no_visit(tmp_path):
    stats(tmp_path, "sub-1")
    (tmp_path / "sub-1/base-tps").write_text("sub-1_ses-2\n")
    reason = find_freesurfer(tmp_path, "sub-1").reason
    assert reason.endswith("sub-1 is a longitudinal template (base-tps) and not used")
    for visit in ("10.long.sub-1", "10", "2", "2.long.sub-1"):
        stats(tmp_path, f"sub-1_ses-{visit}")
    stats(tmp_path, "sub-11_ses-1")
    found = find_freesurfer(tmp_path, "sub-1")
    assert found.files["aseg"] == str(tmp_path / "sub-1_ses-2/stats/aseg.stats")
    assert found.note.startswith("visit sub-1_ses-2 of 4 (sub-1_ses-2, sub-1_ses-10, sub-1_ses-2.long.sub-1")
    assert "sub-1_ses-10/" in find_freesurfer(tmp_path, "sub-1", "10").files["aseg"]


@pytest.mark.parametrize("name", ["aparc.DKTatlas.mapped", "aparc.DKTatlas", "aparc.DKTatlas40"])
def test_parcellations_of_other_versions_are_known_and_said(tmp_path, name):
    stats(tmp_path, "sub-1", name)
    found = find_freesurfer(tmp_path, "sub-1")
    assert found.files["lh_aparc"].endswith(f"lh.{name}.stats")
    assert (found.note, found.acquisition) == (f"parcellation {name}", name)
    stats(tmp_path, "sub-1")
    standard = find_freesurfer(tmp_path, "sub-1")
    assert (standard.note, standard.acquisition) == ("", "aparc")
    assert find_freesurfer(tmp_path, "sub-1", parcellation=name).files == found.files


def test_the_reason_names_what_does_lie_there(tmp_path):
    stats(tmp_path, "sub-1", "aparc.a2009s")
    touch(tmp_path, "sub-1/stats/._lh.aparc.stats", "sub-1/stats/rh.aparc.stats")
    reason = find_freesurfer(tmp_path, "sub-1").reason
    assert "no lh.aparc.stats in" in reason
    assert "there is aseg.stats, lh.aparc.a2009s.stats, rh.aparc.a2009s.stats, rh.aparc.stats" in reason
    assert "the key parcellation names another" in reason
    assert find_freesurfer(tmp_path, "sub-1", parcellation="aparc.a2009s").files
