"""Which image files a person has: what every finder returns, and what finders share.

A finder looks into one person's folder and nowhere else but for inherited metadata, so that an index of a cohort costs
one listing a folder, and a job can be given its own people's files. Names that begin with a dot are no data. A link
whose content is absent counts as there, so that the choice does not depend on what was fetched.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from brainpid.cohort.names import entities, natural, parse
from brainpid.core.errors import list_some, readable

IMAGE_ENDINGS = (".nii", ".nii.gz")
NOT_FETCHED = "content not fetched (datalad get)"
POINTERS = (b"/annex/objects/", b"../.git/annex/objects/", b"version https://git-lfs.github.com/spec/")
"""How a file begins that stands for content which git-annex or git-lfs has elsewhere."""
LONGEST_POINTER = 1024
"""Such files are short; longer ones are not opened."""
KINDS = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}


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
        What was chosen where there were several, and what of it stands out; empty where there is nothing to say.
    acquisition : str
        What tells this acquisition from others, such as ``acq-mprage``; people of a cohort should have the same.
    """

    files: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    note: str = ""
    acquisition: str = ""


def listed(folder: Path) -> list[Path]:
    """What lies in a folder, sorted as people count, without names that begin with a dot; empty where it is absent."""
    if not folder.is_dir():
        return []
    return [folder / name for name in sorted(os.listdir(folder), key=natural) if not name.startswith(".")]


def images(folder: Path, person: str, suffix: str) -> list[Path]:
    """Images of one kind in a folder of a person; a file that is named after somebody else is not the person's."""
    label = person.removeprefix("sub-")
    found = [(path, parse(path.name)) for path in listed(folder)]
    return [
        path
        for path, name in found
        if (name.suffix, name.entities.get("sub", label)) == (suffix, label)
        and name.extension in IMAGE_ENDINGS
        and not path.is_dir()
    ]


def sessions(person: Path, session: str | None) -> list[Path]:
    """Folders to look into, best first; a person without session folders has one, the person's own."""
    folders = [folder for folder in listed(person) if folder.name.startswith("ses-") and folder.is_dir()]
    if session is not None:
        return [folder for folder in folders if folder.name == f"ses-{session.removeprefix('ses-')}"]
    return folders or [person]


def visit_note(visits: Sequence[Path], taken: Path) -> str:
    """Say which visit was taken where a person has several."""
    if len(visits) < 2:
        return ""
    return f"visit {taken.name} of {len(visits)} ({list_some([visit.name for visit in visits], 4)})"


def join_notes(*notes: str) -> str:
    """Join what is to be said of a person, without what is empty."""
    return "; ".join(note for note in notes if note)


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
    found: list[Path] = []
    folder = image.parent
    while True:
        fitting = []
        for name in sorted(_names(folder, folder == root)):
            parts = parse(name)
            if (parts.suffix, parts.extension) == (suffix, extension) and parts.entities.items() <= own:
                fitting.append((len(parts.entities), folder / name))
        found += [path for _, path in sorted(fitting, key=lambda one: -one[0])]
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


def unusable(files: Mapping[str, str]) -> str:
    """Say which of a person's files are no files, may not be read, or have their content elsewhere; empty where none.

    Content is elsewhere behind a link to nothing, or where git-annex or git-lfs left a short text.

    Raises
    ------
    OSError
        Where the system does not tell.
    """
    elsewhere = []
    for path in files.values():
        if readable(path) != path:
            name = next(part for part in Path(path).parts if readable(part) != part)
            return f"the name of '{readable(name)}' is not UTF-8; rename it"
        try:
            seen = os.stat(path)
        except OSError as fault:
            if not (fault.errno in (errno.ENOENT, errno.ELOOP) and os.path.islink(path)):
                raise
            elsewhere.append(path)
            continue
        if not stat.S_ISREG(seen.st_mode):
            return f"{path} is a {KINDS.get(stat.S_IFMT(seen.st_mode), 'device')}, expected a file"
        if not os.access(path, os.R_OK):
            return f"{path} may not be read (permission denied)"
        if seen.st_size <= LONGEST_POINTER:
            with open(path, "rb") as file:
                if file.read(64).startswith(POINTERS):
                    elsewhere.append(path)
    return f"{NOT_FETCHED}: {list_some(elsewhere, 3)}" if elsewhere else ""


def nothing(what: str, folders: Iterable[Path], there: Iterable[str] = ()) -> str:
    """Reason of a person without a file: what was looked for, where, and what lies there instead."""
    reason = f"no {what} in {list_some([str(folder) for folder in folders], 3)}"
    others = list(there)
    return f"{reason}; there is {list_some(others, 3)}" if others else reason
