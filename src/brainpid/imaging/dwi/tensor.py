"""Diffusion tensor, and kurtosis, voxel by voxel: ln S(b, g) = ln S0 - b g'Dg (Basser et al. 1994)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from dipy.core.gradients import gradient_table, unique_bvals_tolerance
from dipy.reconst import dki, dti
from numpy.typing import NDArray

from brainpid.config.extraction import DiffusionExtraction
from brainpid.core.errors import ImageError
from brainpid.imaging.dwi.gradients import B_TOLERANCE, Gradients, count_directions, select_shells

KURTOSIS_MAX_B = 3000.0
"""Largest b-value in s/mm^2 for kurtosis; the expansion of the signal's logarithm does not converge above it."""
KURTOSIS_DIRECTIONS = 15
"""A kurtosis tensor has fifteen elements."""
VOXELS_AT_ONCE = 50_000
"""Voxels that are fitted at a time; dipy itself goes by steps of 10,000, which this is a multiple of."""
LEAST_FITTED = 0.5
"""Least fraction of the mask's voxels whose signals are all positive."""


def tensor_maps(
    data: NDArray[np.float32], gradients: Gradients, mask: NDArray[np.bool_], settings: DiffusionExtraction
) -> dict[str, NDArray[np.float32]]:
    """Fit a tensor to every voxel of a mask.

    Parameters
    ----------
    data : ndarray, shape (X, Y, Z, N)
        Signal, finite.
    gradients : Gradients
        Of the N volumes; those above ``settings.max_b`` are left out.
    mask : ndarray of bool, shape (X, Y, Z)
    settings : DiffusionExtraction
        ``fit`` "wls": weights from a first ordinary fit (Chung et al. 2006).

    Returns
    -------
    dict of str to ndarray, shape (X, Y, Z)
        ``fa`` (0 to 1), ``md``, ``ad``, ``rd`` (mm^2/s): means of eigenvalues l1 >= l2 >= l3, MD of all, AD = l1, RD =
        (l2 + l3)/2, FA = sqrt(3/2 sum (l - MD)^2 / sum l^2). ``mk`` (1) with ``settings.kurtosis``. ``residual``: root
        mean square of signal less fit, over the fitted S0. ``positive``: 1 where all eigenvalues are above zero, else
        0. NaN outside of the mask and where a signal is not positive, since it has no logarithm.

    Raises
    ------
    ImageError
        Where the volumes do not determine a tensor, or most voxels have a signal that is not positive.
    """
    kept = select_shells(gradients, settings.max_b)
    signal = data[mask] if kept.all() else data[mask][:, kept]
    if not len(signal):
        raise ImageError("the mask is empty; expected voxels of a brain")
    usable = signal.min(axis=1) > 0
    if usable.mean() < LEAST_FITTED:
        raise ImageError(
            f"{100 * (1 - usable.mean()):.0f}% of the mask's voxels have a signal that is not positive in some volume; "
            f"expected at most {100 * (1 - LEAST_FITTED):.0f}%"
        )
    if not usable.all():
        signal = signal[usable]
    where = mask.copy()
    where[mask] = usable
    table = _table(gradients.take(kept))
    model = dti.TensorModel(table, fit_method=settings.fit.upper(), return_S0_hat=True)
    found = _in_blocks(signal, partial(_tensor, model=model, design=dti.design_matrix(table)[:, :6]))
    if settings.kurtosis:
        del signal
        found |= _in_blocks(data[where], partial(_mean_kurtosis, gradients=gradients))
    return {name: _to_volume(values, where) for name, values in found.items()}


def _in_blocks(
    signal: NDArray[np.float32], fit: Callable[[NDArray[np.float32]], dict[str, NDArray[np.floating]]]
) -> dict[str, NDArray[np.floating]]:
    """Join what is fitted to some voxels at a time: a fit to all at once holds the signal another six times."""
    parts = [fit(signal[start : start + VOXELS_AT_ONCE]) for start in range(0, len(signal), VOXELS_AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _tensor(
    signal: NDArray[np.float32], model: dti.TensorModel, design: NDArray[np.float64]
) -> dict[str, NDArray[np.floating]]:
    """Measures of the tensor of every row."""
    fit = model.fit(signal)
    return {
        "fa": fit.fa,
        "md": fit.md,
        "ad": fit.ad,
        "rd": fit.rd,
        "residual": _residual(signal, fit.lower_triangular(), fit.S0_hat.ravel(), design),
        # dipy raises eigenvalues that are not positive to this, its least diffusivity.
        "positive": fit.evals[:, 2] > 1.01e-6 / -design.min(),
    }


def _residual(
    signal: NDArray[np.float32],
    tensors: NDArray[np.float64],
    s0: NDArray[np.float64],
    design: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Root mean square of signal less fit, over the fitted S0: shape (voxels,)."""
    ratio = np.exp(tensors.astype(np.float32) @ design.T.astype(np.float32))
    ratio -= signal / s0.astype(np.float32)[:, None]
    return np.sqrt(np.einsum("ij,ij->i", ratio, ratio) / signal.shape[1])


def _mean_kurtosis(signal: NDArray[np.float32], gradients: Gradients) -> dict[str, NDArray[np.floating]]:
    """Mean kurtosis, 0 to 3, of every row: ln S = ln S0 - bD + b^2 D^2 K / 6 (Jensen et al. 2005)."""
    kept = gradients.bvals <= KURTOSIS_MAX_B + B_TOLERANCE
    used = gradients.take(kept)
    shells = unique_bvals_tolerance(used.bvals[~used.unweighted], tol=2 * B_TOLERANCE)
    n = count_directions(used)
    if len(shells) < 2 or n < KURTOSIS_DIRECTIONS:
        raise ImageError(
            f"kurtosis needs at least 2 shells up to b = {KURTOSIS_MAX_B:g} s/mm^2 and {KURTOSIS_DIRECTIONS} distinct "
            f"directions, found {len(shells)} ({', '.join(f'{b:g}' for b in shells)}) and {n}; set kurtosis to false"
        )
    # Lower and upper limits as in dipy's own examples: kurtosis of tissue is not negative and rarely above 2.
    fit = dki.DiffusionKurtosisModel(_table(used)).fit(signal[:, kept])
    return {"mk": fit.mk(min_kurtosis=0, max_kurtosis=3)}


def _table(gradients: Gradients) -> object:
    """Dipy's gradient table."""
    return gradient_table(gradients.bvals, bvecs=gradients.bvecs, b0_threshold=gradients.b0_limit)


def _to_volume(values: NDArray[np.floating], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Put values of some voxels into a volume that is NaN elsewhere."""
    volume = np.full(where.shape, np.nan, dtype=np.float32)
    volume[where] = values
    return volume
