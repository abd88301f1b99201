"""What was extracted from one person, kept on disk under a key that says from what and by which code.

A result is used again where the person's files (name, size, time), the settings and the extracting code are the same; a
run that was interrupted therefore goes on with the next person, and a person who is added is the only one computed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from brainpid.cohort.participants import FAIL
from brainpid.cohort.shards import stamp
from brainpid.core.files import atomic_path, write_text


@dataclass(frozen=True)
class PersonResult:
    """Outcome of one person's extraction.

    Attributes
    ----------
    participant_id : str
    key : str
        Digest of files, settings and code.
    status, reason : str
        One of the statuses of `brainpid.features.block`, and why it is not SUCCESS.
    values, units, quality, regions : dict
        As in `brainpid.imaging.extracted.Extracted`.
    seconds, peak_mb : float
        Wall time, and largest memory of the process so far.
    note : str
        What was chosen where there were several files.
    """

    participant_id: str
    key: str
    status: str
    reason: str = ""
    values: dict[str, float] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    quality: dict[str, float] = field(default_factory=dict)
    seconds: float = math.nan
    peak_mb: float = math.nan
    note: str = ""
    regions: dict[str, tuple[str, ...]] = field(default_factory=dict)


def key_of(files: Mapping[str, str], settings: str, code: str) -> str:
    """Key of a result: digest of the files' names, sizes and times, the settings and the code's digest."""
    return hashlib.sha256(f"{stamp(files.values())}\n{settings}\n{code}".encode()).hexdigest()[:16]


def keep(folder: Path, result: PersonResult, picture: Any = None) -> None:
    """Write a result as JSON, and its mosaic (uint8, height x width) as PNG beside it."""
    if picture is not None:
        from PIL import Image

        with atomic_path(picture_path(folder, result.participant_id)) as part:
            Image.fromarray(picture).save(part, format="PNG", optimize=True)
    write_text(_path(folder, result.participant_id), json.dumps(asdict(result), indent=1) + "\n")


def kept(folder: Path, participant_id: str, key: str) -> PersonResult | None:
    """Read a person's result if there is one under the same key.

    A failure is not kept: the person is tried again in the next run of the job.
    """
    path = _path(folder, participant_id)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return None  # not a result of this program; it is written anew
    result = PersonResult(**content) if content.get("key") == key else None
    return result if result is not None and result.status != FAIL else None


def picture_path(folder: Path, participant_id: str) -> Path:
    """Where a person's mosaic lies."""
    return folder / f"{participant_id}.png"


def _path(folder: Path, participant_id: str) -> Path:
    return folder / f"{participant_id}.json"
