"""The repetition time comes from the sidecar or the header, in seconds, or is refused."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from brainpid.core.errors import ImageError
from brainpid.imaging.bold.repetition_time import repetition_time


@pytest.mark.parametrize(
    ("json_tr", "header_tr", "unit", "expected"),
    [(1.4, 3.0, "sec", 1.4), (None, 2.5, "sec", 2.5), (None, 800.0, "msec", 0.8), (2000.0, 2.0, "sec", None),
     (None, 0.0, "sec", None)],
)  # fmt: skip
def test_the_repetition_time_is_in_seconds_or_refused(tmp_path, json_tr, header_tr, unit, expected):
    path = tmp_path / "sub-1_task-rest_bold.nii.gz"
    image = nib.Nifti1Image(np.zeros((2, 2, 2, 3), dtype=np.int16), np.eye(4))
    image.header.set_zooms((1, 1, 1, header_tr))
    image.header.set_xyzt_units("mm", unit)
    if json_tr is not None:
        path.with_name("sub-1_task-rest_bold.json").write_text(json.dumps({"RepetitionTime": json_tr}))
    if expected is None:
        with pytest.raises(ImageError, match="between 0 and 10 s"):
            repetition_time(image, path)
    else:
        assert repetition_time(image, path) == pytest.approx(expected)
