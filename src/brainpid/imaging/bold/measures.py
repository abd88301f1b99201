"""Measures of resting-state series: connectivity, amplitude of slow fluctuations, local synchrony."""

from __future__ import annotations

import numpy as np
from nilearn.connectome import ConnectivityMeasure
from numpy.typing import NDArray
from scipy import ndimage, signal, stats
from sklearn.covariance import LedoitWolf

LARGEST_CORRELATION = 1 - 1e-7
"""Two equal series have the Fisher z of this correlation (8.4) instead of infinity."""


def correlation_z(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fisher z, ``artanh(r)``, of the Pearson correlation r between all pairs of series.

    Parameters
    ----------
    series : ndarray, shape (T, R)

    Returns
    -------
    ndarray, shape (R, R)
        The diagonal means nothing.
    """
    r = np.atleast_2d(np.corrcoef(series, rowvar=False))
    return np.arctanh(np.clip(r, -LARGEST_CORRELATION, LARGEST_CORRELATION))


def partial_correlation(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Partial correlation of all pairs given all other series, from a covariance shrunk as Ledoit and Wolf (2004).

    Parameters
    ----------
    series : ndarray, shape (T, R)

    Returns
    -------
    ndarray, shape (R, R)
    """
    measure = ConnectivityMeasure(
        cov_estimator=LedoitWolf(store_precision=False), kind="partial correlation", standardize="zscore_sample"
    )
    return measure.fit_transform([series])[0].astype(np.float64)


def slow_amplitude(
    series: NDArray[np.float64], tr_s: float, band_hz: tuple[float, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""ALFF and fALFF of series that are not filtered.

    With the one-sided power spectral density P of the linearly detrended series,

    .. math:: ALFF = \operatorname{mean}_{f \in band} \sqrt{P(f)}, \qquad
       fALFF = \sum_{f \in band} \sqrt{P(f)} \Big/ \sum_{0 < f \le f_{Nyquist}} \sqrt{P(f)}

    A mean of the square root of a density depends neither on the length of the run nor, for noise below the Nyquist
    frequency, on the repetition time; fALFF does depend on the repetition time, which sets its denominator.

    Parameters
    ----------
    series : ndarray, shape (T, R)
    tr_s : float
        In s.
    band_hz : (float, float)
        Both ends belong to the band.

    Returns
    -------
    alff : ndarray, shape (R,)
        In the series' unit / sqrt(Hz).
    falff : ndarray, shape (R,)
        0 to 1.

    References
    ----------
    Zang et al. 2007, Brain and Development 29:83; Zou et al. 2008, J Neurosci Methods 172:137.
    """
    frequencies, power = signal.periodogram(series, fs=1 / tr_s, detrend="linear", axis=0)
    amplitude = np.sqrt(power[1:])
    within = (frequencies[1:] >= band_hz[0] - 1e-9) & (frequencies[1:] <= band_hz[1] + 1e-9)
    total = amplitude.sum(axis=0)
    band = amplitude[within]
    return band.mean(axis=0), np.divide(band.sum(axis=0), total, out=np.full_like(total, np.nan), where=total > 0)


def regional_homogeneity(voxels: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    r"""Kendall's W of each voxel and its neighbours (Zang et al. 2004), on the 27 voxels of a cube.

    With K series of T ranks and rank sums :math:`S_t`,
    :math:`W = 12 \sum_t (S_t - \bar S)^2 / (K^2 (T^3 - T))`.

    Parameters
    ----------
    voxels : ndarray, shape (T, V)
        Cleaned series of the mask's voxels, first axis of the volume fastest.
    mask : ndarray of bool, shape (X, Y, Z)

    Returns
    -------
    ndarray, shape (V,)
        0 to 1; NaN where fewer than 14 of the 27 voxels are in the mask.
    """
    n_frames = voxels.shape[0]
    where = np.flatnonzero(mask.ravel(order="F"))
    cube = np.ones(3)

    def sums(volume: NDArray[np.float64]) -> NDArray[np.float64]:
        for axis in range(3):
            volume = ndimage.convolve1d(volume, cube, axis=axis, mode="constant")
        return volume.ravel(order="F")[where]

    members = np.rint(sums(mask.astype(np.float64)))
    ranks = np.empty(voxels.shape, dtype=np.float32)
    for start in range(0, voxels.shape[1], 4096):  # ranks are made as float64
        ranks[:, start : start + 4096] = stats.rankdata(voxels[:, start : start + 4096], axis=0)
    squares = np.zeros(where.size)
    volume = np.zeros(mask.size)
    for frame in ranks:
        volume[where] = frame - (n_frames + 1) / 2  # centred, so that the rank sums have mean 0
        squares += sums(volume.reshape(mask.shape, order="F")) ** 2
    agreement = 12 * squares / (members**2 * (n_frames**3 - n_frames))
    return np.where(members >= 14, agreement, np.nan)
