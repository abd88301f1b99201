"""Sections of the configuration about where features come from, and which section of `extraction` a source uses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from brainpid.config.entities import ENTITY_JSON, entity_filter
from brainpid.config.extraction import DIFFUSION_METRICS, ImageExtraction
from brainpid.config.paths import PathText
from brainpid.config.section import Name, Section
from brainpid.core.errors import InputError, did_you_mean
from brainpid.core.names import matching

Entities = Annotated[dict[str, tuple[str | None, ...]], BeforeValidator(entity_filter), WithJsonSchema(ENTITY_JSON)]
"""Values that entities of a file's name may have, in the order of preference."""
ENTITIES = (
    "entities that the file's name must have, such as `{acq: mprage, rec: null, dir: [AP, PA]}`: a value, several in "
    "the order of preference, or null for an entity that must not be there; compared whole"
)
Sessions = Literal["first", "all"]
SESSIONS = (
    "`all`: every session is a row of its own, labelled as in sub-01_ses-2, with the target of the visit; `session` is "
    "then not given, all sources of images of the cohort have it, and `splits.group` keeps visits of one person on one "
    "side"
)
OWN_SPACES = ("T1w", "T2w", "ACPC", "anat", "func", "bold", "boldref", "dwi", "individual", "native", "orig", "scanner")
"""Spaces of a person's own images, which regions of a template do not fit."""


def _of_a_template(space: str) -> str:
    """Refuse a space in which the regions do not lie."""
    if space in OWN_SPACES or space.startswith("fs"):
        raise ValueError(f"'{space}' is no volume of a template; expected one such as MNI152NLin2009cAsym")
    if not space.strip() or "_" in space:
        raise ValueError("expected a template such as MNI152NLin2009cAsym, MNIPediatricAsym+2 or X:cohort-2")
    return space


Space = Annotated[str, BeforeValidator(lambda space: _of_a_template(space) if isinstance(space, str) else space)]


class TableSource(Section):
    """A table of features: one row a person, one column a feature."""

    kind: Literal["table"] = Field(description="kind of source")
    path: PathText = Field(
        description="TSV or CSV keyed by participant_id; a JSON of the same name may give units and regions"
    )
    divide_by: str | None = Field(
        None,
        description="column of the participants table, such as head size, that divides every feature of its own unit "
        "(every feature, where no units are given) and is kept as a feature itself",
    )
    drop: tuple[str, ...] = Field((), description="features to leave out, as names or shell patterns")

    def kept(self, features: Sequence[str]) -> list[str]:
        """Features of the table that `drop` leaves in, in their order."""
        dropped = {name for pattern in self.drop for name in matching(pattern, features)}
        return [name for name in features if name not in dropped]


class NiftiSource(Section):
    """Raw images of the cohort's BIDS dataset."""

    kind: Literal["nifti"] = Field(description="kind of source")
    image: Literal["t1w", "dwi", "bold"] | None = Field(
        None, description="which image; by the modality's name, where that is t1, t1w, dwi, fmri or bold"
    )
    session: str | None = Field(None, description="session to use; the first one by default")
    sessions: Sessions = Field("first", description=SESSIONS)
    task: str = Field("rest", description="task of a BOLD run, compared whole")
    entities: Entities = Field({}, description=ENTITIES)


class FMRIPrepSource(Section):
    """BOLD that fMRIPrep has preprocessed."""

    kind: Literal["fmriprep"] = Field(description="kind of source")
    path: PathText = Field(description="fMRIPrep's output folder")
    space: Space = Field(
        "MNI152NLin2009cAsym",
        description="template whose grid the BOLD is on; of one with cohorts any, or `X+2` or `X:cohort-2` one",
    )
    session: str | None = Field(None, description="session to use; the first one by default")
    sessions: Sessions = Field("first", description=SESSIONS)
    task: str = Field("rest", description="task of the run, compared whole")
    entities: Entities = Field({}, description=ENTITIES)


class FreeSurferSource(Section):
    """FreeSurfer's statistics files."""

    kind: Literal["freesurfer"] = Field(description="kind of source")
    path: PathText = Field(description="SUBJECTS_DIR: one folder a person, with stats/ in it")
    session: str | None = Field(None, description="session to use; the first one by default")
    sessions: Sessions = Field("first", description=SESSIONS)
    parcellation: str | None = Field(
        None,
        description="cortical parcellation, such as `aparc.a2009s` of `lh.aparc.a2009s.stats`; by default the first "
        "that is there of aparc, aparc.DKTatlas.mapped (FastSurfer), aparc.DKTatlas and aparc.DKTatlas40",
    )

    @field_validator("parcellation")
    @classmethod
    def _bare(cls, name: str | None) -> str | None:
        """Take the name of a parcellation and not that of a file."""
        if name is not None and (name.startswith(("lh.", "rh.")) or name.endswith(".stats") or "/" in name or not name):
            raise ValueError("expected the part of the file's name between lh. and .stats, such as aparc.a2009s")
        return name


class QSIReconSource(Section):
    """Diffusion scalar maps in template space, as QSIRecon writes them."""

    kind: Literal["qsirecon"] = Field(description="kind of source")
    path: PathText = Field(description="QSIRecon's output folder")
    space: Space = Field("MNI152NLin2009cAsym", description="template whose grid the maps are on")
    session: str | None = Field(None, description="session to use; the first one by default")
    sessions: Sessions = Field("first", description=SESSIONS)
    entities: Entities = Field({}, description=f"of every map: {ENTITIES}")
    maps: dict[str, Entities] = Field(
        {},
        description="the maps to read, by metric, with the entities (model, param, desc...) of each, such as `{fa: "
        "{model: dki}, icvf: {desc: modulated}}`; by default all whose metric is known, a plain one before one with "
        "desc, and FA, MD, AD and RD of the tensor before those of a kurtosis fit",
    )
    diffusivity_unit: Literal["mm^2/s", "um^2/ms"] = Field(
        "mm^2/s", description="unit of MD, AD and RD in the files; DSI Studio has 10^-3 mm^2/s, which is um^2/ms"
    )

    @model_validator(mode="after")
    def _known_maps(self) -> QSIReconSource:
        for metric in self.maps:
            if metric not in DIFFUSION_METRICS:
                raise ValueError(f"maps.{metric}: no metric of known unit; {did_you_mean(metric, DIFFUSION_METRICS)}")
        return self


def _below_a_person(pattern: str) -> str:
    """Refuse a pattern that leads out of the person's folder."""
    if not pattern.strip() or pattern.startswith(("/", "~")) or ".." in PurePosixPath(pattern).parts:
        raise ValueError(
            f"'{pattern}' does not lie below a participant's folder; expected such as anat/*_thickness.tsv"
        )
    return pattern


class ImportSource(Section):
    """Files of any form, read by a function of one's own."""

    kind: Literal["import"] = Field(description="kind of source")
    path: PathText = Field(description="folder with one folder a person, named sub-<label>")
    files: dict[Name, Annotated[str, BeforeValidator(_below_a_person)]] = Field(
        min_length=1,
        description="the files that the function reads, by name: shell patterns below the person's folder, such as "
        "`{thickness: ses-1/anat/*_thickness.tsv}`; of several that fit the first is taken. Who lacks one lacks the "
        "modality",
    )
    function: str = Field(
        description="what reads them, by its module, such as `my_features.thickness`, looked for among what is "
        "installed, then in the folder in which the run is started. It takes one person's paths by name, and gives a "
        "`brainpid.imaging.extracted.Extracted`"
    )
    options: dict[str, Any] = Field({}, description="its further keyword arguments")
    sessions: Sessions = Field("first", description=f"{SESSIONS}. Patterns are then below sub-<label>/ses-<label>")


Source = Annotated[
    TableSource | NiftiSource | FMRIPrepSource | FreeSurferSource | QSIReconSource | ImportSource,
    Field(discriminator="kind"),
]


ImageSource = NiftiSource | FMRIPrepSource | FreeSurferSource | QSIReconSource | ImportSource


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
TISSUES: dict[str, Literal["gray", "white"]] = {
    "t1w": "gray",
    "bold": "gray",
    "fmriprep": "gray",
    "dwi": "white",
    "qsirecon": "white",
}
"""Tissue that the atlas without a download cuts, by what reads the files; the others do not cut images by an atlas."""


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


def section_of(source: ImageSource, modality: str) -> Literal["structural", "diffusion", "functional"] | None:
    """Name of the section of `extraction` that a source's images are extracted by; a function of one's own has none."""
    return None if isinstance(source, ImportSource) else SECTIONS[reader_of(source, modality)]


def settings_of(source: ImageSource, modality: str, sections: Any) -> ImageExtraction | ImportSource | None:
    """Settings that a source's files are extracted by.

    Parameters
    ----------
    source : ImageSource
    modality : str
    sections : object
        With the sections of `extraction` as attributes, any of which may be None.

    Returns
    -------
    Section
        One of them; of a function of one's own the source itself, which has its options.
    """
    if isinstance(source, ImportSource):
        return source
    section: ImageExtraction | None = getattr(sections, SECTIONS[reader_of(source, modality)])
    return section


def reader_of(source: ImageSource, modality: str) -> str:
    """What reads a source's files: the image of raw data, else the kind of the source."""
    return image_of(source, modality) if isinstance(source, NiftiSource) else source.kind


def reader_options(source: ImageSource) -> dict[str, str]:
    """What a source says of its files that their reader needs to know beside the settings of the extraction."""
    return {"diffusivity_unit": source.diffusivity_unit} if isinstance(source, QSIReconSource) else {}
