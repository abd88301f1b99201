"""Atlases: region arithmetic equals brute force, absent regions are NaN, and bad label files are named."""

from __future__ import annotations

import numpy as np
import pytest

from brainpid.core.errors import ImageError
from brainpid.imaging.atlases import Atlas, labels_on, region_means, region_sums
from brainpid.imaging.default_atlases import gray_matter
from brainpid.imaging.nifti import make_image


@pytest.fixture
def small():
    """Values, labels with a gap, and a mask."""
    rng = np.random.default_rng(3)
    labels = rng.choice([0, 2, 7, 900], (6, 7, 8)).astype(np.int32)
    names = {900: "c", 2: "a", 7: "b", 11: "absent"}
    values, valid = rng.normal(size=labels.shape), rng.random(labels.shape) > 0.3
    return values, labels, Atlas(make_image(labels, np.eye(4)), names, "small"), valid


def test_sums_and_means_equal_brute_force(small):
    values, labels, atlas, valid = small
    sums, lacking = region_sums(values, labels, atlas, valid=valid, least_coverage=0.1)
    means, _ = region_means(values, labels, atlas, valid=valid, least_coverage=0.1)
    assert lacking == 1
    assert list(sums) == ["a", "b", "absent", "c"]
    for label, name in atlas.names.items():
        if name == "absent":
            assert np.isnan(sums[name])
            assert np.isnan(means[name])
            continue
        inside = values[(labels == label) & valid]
        assert sums[name] == pytest.approx(inside.sum(), abs=1e-12)
        assert means[name] == pytest.approx(inside.mean(), abs=1e-12)


def test_a_region_covered_too_little_is_nan_and_values_that_are_not_finite_are_not_covered(small):
    values, labels, atlas, _ = small
    values = np.where(labels == 7, np.nan, values)
    means, lacking = region_means(values, labels, atlas, valid=np.ones(labels.shape, bool), least_coverage=0.5)
    assert np.isnan(means["b"])
    assert lacking == 2
    assert np.isfinite([means["a"], means["c"]]).all()


def test_label_without_name_and_other_grid_are_refused(small):
    values, labels, atlas, valid = small
    with pytest.raises(ImageError, match="no name for the labels 900"):
        region_sums(values, labels, Atlas(atlas.image, {2: "a", 7: "b"}, "x"), valid=valid, least_coverage=0)
    with pytest.raises(ImageError, match="different grids"):
        region_sums(values[1:], labels, atlas, valid=valid, least_coverage=0)


def test_atlas_outside_the_image():
    affine = np.diag([5.0, 5, 5, 1])
    affine[:3, 3] = 1000
    with pytest.raises(ImageError, match="lies outside the image"):
        labels_on(gray_matter(5), make_image(np.zeros((9, 9, 9), np.float32), affine))
