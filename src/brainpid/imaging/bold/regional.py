"""Features of a preprocessed BOLD run: connectivity and slow fluctuations of an atlas's regions.

The series are averaged first and cleaned afterwards. Detrending, filtering and regression act alike on all voxels and
are linear, so that the mean of cleaned voxels is the cleaned mean, at a cost of regions instead of voxels.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import combinations

import nibabel as nib
import numpy as np
import pandas as pd
from nilearn import signal as nilearn_signal
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from brainpid.config.extraction import FunctionalExtraction, Strategy
from brainpid.core.errors import ImageError, NotInImageError
from brainpid.core.linalg import rank
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.bold.confounds import frames_to_keep, framewise_displacement, select_confounds, steady_frames
from brainpid.imaging.bold.measures import correlation_z, partial_correlation, regional_homogeneity, slow_amplitude
from brainpid.imaging.bold.picture import bold_picture
from brainpid.imaging.bold.series import RegionSeries, region_series
from brainpid.imaging.extracted import Extracted

FILTER_ORDER = 5
"""Order of nilearn's Butterworth filter."""


def extract_bold(
    image: nib.Nifti1Image,
    tr_s: float,
    *,
    confounds: pd.DataFrame | None,
    mask: nib.Nifti1Image | None,
    settings: FunctionalExtraction,
    atlas: Atlas,
) -> Extracted:
    """Features of a BOLD run that is in MNI space, as fMRIPrep leaves it.

    Parameters
    ----------
    image : Nifti1Image, shape (X, Y, Z, T)
        Read once, volume by volume; its data need not fit into memory.
    tr_s : float
        Repetition time in s.
    confounds : DataFrame, shape (T, columns), or None
        From `brainpid.imaging.bold.confounds.read_confounds`; None only with the strategy ``none``, and then motion is
        unknown and excludes nobody.
    mask : Nifti1Image or None
        Brain mask; None takes the voxels that are not 0 in the first volume.
    settings : FunctionalExtraction
    atlas : Atlas

    Returns
    -------
    Extracted
        See `analyse_series`.

    Raises
    ------
    ImageError
        Where the image, the confounds or the repetition time cannot be used.
    """
    series = region_series(image, mask, atlas, least_coverage=settings.least_coverage, keep_voxels=settings.reho)
    return analyse_series(series, tr_s, confounds=confounds, strategy=settings.strategy, settings=settings)


def analyse_series(
    regions: RegionSeries,
    tr_s: float,
    *,
    confounds: pd.DataFrame | None,
    strategy: Strategy,
    settings: FunctionalExtraction,
) -> Extracted:
    """Clean the series of regions and measure them.

    Parameters
    ----------
    regions : RegionSeries
    tr_s : float
        Repetition time in s.
    confounds : DataFrame, shape (T, columns), or None
        As in `extract_bold`.
    strategy : str
        Confounds that are regressed out: those of preprocessed BOLD or of raw BOLD.
    settings : FunctionalExtraction

    Returns
    -------
    Extracted
        ``z_<A>__<B>``: Fisher z of the correlation; ``partial_<A>__<B>``: partial correlation; ``alff_<A>``: amplitude
        of slow fluctuations, divided by its mean over the covered regions, because the unit of BOLD is the scanner's;
        ``falff_<A>``: its share of the spectrum; ``reho_<A>``: mean Kendall's W. A and B are in alphabetical order. NaN
        where a region is not covered, and everywhere where frames or degrees of freedom are too few.
    """
    if not 0.1 <= tr_s <= 20:
        raise ImageError(f"the repetition time is {tr_s:g} s; expected 0.1 to 20 (is it in ms?)")
    if settings.band_pass_hz is not None and settings.band_pass_hz[0] >= 0.5 / tr_s:
        raise ImageError(
            f"a repetition time of {tr_s:g} s shows frequencies up to {0.5 / tr_s:.3g} Hz; the band-pass starts at "
            f"{settings.band_pass_hz[0]:g} Hz"
        )
    if confounds is None and strategy != "none":
        raise ImageError(f"confound strategy '{strategy}' needs a confounds file, and there is none")
    _require_regions(regions, settings)
    n_frames = len(regions.series)
    if confounds is not None and len(confounds) != n_frames:
        raise ImageError(f"the confounds have {len(confounds)} rows, but the image has {n_frames} volumes")
    kept, regressors, displacement = _frames_and_regressors(confounds, n_frames, strategy, settings)
    freedom = degrees_of_freedom(
        int(kept.sum()), _rank(regressors[kept]), tr_s=tr_s, band_pass_hz=settings.band_pass_hz
    )
    excluded = _reason(displacement, int(kept.sum()), n_frames, freedom, tr_s, settings)
    usable = (
        kept.sum() >= settings.min_frames
        and freedom >= settings.min_degrees_of_freedom
        and n_frames >= fewest_of_filter(tr_s, settings.band_pass_hz)
    )
    covered = regions.covered & bool(usable)
    values: dict[str, float] = {}
    n_covered = int(covered.sum())
    none, no_pair = np.full(n_covered, np.nan), np.full((n_covered, n_covered), np.nan)
    cleaned = _clean(regions.series[:, covered], tr_s, kept, regressors, settings.band_pass_hz)
    if "correlation" in settings.measures:
        values |= _pairs("z", correlation_z(cleaned) if n_covered > 1 else no_pair, regions.names, covered)
    if "partial" in settings.measures:
        values |= _pairs("partial", partial_correlation(cleaned) if n_covered > 1 else no_pair, regions.names, covered)
    if settings.alff:
        alff, falff = none, none
        if n_covered:
            unfiltered = _clean(regions.series[:, covered], tr_s, kept, regressors, None)
            alff, falff = slow_amplitude(_fill_gaps(unfiltered, kept), tr_s, settings.slow_band_hz)
        values |= _each("alff", alff / alff.mean() if n_covered else alff, regions.names, covered)
        values |= _each("falff", falff, regions.names, covered)
    if settings.reho:
        values |= _each(
            "reho", _homogeneity(regions, covered, tr_s, kept, regressors, settings), regions.names, covered
        )
    quality = {
        "fd_mean_mm": float(np.mean(displacement)),
        "fd_max_mm": float(np.max(displacement)),
        "dvars_mean_percent": float(regions.dvars_percent[1:].mean()),
        "dvars_max_percent": float(regions.dvars_percent.max()),
        "tsnr_median": regions.tsnr_median,
        "frames_total": float(n_frames),
        "frames_kept": float(kept.sum()),
        "degrees_of_freedom": freedom,
        "regions_total": float(len(regions.names)),
        "regions_not_covered": float((~regions.covered).sum()),
    }
    return Extracted(
        values=values,
        units=dict.fromkeys(values, "1"),
        quality=quality,
        picture=bold_picture(regions.mean, regions.series[:, regions.covered], displacement),
        excluded=excluded,
        regions=_regions_of(values, regions.names),
    )


def _require_regions(regions: RegionSeries, settings: FunctionalExtraction) -> None:
    """Refuse an image that shows too few regions for a single feature, such as a slab."""
    needed = 1 if settings.alff or settings.reho else 2
    n = int(regions.covered.sum())
    if n < needed:
        raise NotInImageError(
            f"{n} of {len(regions.names)} regions are covered (at least {100 * settings.least_coverage:g}% of one "
            f"in the mask of the brain), expected at least {needed}: does the image show the whole brain?"
        )


def degrees_of_freedom(
    n_kept: int, n_regressors: int, *, tr_s: float, band_pass_hz: tuple[float, float] | None
) -> float:
    r"""Degrees of freedom that a cleaned series has left.

    .. math:: n_{kept} \cdot \frac{\min(f_{high}, f_N) - f_{low}}{f_N} - n_{regressors}, \quad f_N = 1 / (2 TR)

    A band-pass leaves the share of the spectrum that it passes; mean and trend are below it. Without a filter, the mean
    and the trend cost 2. 24 regressors and 0.01 to 0.1 Hz leave 19 of 120 volumes of 2 s.

    Parameters
    ----------
    n_kept : int
        Frames after scrubbing.
    n_regressors : int
        Rank of the regressors.
    tr_s : float
        In s.
    band_pass_hz : (float, float) or None
    """
    if band_pass_hz is None:
        return float(n_kept - 2 - n_regressors)
    nyquist = 0.5 / tr_s
    return n_kept * (min(band_pass_hz[1], nyquist) - band_pass_hz[0]) / nyquist - n_regressors


def fewest_of_filter(tr_s: float, band_pass_hz: tuple[float, float] | None) -> int:
    """Fewest volumes that the band-pass takes, which mirrors a piece of the series at both of its ends.

    The piece is three times as long as the coefficients of nilearn's Butterworth filter, 11 of a band and 6 of the
    high-pass that is left where the band ends above the Nyquist frequency; the series has to be longer.
    """
    if band_pass_hz is None:
        return 1
    return 3 * (2 * FILTER_ORDER + 1 if band_pass_hz[1] < 0.5 / tr_s else FILTER_ORDER + 1) + 1


def _frames_and_regressors(
    confounds: pd.DataFrame | None, n_frames: int, strategy: Strategy, settings: FunctionalExtraction
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Frames to keep (T,), regressors (T, C) and framewise displacement in mm (T,), NaN where motion is unknown."""
    if confounds is None:
        return np.ones(n_frames, dtype=bool), np.empty((n_frames, 0)), np.full(n_frames, np.nan)
    chosen = select_confounds(confounds, strategy, n_compcor=settings.n_compcor, cosines=settings.band_pass_hz is None)
    kept = steady_frames(confounds)
    if strategy == "scrubbing":
        kept &= frames_to_keep(
            confounds,
            fd_mm=settings.scrub_fd_mm,
            std_dvars=settings.scrub_std_dvars,
            shortest_segment=settings.scrub_shortest_segment,
        )
    return kept, chosen.to_numpy(), framewise_displacement(confounds)


def _reason(
    displacement: NDArray[np.float64],
    n_kept: int,
    n_frames: int,
    freedom: float,
    tr_s: float,
    settings: FunctionalExtraction,
) -> str:
    """Why the settings exclude the run; empty where they do not."""
    reasons = []
    if settings.band_pass_hz is not None and n_frames < (needed := fewest_of_filter(tr_s, settings.band_pass_hz)):
        low, high = settings.band_pass_hz
        reasons.append(
            f"{n_frames} volumes, and the band-pass of {low:g} to {high:g} Hz takes at least {needed} at a repetition "
            f"time of {tr_s:g} s"
        )
    mean = float(displacement.mean())
    if settings.max_mean_fd_mm is not None and mean > settings.max_mean_fd_mm:
        reasons.append(f"mean framewise displacement {mean:.2f} mm, at most {settings.max_mean_fd_mm:g} allowed")
    if n_kept < settings.min_frames:
        reasons.append(f"{n_kept} of {n_frames} frames kept, at least {settings.min_frames} needed")
    if freedom < settings.min_degrees_of_freedom:
        reasons.append(
            f"{freedom:.1f} degrees of freedom left of {n_kept} frames, at least "
            f"{settings.min_degrees_of_freedom:g} needed"
        )
    return "; ".join(reasons)


def _rank(regressors: NDArray[np.float64]) -> int:
    """Rank of regressors of different units, their means taken off."""
    if not regressors.size:
        return 0
    centred = regressors - regressors.mean(axis=0)
    scale = np.linalg.norm(centred, axis=0)
    return rank(centred[:, scale > 0] / scale[scale > 0]) if (scale > 0).any() else 0


def _clean(
    series: NDArray[np.float64],
    tr_s: float,
    kept: NDArray[np.bool_],
    regressors: NDArray[np.float64],
    band_pass_hz: tuple[float, float] | None,
) -> NDArray[np.float64]:
    """Detrended, filtered and regressed series of the kept frames, by nilearn."""
    if not series.shape[1]:  # no region is covered, or the run is too short to be cleaned
        return np.empty((int(kept.sum()), 0))
    low, high = band_pass_hz or (None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about defaults of nilearn's own helpers
        warnings.simplefilter("ignore", FutureWarning)
        cleaned = nilearn_signal.clean(
            series,
            detrend=True,
            standardize=None,
            sample_mask=None if kept.all() else np.flatnonzero(kept),
            confounds=regressors if regressors.shape[1] else None,
            filter="butterworth" if band_pass_hz else False,
            high_pass=low,
            low_pass=high if high is not None and high < 0.5 / tr_s else None,
            t_r=tr_s,
        )
    return np.asarray(cleaned)


def _fill_gaps(series: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Evenly sampled series from the first to the last kept frame; cubic splines, as nilearn's filter, in between."""
    if kept.all():
        return series
    times = np.flatnonzero(kept)
    return CubicSpline(times, series, axis=0)(np.arange(times[0], times[-1] + 1))


def _homogeneity(
    regions: RegionSeries,
    covered: NDArray[np.bool_],
    tr_s: float,
    kept: NDArray[np.bool_],
    regressors: NDArray[np.float64],
    settings: FunctionalExtraction,
) -> NDArray[np.float64]:
    """Mean regional homogeneity of the covered regions."""
    if regions.voxels is None:
        raise ValueError("regional homogeneity needs the voxels' series; they were not kept")
    if not covered.any():
        return np.empty(0)
    cleaned = np.empty((int(kept.sum()), regions.voxels.shape[1]), dtype=np.float32)
    for start in range(0, cleaned.shape[1], 4096):  # cleaning works in float64
        part = slice(start, start + 4096)
        voxels = regions.voxels[:, part].astype(np.float64)
        cleaned[:, part] = _clean(voxels, tr_s, kept, regressors, settings.band_pass_hz)
    agreement = regional_homogeneity(cleaned, regions.mask)
    counted = (regions.regions >= 0) & np.isfinite(agreement)
    sums = np.bincount(regions.regions[counted], agreement[counted], minlength=covered.size)
    counts = np.bincount(regions.regions[counted], minlength=covered.size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[covered]


def _each(
    prefix: str, found: NDArray[np.float64], names: tuple[str, ...], covered: NDArray[np.bool_]
) -> dict[str, float]:
    """Named values of all regions from those of the covered ones."""
    whole = np.full(len(names), np.nan)
    whole[covered] = found
    return {f"{prefix}_{name}": float(value) for name, value in zip(names, whole, strict=True)}


def _regions_of(values: Mapping[str, float], names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Region of each measure of a region, and the two regions of each edge."""
    own = {f"{measure}_{name}": (name,) for measure in ("alff", "falff", "reho") for name in names}
    edges = {f"{kind}_{a}__{b}": (a, b) for kind in ("z", "partial") for a, b in combinations(names, 2)}
    return {name: place for name, place in (own | edges).items() if name in values}


def _pairs(
    prefix: str, found: NDArray[np.float64], names: tuple[str, ...], covered: NDArray[np.bool_]
) -> dict[str, float]:
    """Named values of all pairs of regions from the matrix of the covered ones."""
    whole = np.full((len(names), len(names)), np.nan)
    whole[np.ix_(covered, covered)] = found
    rows, columns = np.triu_indices(len(names), k=1)
    pairs = zip(rows, columns, whole[rows, columns].tolist(), strict=True)
    return {f"{prefix}_{names[a]}__{names[b]}": value for a, b, value in pairs}
