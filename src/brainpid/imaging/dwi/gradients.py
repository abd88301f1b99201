"""Diffusion gradients: reading of b-values and directions, with checks that come before any fit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brainpid.core.errors import ImageError, list_some
from brainpid.core.linalg import condition_number

LOWEST_SHELL = 300.0
"""Largest b-value in s/mm^2 of a lowest shell that may stand for volumes that are not weighted."""
B_TOLERANCE = 50.0
"""Spread of b-values in s/mm^2 within one shell, as imaging gradients move them."""
LENGTH_TOLERANCE = 0.05
"""Largest deviation from 1 of a direction's length that counts as rounding."""
LEAST_DIRECTIONS = 6
"""A symmetric tensor has six elements."""
SAME_AXIS = 0.999
"""Cosine above which two directions are the same axis (2.6 degrees)."""
LARGEST_CONDITION = 20.0
"""Condition number of the directions' dyads above which a tensor is not determined; even schemes have 1.6 to 2."""


@dataclass(frozen=True)
class Gradients:
    """Diffusion weighting of every volume.

    Attributes
    ----------
    bvals : ndarray, shape (n,)
        s/mm^2.
    bvecs : ndarray, shape (n, 3)
        Unit vectors; zero where a volume is not weighted, or is of the lowest shell and has none. Their frame (voxel
        axes, as FSL writes them) does not matter for anything that a rotation leaves as it is, such as FA, MD and MK.
    b0_limit : float
        Largest b-value of a volume that counts as not weighted, in s/mm^2.
    """

    bvals: NDArray[np.float64]
    bvecs: NDArray[np.float64]
    b0_limit: float

    @property
    def unweighted(self) -> NDArray[np.bool_]:
        """Which volumes count as not weighted; shape (n,)."""
        return self.bvals <= self.b0_limit

    def take(self, volumes: NDArray[np.bool_]) -> Gradients:
        """Keep some volumes."""
        return Gradients(self.bvals[volumes], self.bvecs[volumes], self.b0_limit)


def read_gradients(bval_path: str | Path, bvec_path: str | Path, n_volumes: int, b0_threshold: float) -> Gradients:
    """Read b-values and directions that are separated by white space or commas, in rows or columns.

    Parameters
    ----------
    bval_path, bvec_path : path
        n b-values in s/mm^2; directions as 3 rows of n or n rows of 3. The name's extension does not matter.
    n_volumes : int
        Volumes of the image.
    b0_threshold : float
        Largest b-value of a volume that counts as not weighted; scanners write 5 or 15 for 0. Where no volume is below
        it, the lowest shell up to 300 s/mm^2 counts as such, and keeps its b-values and directions in the fit.

    Returns
    -------
    Gradients
        Directions normalised where their length is within 5% of 1, and set to zero where b is at most the threshold:
        some programs write NaN or an arbitrary vector there.

    Raises
    ------
    ImageError
        Where a file is absent or not numeric, counts differ, a value is not finite or negative, a direction is no unit
        vector, no volume has b = 0, or the directions do not determine a tensor.
    """
    rows = _read_numbers(bval_path)
    if min(len(rows), max(len(row) for row in rows)) != 1:
        raise ImageError(f"{bval_path}: expected one row or one column of b-values, found {_layout(rows)}")
    bvals = np.array([value for row in rows for value in row])
    bvecs = _as_columns(_read_numbers(bvec_path), bvec_path, len(bvals))
    if not len(bvals) == len(bvecs) == n_volumes:
        raise ImageError(
            f"{bval_path} has {len(bvals)} b-values and {bvec_path} {len(bvecs)} directions, "
            f"but the image has {n_volumes} volumes; expected the same number of each"
        )
    if not np.isfinite(bvals).all() or bvals.min() < 0:
        found = list_some(f"{value:g}" for value in bvals[~(bvals >= 0) | np.isinf(bvals)])
        raise ImageError(f"{bval_path}: expected finite b-values of at least 0 s/mm^2, found {found}")
    limit = _b0_limit(bvals, b0_threshold)
    # Before the directions: without b = 0 all of them would be looked at.
    _check_weighting(bvals, limit, str(bval_path))
    gradients = Gradients(bvals, _unit_vectors(bvals, bvecs, b0_threshold, limit, bvec_path), limit)
    check_gradients(gradients, str(bval_path))
    return gradients


def select_shells(gradients: Gradients, max_b: float = 1500) -> NDArray[np.bool_]:
    """Tell which volumes have b of at most `max_b`, and check that they determine a tensor.

    Parameters
    ----------
    gradients : Gradients
        Of n volumes.
    max_b : float
        s/mm^2; 50 more are allowed, so that a shell that the scanner spread is not cut in two. Above about 1500 the
        signal's logarithm is no longer linear in b (Jones and Basser 2004) and a tensor underestimates diffusivity.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ImageError
        Where no volume with b = 0 is left, or the directions do not determine a tensor.
    """
    kept = gradients.bvals <= max_b + B_TOLERANCE
    check_gradients(gradients.take(kept), f"volumes with b <= {max_b:g} of {_range(gradients.bvals)}")
    return kept


def count_directions(gradients: Gradients) -> int:
    """Count distinct axes of the weighted volumes; opposite directions are one axis."""
    axes = gradients.bvecs[~gradients.unweighted]
    same = np.tril(np.abs(axes @ axes.T) > SAME_AXIS, -1)
    return int(len(axes) - same.any(axis=1).sum())


def check_gradients(gradients: Gradients, place: str) -> None:
    """Refuse gradients without b = 0 or whose directions do not determine a tensor.

    Raises
    ------
    ImageError
        With `place` in front of the sentence.
    """
    weighted = ~gradients.unweighted
    _check_weighting(gradients.bvals, gradients.b0_limit, place)
    n = count_directions(gradients)
    if n < LEAST_DIRECTIONS:
        raise ImageError(f"{place}: expected at least {LEAST_DIRECTIONS} distinct directions, found {n}")
    x, y, z = gradients.bvecs[weighted].T
    condition = condition_number(np.stack([x * x, y * y, z * z, 2 * x * y, 2 * x * z, 2 * y * z], axis=1))
    if not condition <= LARGEST_CONDITION:
        raise ImageError(
            f"{place}: the {n} directions lie too close to a plane or cone to determine a tensor "
            f"(condition number {condition:.3g}, expected at most {LARGEST_CONDITION:g})"
        )


def _b0_limit(bvals: NDArray[np.float64], threshold: float) -> float:
    """The threshold, or the upper edge of the lowest shell where no volume is below it and others are above."""
    lowest = float(bvals.min())
    edge = lowest + B_TOLERANCE
    falls_back = threshold < lowest <= LOWEST_SHELL and (bvals > edge + B_TOLERANCE).any()
    return edge if falls_back else threshold


def _check_weighting(bvals: NDArray[np.float64], limit: float, place: str) -> None:
    """Refuse b-values without a volume that is not weighted, or without one that is."""
    weighted = bvals > limit
    if weighted.all():
        raise ImageError(
            f"{place}: no volume with b <= {limit:g} s/mm^2 (b0_threshold) and no lowest shell up to {LOWEST_SHELL:g}, "
            f"found b of {_range(bvals)}; expected one"
        )
    if not weighted.any():
        raise ImageError(
            f"{place}: no diffusion-weighted volume, found b of {_range(bvals)}; expected b > {limit:g} s/mm^2"
        )


def _read_numbers(path: str | Path) -> list[list[float]]:
    """Numbers of every line that is not empty."""
    if not Path(path).is_file():
        raise ImageError(f"{path}: the file does not exist")
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").replace(",", " ").splitlines()
        rows = [[float(word) for word in line.split()] for line in lines if line.strip()]
    except ValueError as fault:  # a UnicodeDecodeError is one
        raise ImageError(f"{path}: expected numbers only ({fault})") from fault
    if not rows:
        raise ImageError(f"{path}: the file is empty; expected numbers")
    return rows


def _as_columns(rows: list[list[float]], path: str | Path, n: int) -> NDArray[np.float64]:
    """Directions as an array of shape (n, 3)."""
    widths = {len(row) for row in rows}
    if len(widths) != 1 or 3 not in (len(rows), *widths):
        raise ImageError(f"{path}: expected 3 rows of {n} numbers or {n} rows of 3, found {_layout(rows)}")
    table = np.array(rows)
    if table.shape == (3, 3):
        raise ImageError(f"{path}: 3 directions do not determine a tensor, expected at least {LEAST_DIRECTIONS}")
    return table.T if table.shape[0] == 3 else table


def _unit_vectors(
    bvals: NDArray[np.float64], bvecs: NDArray[np.float64], threshold: float, limit: float, path: str | Path
) -> NDArray[np.float64]:
    """Normalise the directions of weighted volumes and set the others to zero."""
    lengths = np.linalg.norm(bvecs, axis=1)
    unit = np.abs(lengths - 1) <= LENGTH_TOLERANCE
    off = (bvals > limit) & ~unit
    if off.any():
        found = list_some(f"{lengths[k]:.3g} (volume {k}, b = {bvals[k]:g})" for k in np.flatnonzero(off))
        raise ImageError(f"{path}: expected unit vectors where b > {limit:g}, found lengths {found}")
    # A lowest shell above the threshold is weighted, if weakly: its directions enter the fit where it has any.
    kept = unit & (bvals > threshold)
    return np.where(kept[:, None], bvecs / np.where(kept, lengths, 1.0)[:, None], 0.0)


def _layout(rows: list[list[float]]) -> str:
    """Rows and columns in words."""
    widths = sorted({len(row) for row in rows})
    return f"{len(rows)} rows of {' or '.join(map(str, widths))}"


def _range(bvals: NDArray[np.float64]) -> str:
    """Smallest and largest b-value in words."""
    return f"{bvals.min():g} to {bvals.max():g} s/mm^2"
