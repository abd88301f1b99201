"""Which image files a person has: what every finder returns, and what finders share.

A finder looks into one person's folder and nowhere else but for inherited metadata, so that an index of a cohort costs
one listing a folder, and a job can be given its own people's files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brainpid.core.errors import InputError, list_some

ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9.]+)")


@dataclass(frozen=True)
class Found:
    """Files of one person and modality.

    Attributes
    ----------
    files : dict of str to str
        Path by role, such as ``bold`` and ``confounds``; empty where the person does not have the modality.
    reason : str
        Why it is not there; empty where it is.
    note : str
        What was chosen where there were several; empty where there was no choice.
    """

    files: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    note: str = ""


def entities(path: Path) -> dict[str, str]:
    """BIDS entities of a file name, such as ``{"sub": "01", "ses": "a", "run": "1"}``."""
    return dict(ENTITY.findall(path.name))


def has_suffix(path: Path, suffix: str) -> bool:
    """Whether a file name ends with a BIDS suffix and ``.nii`` or ``.nii.gz``."""
    return bool(re.search(rf"(^|_){suffix}\.nii(\.gz)?$", path.name))


def sessions(person: Path, session: str | None) -> tuple[list[Path], str]:
    """Folders to look into, best first, and what was chosen.

    A person without session folders has one, the person's own.
    """
    folders = sorted(folder for folder in person.glob("ses-*") if folder.is_dir())
    if session is not None:
        name = session if session.startswith("ses-") else f"ses-{session}"
        return [folder for folder in folders if folder.name == name], ""
    return folders or [person], ""


def choose(candidates: Iterable[Path]) -> tuple[Path, str] | None:
    """First of several images by run and name, and a note where there was a choice; None where there is none."""
    ordered = sorted(candidates, key=lambda path: (entities(path).get("ses", ""), _number(entities(path)), path.name))
    if not ordered:
        return None
    note = f"first of {len(ordered)}: {ordered[0].name}" if len(ordered) > 1 else ""
    return ordered[0], note


def _number(found: Mapping[str, str]) -> int:
    """Number of a run; a file without one comes first."""
    run = re.sub(r"\D", "", found.get("run", "0"))
    return int(run or 0)


def inherited(image: Path, root: Path, suffix: str, extension: str) -> Path | None:
    """Metadata file of an image under BIDS inheritance: the nearest one whose entities all hold for the image.

    Parameters
    ----------
    image : path
    root : path
        Top of the dataset; the search goes from the image's folder up to it.
    suffix, extension : str
        Of the metadata file, such as ``dwi`` and ``.bval``.
    """
    own = entities(image)
    folder = image.parent
    while True:
        fitting = [
            path
            for path in folder.glob(f"*{suffix}{extension}")
            if path.name in (f"{suffix}{extension}",) or path.name.endswith(f"_{suffix}{extension}")
        ]
        fitting = [path for path in fitting if entities(path).items() <= own.items()]
        if fitting:
            return max(fitting, key=lambda path: len(entities(path)))
        if folder == root or folder == folder.parent:
            return None
        folder = folder.parent


def metadata(image: Path, root: Path, suffix: str) -> dict[str, object]:
    """JSON metadata of an image with inheritance: what is nearer to the image overrides what is above.

    Raises
    ------
    InputError
        Where a file is not JSON.
    """
    own = entities(image)
    merged: dict[str, object] = {}
    folders = [image.parent]
    while folders[-1] not in (root, folders[-1].parent):
        folders.append(folders[-1].parent)
    for folder in reversed(folders):
        names = [p for p in folder.glob(f"*{suffix}.json") if entities(p).items() <= own.items()]
        for path in sorted(names, key=lambda path: len(entities(path))):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except (json.JSONDecodeError, UnicodeDecodeError) as fault:
                raise InputError(f"{path}: not readable as JSON: {fault}") from fault
            merged |= content if isinstance(content, dict) else {}
    return merged


def looked_for(what: str, folders: Iterable[Path]) -> str:
    """Reason of a person without a file."""
    return f"no {what} in {list_some([str(folder) for folder in folders], 3)}"
