"""Which image files a person has: what every finder returns, and what finders share.

A finder looks into one person's folder and nowhere else but for inherited metadata, so that an index of a cohort costs
one listing a folder, and a job can be given its own people's files.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from brainpid.core.errors import list_some

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
    """Whether a file name ends with a BIDS suffix and ``.nii`` or ``.nii.gz``; hidden files are no images."""
    return bool(re.search(rf"^(?!\.)(.*_)?{suffix}\.nii(\.gz)?$", path.name))


def sessions(person: Path, session: str | None) -> list[Path]:
    """Folders to look into, best first; a person without session folders has one, the person's own."""
    folders = sorted(folder for folder in person.glob("ses-*") if folder.is_dir())
    if session is not None:
        name = session if session.startswith("ses-") else f"ses-{session}"
        return [folder for folder in folders if folder.name == name]
    return folders or [person]


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


def inherited(image: Path, root: Path, suffix: str, extension: str) -> list[Path]:
    """Metadata files of an image under BIDS inheritance, from the nearest to the farthest; what is nearer overrides.

    A file counts where all of its entities hold for the image; in one folder, more entities are nearer.

    Parameters
    ----------
    image : path
    root : path
        Top of the dataset; the search goes from the image's folder up to it.
    suffix, extension : str
        Of the metadata files, such as ``dwi`` and ``.bval``.
    """
    own = entities(image).items()
    named = re.compile(rf"(?!\.)(?:.*_)?{re.escape(suffix + extension)}")
    found: list[Path] = []
    folder = image.parent
    while True:
        names = [name for name in _names(folder, folder == root) if named.fullmatch(name)]
        fitting = [folder / name for name in sorted(names) if entities(folder / name).items() <= own]
        found += sorted(fitting, key=lambda path: -len(entities(path)))
        if folder == root or folder == folder.parent:
            return found
        folder = folder.parent


def bold_sidecars(image: Path, root: Path) -> dict[str, str]:
    """JSON files of a BOLD run by role: ``json`` for the nearest, then ``json_2``, ``json_3``..."""
    paths = inherited(image, root, "bold", ".json")
    return {"json" if place == 1 else f"json_{place}": str(path) for place, path in enumerate(paths, start=1)}


_OLD_ENOUGH_NS = 2_000_000_000
"""Age at which a folder's time of change tells one change from the next on every file system."""
_tops: dict[Path, tuple[int, list[str]]] = {}


def _names(folder: Path, is_top: bool) -> list[str]:
    """Names in a folder; those at the top of a dataset, which has a folder for everybody, are listed once."""
    if not is_top:
        return os.listdir(folder)
    changed = folder.stat().st_mtime_ns
    if folder not in _tops or _tops[folder][0] != changed:
        names = os.listdir(folder)
        if time.time_ns() - changed < _OLD_ENOUGH_NS:
            return names
        _tops[folder] = changed, names
    return _tops[folder][1]


def looked_for(what: str, folders: Iterable[Path]) -> str:
    """Reason of a person without a file."""
    return f"no {what} in {list_some([str(folder) for folder in folders], 3)}"
