"""From the configuration of a source to the files of every person."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from brainpid.cohort import bids
from brainpid.cohort.derivatives import find_fmriprep, find_qsirecon
from brainpid.cohort.freesurfer import LONGITUDINAL, find_freesurfer, is_person, is_template
from brainpid.cohort.names import visit_of
from brainpid.cohort.patterns import find_patterns
from brainpid.cohort.person_files import NOT_FETCHED, Found, listed, unusable
from brainpid.config.extraction import DIFFUSION_METRICS
from brainpid.config.sources import (
    FMRIPrepSource,
    FreeSurferSource,
    ImageSource,
    ImportSource,
    NiftiSource,
    QSIReconSource,
    image_of,
)
from brainpid.core.errors import BrainpidError, InputError, list_some, readable
from brainpid.core.machine import OF_THE_DATA, machine_error

FORBIDDEN = (errno.EACCES, errno.EPERM)
"""What the system says of one person's folder that its owner has closed."""


def root_of(source: ImageSource, bids_root: str | None) -> Path:
    """Top folder of a source.

    Raises
    ------
    InputError
        Where it does not exist, may not be listed, or its name cannot be written into a table.
    """
    root = Path(source.path if not isinstance(source, NiftiSource) else bids_root or "")
    try:
        there = root.is_dir()
    except OSError as fault:
        raise _not_listed(root, fault) from fault
    if not there:
        raise InputError(f"{root}: the folder does not exist; expected a source of kind {source.kind}")
    if not os.access(root, os.R_OK | os.X_OK):
        raise _not_listed(root, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if readable(str(root)) != str(root):
        raise InputError(f"{readable(str(root))}: the name is not UTF-8; rename the folder")
    return root


def _not_listed(root: Path, fault: OSError) -> BrainpidError:
    """Say why the folder of a source cannot be looked into."""
    if fault.errno in FORBIDDEN:
        return InputError(f"{root}: the folder may not be read ({fault.strerror}); expected a source that can be")
    return machine_error(fault, root) or InputError(f"{root}: {fault.strerror}")


def find(source: ImageSource, modality: str, bids_root: str | None, label: str) -> Found:
    """Find files of a person, or of a visit where the source has a row of each.

    Absence is no error but a reason, and so is what cannot be used or may not be read.

    Raises
    ------
    InputError
        Where the source itself is not there or may not be read.
    MachineError
        Where the machine does not tell what is there.
    """
    root = root_of(source, bids_root)
    person, session = (label, _session(source)) if source.sessions == "first" else visit_of(label)
    try:
        found = _find(source, modality, root, person, session)
        unfit = unusable(found.files)
        empty = not found.files and (root / person).is_dir() and not listed(root / person)
    except OSError as fault:
        if fault.errno not in (*OF_THE_DATA, *FORBIDDEN):
            raise (machine_error(fault, root / person) or fault) from fault
        found, unfit, empty = Found(), f"{fault.filename or root / person}: {fault.strerror}", False
    if empty:  # as of a dataset within a dataset that was not installed
        unfit = f"{NOT_FETCHED}: the folder {root / person} is empty"
    if unfit:
        return Found(reason=readable(unfit))
    return replace(
        found, reason=readable(found.reason), note=readable(found.note), acquisition=readable(found.acquisition)
    )


def refuse_strangers_alone(cohort: str, modality: str, found: Mapping[str, Found], others: Sequence[str]) -> None:
    """Refuse a source whose folders are all of people who are not in the cohort: then the labels do not fit.

    Parameters
    ----------
    cohort, modality : str
    found : mapping of str to Found
        By participant.
    others : sequence of str
        Labels of folders that are no participant's.
    """
    if others and not any(own.files for own in found.values()):
        raise InputError(
            f"cohort '{cohort}': none of {len(found)} participants has {modality} images, and {len(others)} others "
            f"have folders: {list_some(others)}; the first reason: {next(iter(found.values())).reason}. "
            "Do the labels of the participants table fit the folders?"
        )


def _session(source: ImageSource) -> str | None:
    """Session that a source asks for; a function of one's own has it in its patterns."""
    return None if isinstance(source, ImportSource) else source.session


def _find(source: ImageSource, modality: str, root: Path, person: str, session: str | None) -> Found:
    """Find one person's files, fetched or not."""
    if isinstance(source, NiftiSource):
        return bids.find(root, person, image_of(source, modality), session, source.task, source.entities)
    if isinstance(source, FMRIPrepSource):
        return find_fmriprep(root, person, source.space, session, source.task, source.entities)
    if isinstance(source, FreeSurferSource):
        return find_freesurfer(root, person, session, source.parcellation)
    if isinstance(source, QSIReconSource):
        return find_qsirecon(root, person, source.space, session, source.entities, source.maps, DIFFUSION_METRICS)
    if isinstance(source, ImportSource):
        return find_patterns(root / person if session else root, f"ses-{session}" if session else person, source.files)
    raise InputError(f"sources.{modality}: no finder for kind '{source.kind}'")


def unmatched_labels(source: ImageSource, bids_root: str | None, people: Iterable[str]) -> list[str]:
    """Labels of a source's folders that are none of these people's."""
    known = people if source.sessions == "first" else (visit_of(label)[0] for label in people)
    return sorted(set(people_in(source, bids_root)) - set(known))


def people_in(source: ImageSource, bids_root: str | None) -> list[str]:
    """Labels with ``sub-`` of the folders that a source has; FreeSurfer's may lack the prefix."""
    root = root_of(source, bids_root)
    try:
        folders = [folder for folder in root.iterdir() if os.path.isdir(folder)]
    except OSError as fault:
        raise _not_listed(root, fault) from fault
    names = [folder.name for folder in folders if not folder.name.startswith(".")]
    if isinstance(source, FreeSurferSource):
        own = [folder.name for folder in folders if is_person(folder.name) and not _is_template(folder)]
        names = [name if name.startswith("sub-") else f"sub-{name}" for name in own]
    labels = {name.split(LONGITUDINAL)[0].split("_ses-")[0] for name in names if name.startswith("sub-")}
    return sorted(readable(label) for label in labels)


def _is_template(folder: Path) -> bool:
    """Whether a folder is seen to be a template; one that may not be looked into is somebody's."""
    try:
        return is_template(folder)
    except PermissionError:
        return False
