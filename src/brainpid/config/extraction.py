"""Sections of the configuration about how images become features: the extraction is given them as they are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from brainpid.config.paths import PathText
from brainpid.config.section import Section

RegistrationModel = Literal["affine", "syn"]
Strategy = Literal["none", "6P", "24P", "36P", "simple", "scrubbing", "compcor", "tcompcor"]
RawStrategy = Literal["none", "6P", "24P"]
Connectivity = Literal["correlation", "partial"]
TensorFit = Literal["wls", "ols"]
DIFFUSION_METRICS = ("fa", "md", "ad", "rd", "mk", "ak", "rk", "icvf", "isovf", "od")
"""Tensor, kurtosis and NODDI metrics whose unit is known."""


class AtlasFiles(Section):
    """A parcellation in MNI space."""

    image: PathText = Field(description="NIfTI label image")
    labels: PathText = Field(description="table of label values and names")


Atlas = Annotated[
    AtlasFiles | None, Field(description="a parcellation in MNI space; by default one that needs no download")
]


class StructuralExtraction(Section):
    """T1-weighted images."""

    resolution: int = Field(
        2, ge=1, le=8, description="voxel size of the template work, in mm; coarser images stay as they are"
    )
    registration: RegistrationModel = Field("syn", description="model of the registration to MNI")
    n4: bool = Field(True, description="correct the bias field")
    least_similarity: float = Field(
        0.4,
        ge=-1,
        le=1,
        description="correlation with the template below which registration has failed; of the head, before its brain "
        "is cut out, half of it is asked",
    )
    least_coverage: float = Field(0.8, ge=0, le=1, description="part of a region that must be seen, else it is n/a")
    most_voxel_ratio: float = Field(8.0, ge=1, description="largest ratio of voxel sides; thicker slices are refused")
    divide_by_icv: bool = Field(
        False,
        description="divide every volume by the intracranial volume, which stays a feature itself; FreeSurfer's too",
    )
    atlas: Atlas = None


class DiffusionExtraction(Section):
    """Diffusion images and maps."""

    resolution: int = Field(2, ge=1, le=8, description="voxel size of the template work, in mm")
    b0_threshold: float = Field(
        50.0,
        ge=0,
        le=300,
        description="largest b-value of a volume that counts as not weighted, in s/mm^2; where none is below it, the "
        "lowest shell counts as such, up to 300 s/mm^2",
    )
    max_b: float = Field(1500.0, gt=0, description="largest b-value that enters the tensor fit, in s/mm^2")
    mppca: bool = Field(False, description="denoise with Marchenko-Pastur PCA first; slow")
    fit: TensorFit = Field("wls", description="weighted or ordinary least squares of the tensor")
    registration: RegistrationModel = Field(
        "affine",
        description="model of the registration to MNI; FA has noise where the template is smooth, and `syn` follows "
        "it: look at the pictures before its results are used",
    )
    least_similarity: float = Field(
        0.4, ge=-1, le=1, description="correlation with the template below which registration has failed"
    )
    least_coverage: float = Field(0.5, ge=0, le=1, description="part of a region that must be seen, else it is n/a")
    kurtosis: bool = Field(False, description="mean kurtosis too; needs two shells")
    atlas: Atlas = None


class FunctionalExtraction(Section):
    """BOLD series."""

    strategy: Strategy = Field("simple", description="confounds that are regressed out of fMRIPrep's BOLD")
    raw_strategy: RawStrategy = Field(
        "6P", description="confounds that are regressed out of raw BOLD, for which motion alone is known"
    )
    n_compcor: int = Field(5, ge=1, description="components of the CompCor strategy")
    band_pass_hz: tuple[float, float] | None = Field(
        (0.01, 0.1),
        description="band-pass before connectivity, in Hz; with null the file's cosine drifts are regressed out",
    )
    scrub_fd_mm: float | None = Field(
        0.5, gt=0, description="displacement above which `scrubbing` drops a frame, in mm"
    )
    scrub_std_dvars: float | None = Field(1.5, gt=0, description="standardised DVARS above which it does")
    scrub_shortest_segment: int = Field(5, ge=1, description="shortest run of frames that scrubbing keeps")
    measures: tuple[Connectivity, ...] = Field(("correlation",), description="connectivity")
    alff: bool = Field(True, description="amplitude of slow fluctuations, and its share, of every region")
    slow_band_hz: tuple[float, float] = Field((0.01, 0.1), description="band of `alff`, in Hz")
    reho: bool = Field(False, description="regional homogeneity; needs all voxels in memory")
    max_mean_fd_mm: float | None = Field(
        0.5, gt=0, description="mean displacement above which a person is excluded, in mm"
    )
    # What the filter takes is seen with a run's repetition time; Fisher's z has a standard error of
    # 1 / sqrt(degrees of freedom - 3).
    min_frames: int = Field(50, ge=20, description="fewest frames after scrubbing; a person with fewer is excluded")
    min_degrees_of_freedom: float = Field(
        10.0, ge=4, description="fewest degrees of freedom after frames, filter and regressors; else excluded"
    )
    least_coverage: float = Field(0.5, ge=0, le=1, description="part of a region that must be seen, else it is n/a")
    least_similarity: float = Field(
        0.5, ge=-1, le=1, description="correlation with the template below which registration of a raw image has failed"
    )
    atlas: Atlas = None

    @model_validator(mode="after")
    def _consistent(self) -> FunctionalExtraction:
        for key in ("band_pass_hz", "slow_band_hz"):
            band = getattr(self, key)
            if band is not None and not 0 < band[0] < band[1]:
                raise ValueError(f"{key}: expected [low, high] in Hz with 0 < low < high, found {list(band)}")
        if not (self.measures or self.alff or self.reho):
            raise ValueError("measures, alff and reho are all off; expected at least one")
        return self


ImageExtraction = StructuralExtraction | DiffusionExtraction | FunctionalExtraction


class Extraction(Section):
    """How images become features; the same for all cohorts, so that their features are."""

    structural: StructuralExtraction = Field(default_factory=StructuralExtraction, description="T1-weighted images")
    diffusion: DiffusionExtraction = Field(default_factory=DiffusionExtraction, description="diffusion images and maps")
    functional: FunctionalExtraction = Field(default_factory=FunctionalExtraction, description="BOLD series")
