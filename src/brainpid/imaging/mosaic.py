"""Mosaics of slices for looking at an image with the outline of its regions."""

from __future__ import annotations

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation
from numpy.typing import NDArray


def mosaic(
    volume: NDArray[np.floating],
    regions: NDArray[np.integer],
    inside: NDArray[np.bool_],
    affine: NDArray[np.floating],
    slices: int = 5,
) -> NDArray[np.uint8]:
    """Slices in three orientations, one row each, with the outline of regions in white; the person's left is left.

    Parameters
    ----------
    volume : ndarray of float, shape (X, Y, Z)
        Shown from black at 0 to light grey at the 99th percentile inside.
    regions : ndarray of int, shape (X, Y, Z)
        Drawn where the value changes from one voxel to the next of a slice.
    inside : ndarray of bool, shape (X, Y, Z)
        The slices are spread evenly over its extent; at least one voxel.
    affine : ndarray of float, shape (4, 4)
        Tells right, front and up, however the voxels are stored.
    slices : int
        Slices per orientation.

    Returns
    -------
    ndarray of uint8, shape (3 * S, slices * S)
        S is the longest side of the box around `inside`, in voxels.
    """
    turn = io_orientation(affine)
    volume, regions, inside = (apply_orientation(part, turn) for part in (volume, regions, inside))
    box = tuple(slice(found.min(), found.max() + 1) for found in np.nonzero(inside))
    brightest = max(float(np.percentile(volume[inside], 99)), float(np.finfo(np.float32).tiny))
    shown = np.clip(volume[box] / brightest, 0, 1) * 200
    side = max(shown.shape)
    rows = []
    for axis in range(3):
        # Not from edge to edge: the outermost slices hold next to nothing.
        places = np.linspace(0, shown.shape[axis] - 1, slices + 2).round().astype(int)[1:-1]
        tiles = [_tile(shown.take(k, axis), regions[box].take(k, axis), side) for k in places]
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def _tile(shown: NDArray[np.floating], regions: NDArray[np.integer], side: int) -> NDArray[np.uint8]:
    """One slice with outlines, second axis upwards, in the middle of a square."""
    edge = np.zeros(regions.shape, dtype=bool)
    edge[:-1] |= regions[:-1] != regions[1:]
    edge[:, :-1] |= regions[:, :-1] != regions[:, 1:]
    drawn = np.where(edge, 255, shown).astype(np.uint8).T[::-1]
    tile = np.zeros((side, side), dtype=np.uint8)
    top, left = ((side - length) // 2 for length in drawn.shape)
    tile[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return tile
