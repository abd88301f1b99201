"""Measures of connectivity, amplitude and homogeneity against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from bold_phantom import TR

from brainpid.imaging.bold.measures import correlation_z, partial_correlation, regional_homogeneity, slow_amplitude


def test_fisher_z_of_equal_series_is_finite():
    series = np.random.default_rng(0).normal(size=(50, 1)) * np.array([1.0, 2.0, -1.0])
    z = correlation_z(series)
    assert z[0, 1] == pytest.approx(np.arctanh(1 - 1e-7), rel=1e-6)
    assert z[0, 2] == -z[0, 1]


def test_partial_correlation_of_a_chain_is_zero_between_its_ends():
    rng = np.random.default_rng(0)
    a = rng.normal(size=20_000)
    b = a + rng.normal(size=a.size)
    partial = partial_correlation(np.column_stack([a, b, b + rng.normal(size=a.size)]))
    assert partial[0, 2] == pytest.approx(0, abs=0.02)
    # The precision is [[2, -1, 0], [-1, 2, -1], [0, -1, 1]].
    assert partial[0, 1] == pytest.approx(1 / 2, abs=0.02)
    assert partial[1, 2] == pytest.approx(1 / np.sqrt(2), abs=0.02)


def test_amplitude_of_a_sinusoid():
    n, k, height = 200, 20, 3.0  # 0.05 Hz, on a frequency of the transform
    wave = height * np.cos(2 * np.pi * k * (np.arange(n) + 0.5) / n)  # symmetric, so that it has no linear trend
    alff, falff = slow_amplitude(wave[:, None], TR, (0.01, 0.1))
    # All power, height^2 / 2, is in one of the 37 frequencies of the band, each 1 / (n TR) wide.
    assert alff[0] == pytest.approx(np.sqrt(height**2 / 2 * n * TR) / 37, rel=1e-6)
    assert falff[0] == pytest.approx(1, rel=1e-6)
    fast = np.cos(2 * np.pi * 80 * (np.arange(n) + 0.5) / n)
    assert slow_amplitude(fast[:, None], TR, (0.01, 0.1))[1][0] < 1e-6


def test_white_noise_has_the_band_s_share_of_the_spectrum_whatever_its_length():
    rng = np.random.default_rng(0)
    short, long = (slow_amplitude(rng.normal(size=(n, 400)), TR, (0.01, 0.1)) for n in (150, 600))
    assert long[1].mean() == pytest.approx(0.09 / 0.25, abs=0.01)
    assert short[0].mean() == pytest.approx(long[0].mean(), rel=0.02)


def test_homogeneity_of_equal_and_of_independent_series():
    mask = np.ones((6, 6, 6), dtype=bool)
    one = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    same = regional_homogeneity(np.repeat(one, mask.sum(), axis=1), mask)
    assert np.nanmin(same) == pytest.approx(1, abs=1e-5)
    assert np.isnan(same[0])  # a corner has 8 of 27
    noise = np.random.default_rng(1).normal(size=(1000, mask.sum())).astype(np.float32)
    inner = regional_homogeneity(noise, mask).reshape(mask.shape, order="F")[1:-1, 1:-1, 1:-1]
    assert inner.mean() == pytest.approx(1 / 27, abs=0.002)
