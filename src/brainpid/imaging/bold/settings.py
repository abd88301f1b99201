"""What is computed from a BOLD run, and which runs are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brainpid.core.errors import InputError
from brainpid.imaging.bold.confounds import STRATEGIES, Strategy

Measure = Literal["correlation", "partial"]


@dataclass(frozen=True)
class BOLDSettings:
    """Settings of the extraction from BOLD.

    Attributes
    ----------
    strategy : str
        Columns that are regressed out, see `brainpid.imaging.bold.confounds.select_confounds`.
    n_compcor : int
        Components of the CompCor strategies.
    band_pass_hz : (float, float) or None
        Butterworth filter before connectivity. None filters nothing, and the file's cosine drifts are regressed out.
    scrub_fd_mm, scrub_std_dvars : float or None
        Frames above either are left out by the strategy ``scrubbing``.
    scrub_shortest_segment : int
        Shortest run of frames that scrubbing keeps.
    measures : tuple of {"correlation", "partial"}
        Connectivity.
    alff : bool
        Amplitude of slow fluctuations, and its share of the whole spectrum, of every region.
    slow_band_hz : (float, float)
        Band of `alff`.
    reho : bool
        Regional homogeneity; needs the series of all voxels in memory.
    max_mean_fd_mm : float or None
        People who move more on average are excluded.
    min_frames : int
        Least frames after scrubbing; people with fewer are excluded and have no features.
    min_degrees_of_freedom : float
        Least degrees of freedom after frames, filter and regressors; people with fewer are excluded and have no
        features.
    least_coverage : float
        Least share of a region inside the mask; other regions are NaN.
    least_similarity : float
        Least correlation of a raw image with the template after registration.
    """

    strategy: Strategy = "simple"
    n_compcor: int = 5
    band_pass_hz: tuple[float, float] | None = (0.01, 0.1)
    scrub_fd_mm: float | None = 0.5
    scrub_std_dvars: float | None = 1.5
    scrub_shortest_segment: int = 5
    measures: tuple[Measure, ...] = ("correlation",)
    alff: bool = True
    slow_band_hz: tuple[float, float] = (0.01, 0.1)
    reho: bool = False
    max_mean_fd_mm: float | None = 0.5
    min_frames: int = 50
    min_degrees_of_freedom: float = 10.0
    least_coverage: float = 0.5
    least_similarity: float = 0.5

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise InputError(f"strategy: expected one of {', '.join(STRATEGIES)}, found '{self.strategy}'")
        unknown = set(self.measures) - {"correlation", "partial"}
        if unknown:
            raise InputError(f"measures: expected correlation or partial, found {', '.join(sorted(unknown))}")
        if not (self.measures or self.alff or self.reho):
            raise InputError("measures, alff and reho are all off; expected at least one")
        for key, band in (("band_pass_hz", self.band_pass_hz), ("slow_band_hz", self.slow_band_hz)):
            if band is not None and not 0 < band[0] < band[1]:
                raise InputError(f"{key}: expected 0 < low < high in Hz, found {band}")
        # The standard error of Fisher's z is 1 / sqrt(degrees of freedom - 3), and the filter is padded by 15 frames.
        for key, least in (("min_frames", 20), ("min_degrees_of_freedom", 4), ("n_compcor", 1)):
            if getattr(self, key) < least:
                raise InputError(f"{key}: expected at least {least}, found {getattr(self, key)}")
        if not 0 < self.least_coverage <= 1:
            raise InputError(f"least_coverage: expected above 0 and at most 1, found {self.least_coverage}")
