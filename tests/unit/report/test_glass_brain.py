"""Regions have their change on the brain, those of one feature too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.imaging.atlases import Atlas
from brainpid.imaging.nifti import make_image
from brainpid.report.figures import to_svg
from brainpid.report.glass_brain import _painted, changes, glass_brain


def table() -> pd.DataFrame:
    rows = [
        ("t1", "modality", None, None, 9.0),
        ("t1", "region", None, "left", 2.0),
        ("t1", "feature", "gm_left", "left", 1.5),
        ("t1", "feature", "wm_left", "left", 0.25),
        ("t1", "feature", "gm_right", "right", 0.5),
        ("t1", "feature", "edge", "left+right", 0.125),
        ("t1", "feature", "whole", None, 3.0),
    ]
    return pd.DataFrame(rows, columns=["modality", "scope", "feature", "region", "change"])


def atlas() -> Atlas:
    labels = np.zeros((40, 46, 40), dtype=np.int32)
    labels[5:18, 10:30, 10:30], labels[22:35, 10:30, 10:30] = 7, 3
    affine = np.diag([4.0, 4, 4, 1])
    affine[:3, 3] = [-80, -110, -60]
    return Atlas(make_image(labels, affine), {7: "left", 3: "right"}, "two")


def test_a_region_of_one_feature_has_the_change_of_the_feature():
    assert changes(table()).to_dict() == {"left": 2.0, "right": 0.5, "left+right": 0.125}


def test_every_voxel_has_the_value_of_its_region():
    own = atlas()
    painted = np.asarray(_painted(own, changes(table()).reindex(own.regions()).to_numpy()).dataobj)
    labels = np.asarray(own.image.dataobj)
    assert [set(painted[labels == label]) for label in (0, 7, 3)] == [{0.0}, {2.0}, {0.5}]


def test_modalities_with_regions_have_a_row_and_others_none():
    figure = glass_brain(table(), {"t1": atlas(), "dwi": atlas()}, "years")
    assert [text.get_text() for text in figure.texts] == ["t1"]
    assert figure.axes[-1].get_xlabel().endswith("(years)")
    assert figure.axes[-1].get_xlim() == pytest.approx((0, 2.0))
    nothing = glass_brain(table(), {"dwi": atlas()}, "years")
    assert "No region of an atlas was permuted" in to_svg(nothing)
