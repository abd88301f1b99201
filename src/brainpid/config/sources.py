"""Sections of the configuration about where features come from, and which section of `extraction` a source uses."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field

from brainpid.config.section import Section
from brainpid.core.errors import InputError


class TableSource(Section):
    """A table of features: one row a person, one column a feature."""

    kind: Literal["table"] = Field(description="kind of source")
    path: str = Field(
        description="TSV or CSV keyed by participant_id; a JSON of the same name may give units and regions"
    )
    divide_by: str | None = Field(
        None,
        description="column of the participants table, such as head size, that divides every feature of its own unit "
        "(every feature, where no units are given) and is kept as a feature itself",
    )
    drop: tuple[str, ...] = Field((), description="features to leave out, as names or shell patterns")

    def keeps(self, column: str) -> bool:
        """Whether a column of the table is left in."""
        return not any(fnmatchcase(column, pattern) for pattern in self.drop)


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


IMAGES = {"t1": "t1w", "t1w": "t1w", "dwi": "dwi", "fmri": "bold", "bold": "bold"}
"""Image that a modality of this name means."""
SECTIONS: dict[str, Literal["structural", "diffusion", "functional"]] = {
    "t1w": "structural",
    "freesurfer": "structural",
    "dwi": "diffusion",
    "qsirecon": "diffusion",
    "bold": "functional",
    "fmriprep": "functional",
}
"""Section of `extraction` by what reads the files."""


def image_of(source: NiftiSource, modality: str) -> str:
    """Which raw image a modality is made from.

    Raises
    ------
    InputError
        Where neither the source nor the modality's name tells.
    """
    found = source.image or IMAGES.get(modality.lower())
    if found is None:
        raise InputError(f"sources.{modality}: the name does not tell which image it is; give image: t1w, dwi or bold")
    return found


def section_of(source: ImageSource, modality: str) -> Literal["structural", "diffusion", "functional"]:
    """Name of the section of `extraction` that a source's images are extracted by."""
    return SECTIONS[reader_of(source, modality)]


def reader_of(source: ImageSource, modality: str) -> str:
    """What reads a source's files: the image of raw data, else the kind of the source."""
    return image_of(source, modality) if isinstance(source, NiftiSource) else source.kind
