"""Finding images: sessions, runs, inheritance, derivatives of other pipelines, and a reason where there is nothing."""

from __future__ import annotations

import pytest
from cohorts import touch

from brainpid.cohort.finding import find, people_in
from brainpid.config.sources import FreeSurferSource, NiftiSource, image_of
from brainpid.core.errors import InputError


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
