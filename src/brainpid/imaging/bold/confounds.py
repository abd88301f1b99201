"""Confounds of a BOLD run as fMRIPrep writes them: reading, columns of a strategy, motion, frames to leave out."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from brainpid.config.extraction import Strategy
from brainpid.core.errors import ImageError, list_some
from brainpid.core.machine import refuse_machine_fault

MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
TISSUES = ("csf", "white_matter")
EXPANSIONS = ("", "_derivative1", "_power2", "_derivative1_power2")
HEAD_RADIUS_MM = 50.0
"""Radius of the sphere on which Power et al. (2012) turn rotations into millimetres."""

_OLD_NAMES = {
    "X": "trans_x",
    "Y": "trans_y",
    "Z": "trans_z",
    "RotX": "rot_x",
    "RotY": "rot_y",
    "RotZ": "rot_z",
    "CSF": "csf",
    "WhiteMatter": "white_matter",
    "GlobalSignal": "global_signal",
    "FramewiseDisplacement": "framewise_displacement",
    "stdDVARS": "std_dvars",
    "non-stdDVARS": "dvars",
}
_OLD_NUMBERED = {
    "aCompCor": "a_comp_cor_",
    "tCompCor": "t_comp_cor_",
    "Cosine": "cosine",
    "NonSteadyStateOutlier": "non_steady_state_outlier",
}


def read_confounds(tsv_path: str | Path, n_volumes: int) -> pd.DataFrame:
    """Read ``desc-confounds_timeseries.tsv``, or the older ``desc-confounds_regressors.tsv``, of fMRIPrep.

    Parameters
    ----------
    tsv_path : path
    n_volumes : int
        Volumes of the BOLD image.

    Returns
    -------
    DataFrame, shape (n_volumes, columns)
        All columns of the file under the names of fMRIPrep >= 1.4; ``n/a`` is NaN. Translations in mm, rotations in
        rad.

    Raises
    ------
    ImageError
        Where the file is absent or no table of numbers, or its rows are not the image's volumes.
    """
    path = Path(tsv_path)
    if not path.is_file():
        raise ImageError(
            f"{path}: the confounds file does not exist; expected fMRIPrep's desc-confounds_timeseries.tsv"
        )
    try:
        table = pd.read_csv(path, sep="\t", na_values=["n/a"])
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        EOFError,
        OSError,
        zlib.error,
    ) as fault:
        refuse_machine_fault(fault, path)
        raise ImageError(f"{path}: not readable as a tab-separated table ({fault})") from fault
    table = table.rename(columns=_current_name)
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise ImageError(f"{path}: columns occur twice: {list_some(repeated)}; expected each once")
    words = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    if words:
        raise ImageError(f"{path}: expected numbers or n/a, found text in {list_some(words)}")
    if len(table) != n_volumes:
        raise ImageError(f"{path}: {len(table)} rows, but the image has {n_volumes} volumes; expected one row a volume")
    return table.astype(float)


def select_confounds(
    confounds: pd.DataFrame, strategy: Strategy, *, n_compcor: int = 5, cosines: bool = False
) -> pd.DataFrame:
    """Columns of a strategy, with the definitions of ``nilearn.interfaces.fmriprep.load_confounds_strategy``.

    ==========  ==========================================================================================
    none        no column
    6P          three translations and three rotations
    24P         those, their backward differences, and the squares of both (Friston et al. 1996)
    36P         the same four of motion, CSF, white matter and the global signal (Satterthwaite et al. 2013)
    simple      24P, CSF and white matter
    scrubbing   24P and the same four of CSF and white matter; frames are left out by `frames_to_keep`
    compcor     24P and the first anatomical CompCor components (Behzadi et al. 2007)
    tcompcor    24P and the first temporal CompCor components
    ==========  ==========================================================================================

    Differences and squares that an older file lacks are computed as fMRIPrep does. The first row of a difference, which
    is ``n/a``, takes the value of the second, as in nilearn.

    Parameters
    ----------
    confounds : DataFrame, shape (T, columns)
        From `read_confounds`.
    strategy : str
    n_compcor : int
        Components of the two CompCor strategies; fewer where the file has fewer.
    cosines : bool
        Whether to add the file's cosine drift terms. Not beside a band-pass filter, which removes the same drifts: a
        filtered cosine is next to nothing, and its standardisation would make a regressor of the filter's edges.

    Returns
    -------
    DataFrame, shape (T, regressors)

    Raises
    ------
    ImageError
        Where columns are missing, or have ``n/a`` below the first row.
    """
    wanted: list[str] = []
    if strategy == "6P":
        wanted += MOTION
    elif strategy != "none":
        wanted += [name + end for name in MOTION for end in EXPANSIONS]
    if strategy == "simple":
        wanted += TISSUES
    if strategy in ("scrubbing", "36P"):
        wanted += [name + end for name in TISSUES for end in EXPANSIONS]
    if strategy == "36P":
        wanted += ["global_signal" + end for end in EXPANSIONS]
    if strategy in ("compcor", "tcompcor"):
        prefix = "a_comp_cor_" if strategy == "compcor" else "t_comp_cor_"
        components = _numbered(confounds, prefix)[:n_compcor]
        wanted += components or [prefix + "00"]
    if cosines and strategy != "none":
        wanted += _numbered(confounds, "cosine")
    columns = {name: _column(confounds, name) for name in wanted}
    missing = [name for name, column in columns.items() if column is None]
    if missing:
        raise ImageError(f"confound strategy '{strategy}' needs columns that the file lacks: {list_some(missing, 40)}")
    chosen = pd.DataFrame(columns, index=confounds.index, dtype=float)
    if len(chosen) > 1:
        chosen.iloc[0] = chosen.iloc[0].fillna(chosen.iloc[1])
    gaps = chosen.columns[~np.isfinite(chosen.to_numpy()).all(axis=0)]
    if len(gaps):
        row = int(np.flatnonzero(~np.isfinite(chosen[gaps[0]].to_numpy()))[0])
        raise ImageError(f"confounds have no number below the first row in {list_some(gaps)} (first: row {row + 1})")
    return chosen


def framewise_displacement(confounds: pd.DataFrame) -> NDArray[np.float64]:
    r"""Framewise displacement (Power et al. 2012), from the file's column or from the six motion parameters.

    .. math:: FD_t = \sum_{i=1}^3 |\Delta d_{it}| + 50\,\mathrm{mm} \sum_{i=1}^3 |\Delta\theta_{it}|

    Parameters
    ----------
    confounds : DataFrame, shape (T, columns)

    Returns
    -------
    ndarray, shape (T,)
        In mm; 0 for the first volume, before which there is none.

    Raises
    ------
    ImageError
        Where the file has neither, or ``n/a`` below the first row.
    """
    if "framewise_displacement" in confounds:
        displacement = confounds["framewise_displacement"].to_numpy(dtype=float).copy()
        if np.isnan(displacement[0]):
            displacement[0] = 0.0
    else:
        missing = [name for name in MOTION if name not in confounds]
        if missing:
            raise ImageError(f"neither framewise_displacement nor all motion parameters; missing {list_some(missing)}")
        steps = np.abs(np.diff(confounds[list(MOTION)].to_numpy(dtype=float), axis=0))
        displacement = np.r_[0.0, steps[:, :3].sum(axis=1) + HEAD_RADIUS_MM * steps[:, 3:].sum(axis=1)]
    bad = np.flatnonzero(~np.isfinite(displacement))
    if bad.size:
        raise ImageError(f"framewise displacement has no number in {bad.size} rows below the first (row {bad[0] + 1})")
    return displacement


def steady_frames(confounds: pd.DataFrame) -> NDArray[np.bool_]:
    """Frames that fMRIPrep does not mark as before the steady state, shape (T,)."""
    marks = confounds[_numbered(confounds, "non_steady_state_outlier")].to_numpy()
    return ~(marks > 0.5).any(axis=1)


def frames_to_keep(
    confounds: pd.DataFrame, *, fd_mm: float | None, std_dvars: float | None, shortest_segment: int
) -> NDArray[np.bool_]:
    """Frames that scrubbing keeps (Power et al. 2012; the rule of nilearn's `load_confounds`).

    Parameters
    ----------
    confounds : DataFrame, shape (T, columns)
    fd_mm : float or None
        Frames with a larger framewise displacement are left out.
    std_dvars : float or None
        Frames with a larger standardised DVARS are left out.
    shortest_segment : int
        What is left between two such frames is left out too where it is shorter.

    Returns
    -------
    ndarray of bool, shape (T,)

    Raises
    ------
    ImageError
        Where a criterion's column is missing.
    """
    kept = np.ones(len(confounds), dtype=bool)
    if fd_mm is not None:
        kept &= framewise_displacement(confounds) <= fd_mm
    if std_dvars is not None:
        if "std_dvars" not in confounds:
            raise ImageError("scrubbing by std_dvars needs the column std_dvars, which the confounds file lacks")
        kept &= ~(confounds["std_dvars"].to_numpy(dtype=float) > std_dvars)  # n/a in the first row is no outlier
    if shortest_segment > 1 and not kept.all():
        kept = ndimage.binary_opening(kept, np.ones(shortest_segment, dtype=bool))
    return kept


def _current_name(name: str) -> str:
    """Name of a column in fMRIPrep >= 1.4."""
    if name in _OLD_NAMES:
        return _OLD_NAMES[name]
    found = re.fullmatch(r"([A-Za-z]+?)(\d+)", name)
    return _OLD_NUMBERED[found[1]] + found[2] if found and found[1] in _OLD_NUMBERED else name


def _numbered(confounds: pd.DataFrame, prefix: str) -> list[str]:
    """Columns that are a prefix and a number, in the order of the numbers."""
    found = [name for name in confounds.columns if re.fullmatch(re.escape(prefix) + r"\d+", name)]
    return sorted(found, key=lambda name: int(name.removeprefix(prefix)))


def _column(confounds: pd.DataFrame, name: str) -> pd.Series | None:
    """A column of the file, or the difference or square that defines it; None where neither is there."""
    if name in confounds:
        return confounds[name]
    if name.endswith("_power2"):
        base = _column(confounds, name.removesuffix("_power2"))
        return None if base is None else base**2
    if name.endswith("_derivative1"):
        base = _column(confounds, name.removesuffix("_derivative1"))
        return None if base is None else base.diff()
    return None
