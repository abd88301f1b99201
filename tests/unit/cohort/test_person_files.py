"""Metadata beside an image: what is nearer overrides what is above."""

from __future__ import annotations

import json

import pytest
from cohorts import touch

from brainpid.cohort.person_files import metadata
from brainpid.core.errors import InputError


def test_nearer_metadata_overrides_what_is_above(tmp_path):
    image = tmp_path / "sub-1/func/sub-1_task-rest_bold.nii.gz"
    touch(tmp_path, "sub-1/func/sub-1_task-rest_bold.nii.gz")
    (tmp_path / "task-rest_bold.json").write_text(json.dumps({"RepetitionTime": 2.0, "EchoTime": 0.03}))
    (tmp_path / "task-nback_bold.json").write_text(json.dumps({"RepetitionTime": 9.0}))
    assert metadata(image, tmp_path, "bold") == {"RepetitionTime": 2.0, "EchoTime": 0.03}
    (tmp_path / "sub-1/func/sub-1_task-rest_bold.json").write_text(json.dumps({"RepetitionTime": 1.5}))
    assert metadata(image, tmp_path, "bold") == {"RepetitionTime": 1.5, "EchoTime": 0.03}
    (tmp_path / "task-rest_bold.json").write_text("{")
    with pytest.raises(InputError, match=r"task-rest_bold.json: not readable as JSON"):
        metadata(image, tmp_path, "bold")
