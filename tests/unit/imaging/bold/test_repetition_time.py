"""The repetition time is in seconds or refused; of several JSON files the nearest decides."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from brainpid.core.errors import ImageError
from brainpid.imaging.bold.repetition_time import repetition_time


def bold(header_tr: float = 3.0, unit: str = "sec") -> nib.Nifti1Image:
    image = nib.Nifti1Image(np.zeros((2, 2, 2, 3), dtype=np.int16), np.eye(4))
    image.header.set_zooms((1, 1, 1, header_tr))
    image.header.set_xyzt_units("mm", unit)
    return image


@pytest.mark.parametrize(
    ("json_tr", "header_tr", "unit", "expected"),
    [
        (1.4, 3.0, "sec", 1.4),
        (2, 3.0, "sec", 2.0),
        (None, 2.5, "sec", 2.5),
        (None, 800.0, "msec", 0.8),
        (2000.0, 2.0, "sec", None),
        ("2", 2.0, "sec", None),
        (True, 2.0, "sec", None),
        (None, 0.0, "sec", None),
    ],
)
def test_the_repetition_time_is_in_seconds_or_refused(tmp_path, json_tr, header_tr, unit, expected):
    files = {"bold": "sub-1_task-rest_bold.nii.gz", "json": str(tmp_path / "bold.json")}
    (tmp_path / "bold.json").write_text(json.dumps({} if json_tr is None else {"RepetitionTime": json_tr}))
    if expected is None:
        with pytest.raises(ImageError, match=r"sub-1_task-rest_bold.nii.gz: .*between 0 and 10 s"):
            repetition_time(bold(header_tr, unit), files)
    else:
        assert repetition_time(bold(header_tr, unit), files)[0] == pytest.approx(expected)


def test_the_nearest_json_that_tells_decides(tmp_path):
    """Roles are numbers and not words: the tenth file is farther than the second."""
    files = {"bold": "b.nii.gz"}
    for place in (10, 1, 2):
        role = "json" if place == 1 else f"json_{place}"
        content = {"EchoTime": 0.03} if place == 1 else {"RepetitionTime": float(place)}
        (tmp_path / f"{role}.json").write_text(json.dumps(content))
        files[role] = str(tmp_path / f"{role}.json")
    assert repetition_time(bold(), files)[0] == 2.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not readable as JSON"),
        (b'{"a": "\xff"}', "not readable as JSON"),
        (b"[" * 100_000, "not readable as JSON"),
        (b"[2.0]", "expected a mapping of keys at the top, found list"),
        (None, "not readable as JSON"),
    ],
)
def test_a_json_that_cannot_be_read_is_named(tmp_path, content, message):
    path = tmp_path / "task-rest_bold.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=f"{path}: {message}"):
        repetition_time(bold(), {"bold": "b.nii.gz", "json": str(path)})


def test_without_a_json_the_header_tells():
    seconds, doubt = repetition_time(bold(2.2), {"bold": "b.nii.gz"})
    assert seconds == pytest.approx(2.2)
    assert doubt == "repetition time 2.2 s from the header alone, without a JSON that tells it"


@pytest.mark.parametrize(
    ("header_tr", "doubtful"), [(2.0, False), (2.015, False), (2.03, True), (1.0, True), (0, False)]
)
def test_a_header_that_disagrees_with_the_json_is_flagged(tmp_path, header_tr, doubtful):
    (tmp_path / "bold.json").write_text('{"RepetitionTime": 2.0}')
    seconds, doubt = repetition_time(bold(header_tr), {"bold": "b.nii.gz", "json": str(tmp_path / "bold.json")})
    assert seconds == 2.0
    assert bool(doubt) == doubtful
    if doubtful:
        assert doubt == f"repetition time 2 s of the JSON is used; the header has {header_tr:g} s"


def test_volumes_that_are_not_evenly_spaced_are_refused(tmp_path):
    (tmp_path / "bold.json").write_text('{"VolumeTiming": [0, 10, 20]}')
    with pytest.raises(ImageError, match="VolumeTiming: volumes are not evenly spaced"):
        repetition_time(bold(), {"bold": "b.nii.gz", "json": str(tmp_path / "bold.json")})
