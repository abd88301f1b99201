"""Sections of the configuration about where features come from, and how images become features."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from brainpid.section import Section


class TableSource(Section):
    """A table of features: one row a person, one column a feature."""

    kind: Literal["table"] = Field(description="kind of source")
    path: str = Field(description="TSV or CSV keyed by participant_id; a JSON of the same name may give units")
    divide_by: str | None = Field(
        None,
        description="column of the participants table, such as head size, that divides every feature of its own unit "
        "(every feature, where no units are given) and is kept as a feature itself",
    )
    drop: tuple[str, ...] = Field((), description="features to leave out, as names or shell patterns")


class NiftiSource(Section):
    """Raw images of the cohort's BIDS dataset."""

    kind: Literal["nifti"] = Field(description="kind of source")
    image: Literal["t1w", "dwi", "bold"] | None = Field(
        None, description="which image; by the modality's name, where that is t1, t1w, dwi, fmri or bold"
    )
    session: str | None = Field(None, description="session to use; the first one by default")
    task: str = Field("rest", description="task of a BOLD run")


class FMRIPrepSource(Section):
    """BOLD that fMRIPrep has preprocessed."""

    kind: Literal["fmriprep"] = Field(description="kind of source")
    path: str = Field(description="fMRIPrep's output folder")
    space: str = Field("MNI152NLin2009cAsym", description="template whose grid the BOLD is on")
    session: str | None = Field(None, description="session to use; the first one by default")
    task: str = Field("rest", description="task of the run")


class FreeSurferSource(Section):
    """FreeSurfer's statistics files."""

    kind: Literal["freesurfer"] = Field(description="kind of source")
    path: str = Field(description="SUBJECTS_DIR: one folder a person, with stats/ in it")
    session: str | None = Field(None, description="session to use; the first one by default")


class QSIReconSource(Section):
    """Diffusion scalar maps in template space, as QSIRecon writes them."""

    kind: Literal["qsirecon"] = Field(description="kind of source")
    path: str = Field(description="QSIRecon's output folder")
    space: str = Field("MNI152NLin2009cAsym", description="template whose grid the maps are on")
    session: str | None = Field(None, description="session to use; the first one by default")


Source = Annotated[
    TableSource | NiftiSource | FMRIPrepSource | FreeSurferSource | QSIReconSource, Field(discriminator="kind")
]
ImageSource = NiftiSource | FMRIPrepSource | FreeSurferSource | QSIReconSource


class AtlasFiles(Section):
    """A parcellation in MNI space."""

    image: str = Field(description="NIfTI label image")
    labels: str = Field(description="table of label values and names")


class StructuralExtraction(Section):
    """T1-weighted images."""

    resolution: int = Field(2, ge=1, le=8, description="voxel size of the template work, in mm")


class DiffusionExtraction(Section):
    """Diffusion images and maps."""

    resolution: int = Field(2, ge=1, le=8, description="voxel size of the template work, in mm")


class FunctionalExtraction(Section):
    """BOLD series."""

    strategy: str = Field("simple", description="confounds to remove")


class Extraction(Section):
    """How images become features; the same for all cohorts, so that their features are."""

    structural: StructuralExtraction = Field(default_factory=StructuralExtraction, description="T1-weighted images")
    diffusion: DiffusionExtraction = Field(default_factory=DiffusionExtraction, description="diffusion images and maps")
    functional: FunctionalExtraction = Field(default_factory=FunctionalExtraction, description="BOLD series")
