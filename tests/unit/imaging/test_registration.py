"""Linear registration has as many levels as the template's grid carries."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from brainpid.imaging.registration import register
from brainpid.imaging.templates import mni152


def turned(degrees, shift, mm):
    """The template in a head that lies otherwise, a part of it darker."""
    template = mni152("t1", mm)
    angle = np.radians(degrees)
    move = np.eye(4)
    move[:3, :3] = [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    move[:3, 3] = shift
    data = np.asarray(template.dataobj) - 0.35 * np.asarray(mni152("gm", mm).dataobj)
    return nib.Nifti1Image(np.clip(data, 0, None).astype(np.float32), move @ template.affine)


@pytest.mark.parametrize("mm", [8, 6])
@pytest.mark.parametrize(("degrees", "shift"), [(6, (4, -3, 5)), (-5, (-3, 6, -4))])
def test_a_coarse_head_is_not_turned_over(degrees, shift, mm):
    image, template, mask = turned(degrees, shift, mm), mni152("t1", mm), mni152("brain", mm)
    for seed in range(4):
        with register(image, template, mask=mask, model="affine", least_similarity=0.0, seed=seed) as found:
            back = found.to_template(image)
            inside = np.asarray(mask.dataobj) > 0.5
            expected = np.asarray(turned(0, (0, 0, 0), mm).dataobj)[inside]
            assert np.corrcoef(np.asarray(back.dataobj)[inside], expected)[0, 1] > 0.95
