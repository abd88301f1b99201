"""What was extracted from one person, kept on disk under a key that says from what and by which code.

A result is used again where the person's files (role, name, size, time), the content of the atlas, the settings and the
extracting code are the same; a run that was interrupted therefore goes on with the next person, and a person who is
added is the only one computed. A result that cannot be read, for whatever reason, is made again.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from brainpid.cohort.participants import EXCLUDED, SUCCESS
from brainpid.cohort.shards import stamp
from brainpid.core.files import atomic_path, write_text


@dataclass(frozen=True)
class PersonResult:
    """Outcome of one person's extraction.

    Attributes
    ----------
    participant_id : str
    key : str
        Digest of files, atlas, settings and code as they were before the work began; empty where there was none.
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

    @classmethod
    def without_features(cls, participant_id: str, key: str, status: str, reason: str) -> Self:
        """Outcome of a person of whom nothing was measured."""
        return cls(participant_id, key, status, reason, {}, {}, {}, math.nan, math.nan, "", {}, "", "")


_READER = TypeAdapter(PersonResult)


def key_of(files: Mapping[str, str], atlas: str, settings: str, code: str) -> str:
    """Key of a result: digest of everything that it depends on.

    Parameters
    ----------
    files : mapping of str to str
        Paths by role; roles, names, sizes and times count.
    atlas : str
        Digest of the atlas's content.
    settings : str
    code : str
        Digest of the extracting code.
    """
    return hashlib.sha256(f"{stamp(files)}\n{atlas}\n{settings}\n{code}".encode()).hexdigest()[:16]


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


def kept(folder: Path, participant_id: str, key: str) -> PersonResult | None:
    """Read a person's result if there is one under the same key; None where there is not, or it cannot be read.

    A failure is not kept: the person is tried again in the next run of the job.
    """
    try:
        result = _READER.validate_json(_path(folder, participant_id).read_bytes(), strict=True)
    except (OSError, ValidationError):
        return None
    fits = (result.participant_id, result.key) == (participant_id, key) and result.units.keys() == result.values.keys()
    return result if fits and result.status in (SUCCESS, EXCLUDED) else None


def picture_path(folder: Path, participant_id: str) -> Path:
    """Where a person's mosaic lies."""
    return folder / f"{participant_id}.png"


def _path(folder: Path, participant_id: str) -> Path:
    return folder / f"{participant_id}.json"
