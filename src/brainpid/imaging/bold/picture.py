"""A picture of a BOLD run for looking at: slices of the mean, motion, and the series of all regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTH = 480
"""Width in pixels."""


def bold_picture(
    mean: NDArray[np.float64], series: NDArray[np.float64], displacement: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Six axial slices of the mean volume above framewise displacement and a carpet of the regions' series.

    Parameters
    ----------
    mean : ndarray, shape (X, Y, Z)
    series : ndarray, shape (T, R)
        Before cleaning; each row of the carpet is one region's z score, from -2 (black) to 2 (white).
    displacement : ndarray, shape (T,)
        In mm; white at 1 mm. NaN is drawn as 0.

    Returns
    -------
    ndarray of uint8, shape (height, WIDTH)
    """
    top = float(np.percentile(mean[mean > 0], 99)) if (mean > 0).any() else 1.0
    depths = np.linspace(0.2, 0.8, 6) * (mean.shape[2] - 1)
    slices = [np.flipud(mean[:, :, int(depth)].T) / top for depth in depths]
    height = max(1, round(WIDTH / 6 * mean.shape[1] / mean.shape[0]))
    rows = [np.hstack([_stretch(piece, height, WIDTH // 6) for piece in slices])]
    rows.append(_stretch(np.nan_to_num(displacement)[None], 12, WIDTH))
    if series.shape[1]:
        spread = series.std(axis=0)
        score = (series - series.mean(axis=0)) / np.where(spread > 0, spread, 1)
        rows.append(_stretch(0.5 + score.T / 4, 120, WIDTH))
    return np.rint(255 * np.clip(np.vstack(rows), 0, 1)).astype(np.uint8)


def _stretch(piece: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Nearest pixels of a picture at another size."""
    rows = np.arange(height) * piece.shape[0] // height
    columns = np.arange(width) * piece.shape[1] // width
    return piece[np.ix_(rows, columns)]
