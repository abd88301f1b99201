"""What was extracted from one person, kept on disk under a key that says from what and by which code.

A result is used again where the person's files (role, name and content), the content of the atlas, the settings, the
extracting code and the versions of its libraries are the same; a run that was interrupted therefore goes on with the
next person, and a person who is added is the only one computed. Where files lie, and when they were last written, does
not count. A result that cannot be read, for whatever reason, is made again.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from brainpid.cohort.file_states import FileState, relative, unchanged
from brainpid.cohort.participants import EXCLUDED, SUCCESS
from brainpid.core.errors import BrainpidError
from brainpid.core.files import atomic_path, write_text


@dataclass(frozen=True)
class PersonResult:
    """Outcome of one person's extraction.

    Attributes
    ----------
    participant_id : str
    key : str
        Digest of names of files, atlas, settings and code; empty where there was nothing to work on.
    status, reason : str
        One of the statuses of `brainpid.cohort.participants`, and why it is not SUCCESS.
    values, units, quality, regions : dict
        As in `brainpid.imaging.extracted.Extracted`.
    seconds, peak_mb : float
        Wall time, and largest memory of the process so far.
    note : str
        What was chosen where there were several files.
    remark : str
        What the extraction itself found doubtful or lacking.
    acquisition : str
        As in `brainpid.cohort.person_files.Found`.
    files : dict of str to FileState
        By role, as they were before the work began.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    participant_id: str
    key: str
    status: str
    reason: str
    values: dict[str, float]
    units: dict[str, str]
    quality: dict[str, float]
    seconds: float
    peak_mb: float
    note: str
    regions: dict[str, tuple[str, ...]]
    remark: str
    acquisition: str
    files: dict[str, FileState]

    @classmethod
    def without_features(cls, participant_id: str, key: str, status: str, reason: str) -> Self:
        """Outcome of a person of whom nothing was measured."""
        return cls(participant_id, key, status, reason, {}, {}, {}, math.nan, math.nan, "", {}, "", "", {})


_READER = TypeAdapter(PersonResult)


def key_of(files: Mapping[str, str], root: str, atlas: str, settings: str, code: str) -> str:
    """Key of a result: digest of everything that it depends on but the content of the person's files.

    Parameters
    ----------
    files : mapping of str to str
        Paths by role; roles and paths relative to the root count.
    root : str
        Top folder of the source.
    atlas : str
        Digest of the atlas's content.
    settings : str
    code : str
        Digest of the extracting code, and the versions of its libraries.
    """
    names = "\n".join(f"{role} {relative(path, root)}" for role, path in sorted(files.items()))
    text = f"{names}\n{atlas}\n{settings}\n{code}"
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def keep(folder: Path, result: PersonResult, picture: Any = None) -> None:
    """Write a result as JSON, and its mosaic (uint8, height x width) as PNG beside it."""
    if picture is not None:
        from PIL import Image

        with atomic_path(_free(picture_path(folder, result.participant_id))) as part:
            Image.fromarray(picture).save(part, format="PNG", optimize=True)
    write_text(_free(_path(folder, result.participant_id)), json.dumps(asdict(result), indent=1) + "\n")


def _free(path: Path) -> Path:
    """The path, once no folder bears its name."""
    if path.is_dir():
        shutil.rmtree(path)
    return path


def kept(folder: Path, participant_id: str, key: str, files: Mapping[str, str], root: str) -> PersonResult | None:
    """Read a person's result if there is one of the same key and files; None where there is not, or it cannot be read.

    A failure is not kept: the person is tried again in the next run of the job.

    Parameters
    ----------
    folder : path
    participant_id, key : str
    files : mapping of str to str
        Paths by role.
    root : str
        Top folder of the source.

    Raises
    ------
    OSError
        Where a file that has to be looked at is gone or cannot be read.
    """
    try:
        result = _READER.validate_json(_path(folder, participant_id).read_bytes(), strict=True)
    except (OSError, ValidationError):
        return None
    fits = (result.participant_id, result.key) == (participant_id, key) and result.units.keys() == result.values.keys()
    if not fits or result.status not in (SUCCESS, EXCLUDED) or result.files.keys() != files.keys():
        return None
    states = {}
    for role, path in files.items():
        if (state := unchanged(path, root, result.files[role])) is None:
            return None
        states[role] = state
    if states == result.files:
        return result
    now = replace(result, files=states)
    with suppress(OSError, BrainpidError):  # the times are a short cut and no more
        keep(folder, now)
    return now


def picture_path(folder: Path, participant_id: str) -> Path:
    """Where a person's mosaic lies."""
    return folder / f"{participant_id}.png"


def _path(folder: Path, participant_id: str) -> Path:
    return folder / f"{participant_id}.json"
