"""A natural spline: linear beyond its outer knots, and smooth between."""

from __future__ import annotations

import numpy as np

from brainpid.crossfit.splines import natural_spline


def test_the_spline_is_linear_beyond_its_outer_knots_and_bends_within():
    training = np.linspace(0, 100, 101)
    ends = natural_spline(np.array([-50.0, -40, -30, 96, 106, 116]), training)
    np.testing.assert_allclose(np.diff(ends[:3], 2, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.diff(ends[3:], 2, axis=0), 0, atol=1e-9)
    assert ends.shape == (6, 4)
    assert np.abs(np.diff(natural_spline(np.array([40.0, 50, 60]), training), 2, axis=0)[0, 1]) > 0.01
    bent = np.column_stack([np.ones(101), natural_spline(training, training)])
    target = np.sin(training / 30)
    assert np.abs(bent @ np.linalg.lstsq(bent, target)[0] - target).max() < 0.1
    assert natural_spline(training, np.full(9, 5.0)).shape == (101, 0)


def test_the_spline_is_linear_beyond_its_ends_and_bends_between():
    x = np.linspace(20, 80, 301)
    basis = natural_spline(x, x, (0, 1 / 3, 2 / 3, 1))
    assert basis.shape == (301, 3)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(301), basis])) == 4
    second = np.diff(basis, 2, axis=0)
    assert np.abs(second[[0, -1]]).max() < 0.02 * np.abs(second).max()
