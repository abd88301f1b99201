"""From the configuration of a source to the files of every person."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from brainpid.cohort import bids
from brainpid.cohort.derivatives import find_fmriprep, find_freesurfer, find_qsirecon
from brainpid.cohort.person_files import Found
from brainpid.config.sources import FMRIPrepSource, FreeSurferSource, ImageSource, NiftiSource, QSIReconSource, image_of
from brainpid.core.errors import InputError


def root_of(source: ImageSource, bids_root: str | None) -> Path:
    """Top folder of a source.

    Raises
    ------
    InputError
        Where it does not exist.
    """
    root = Path(source.path if not isinstance(source, NiftiSource) else bids_root or "")
    if not root.is_dir():
        raise InputError(f"{root}: the folder does not exist; expected a source of kind {source.kind}")
    return root


def find(source: ImageSource, modality: str, bids_root: str | None, person: str) -> Found:
    """Find one person's files; absence is no error but a reason."""
    root = root_of(source, bids_root)
    if isinstance(source, NiftiSource):
        return bids.find(root, person, image_of(source, modality), source.session, source.task)
    if isinstance(source, FMRIPrepSource):
        return find_fmriprep(root, person, source.space, source.session, source.task)
    if isinstance(source, FreeSurferSource):
        return find_freesurfer(root, person, source.session)
    if isinstance(source, QSIReconSource):
        return find_qsirecon(root, person, source.space, source.session)
    raise InputError(f"sources.{modality}: no finder for kind '{source.kind}'")


def unmatched_labels(source: ImageSource, bids_root: str | None, people: Iterable[str]) -> list[str]:
    """Labels of a source's folders that are none of these people's."""
    return sorted(set(people_in(source, bids_root)) - set(people))


def people_in(source: ImageSource, bids_root: str | None) -> list[str]:
    """Labels with ``sub-`` of the folders that a source has; FreeSurfer's may lack the prefix."""
    folders = [folder.name for folder in root_of(source, bids_root).iterdir() if folder.is_dir()]
    if isinstance(source, FreeSurferSource):
        folders = [name if name.startswith("sub-") else f"sub-{name}" for name in folders if name != "fsaverage"]
    return sorted({name.split("_ses-")[0] for name in folders if name.startswith("sub-")})
