"""How long the extraction of a person takes, by the headers of images."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.config.extraction import Extraction
from brainpid.features.duration import FEATURES, SECONDS, image_work
from brainpid.features.extractors import EXTRACTORS
from brainpid.features.memory import ImageSize

SETTINGS = Extraction()


def test_every_extractor_has_an_estimate():
    assert set(SECONDS) == set(FEATURES) == set(EXTRACTORS)


@pytest.mark.parametrize(
    ("reader", "size", "settings", "measured"),
    [
        ("t1w", ImageSize(188 * 256 * 190, 1), SETTINGS.structural, 20.8),
        ("t1w", ImageSize(17_600, 1), SETTINGS.structural.model_copy(
            update={"resolution": 8, "registration": "affine", "n4": False}), 0.2),
        ("dwi", ImageSize(17_600, 14), SETTINGS.diffusion.model_copy(update={"resolution": 8}), 0.17),
        ("fmriprep", ImageSize(902_000, 200), SETTINGS.functional, 0.9),
    ],
)  # fmt: skip
def test_estimates_are_within_a_factor_two_of_what_was_measured(reader, size, settings, measured):
    assert measured / 2 < SECONDS[reader](size, settings) < measured * 2


def test_the_images_of_some_people_are_looked_at(tmp_path):
    paths = []
    for k, side in enumerate((10, 20)):
        paths.append([str(tmp_path / f"{k}.nii.gz")])
        nib.save(nib.Nifti1Image(np.zeros((side, side, side), dtype=np.uint8), np.eye(4)), paths[-1][0])
    work = image_work("t1w", paths, SETTINGS.structural)
    each = [SECONDS["t1w"](ImageSize(side**3, 1), SETTINGS.structural) for side in (10, 20)]
    assert (work.people, work.seconds) == (2, pytest.approx(np.mean(each)))
    assert image_work("freesurfer", [], SETTINGS.structural).seconds == 0
    many = image_work("t1w", paths * 5000, SETTINGS.structural)
    assert many.people == 10_000
    assert each[0] < many.seconds < each[1]
