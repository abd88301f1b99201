"""Which programs, in which version, made the data before they came here."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

Versions = dict[str, int]
"""Programs with their version, and in how many people each."""
STAMP = re.compile(r"^# (?:cvs_version|BuildStamp|build[-_]stamp)\s+(?P<stamp>\S.*)$", re.IGNORECASE)
"""Lines of the head of FreeSurfer's statistics that say by which build they were made."""
CVS = re.compile(r"\$Id: \S+,v (\S+)")
NUMBER = re.compile(r"\d+\.\d+(\.\d+)*(-dev\S*)?")
LONGEST_HEAD = 40


def of_dataset(root: str | Path) -> list[str]:
    """Programs of which ``dataset_description.json`` of a folder says that they made it.

    None where it says nothing, or is of raw data, which no program made features of. What cannot be read says
    nothing: the file is a description and no data.
    """
    try:
        content = json.loads((Path(root) / "dataset_description.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return []
    if not isinstance(content, dict) or content.get("DatasetType") == "raw":
        return []
    told = content.get("GeneratedBy", content.get("PipelineDescription", []))  # the second before BIDS 1.4
    entries = told if isinstance(told, list) else [told]
    named = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("Name"), str)]
    return list(dict.fromkeys(f"{entry['Name']} {entry.get('Version', 'unknown')}" for entry in named))


def of_statistics(path: str | Path) -> str:
    """Build of FreeSurfer that wrote a file of statistics; empty where it does not say.

    Where ``scripts/build-stamp.txt`` of the person is there, the number in it is the version; else the head of the
    file has it, of builds before 7 as the revision of the program that wrote it.
    """
    try:
        stamp = Path(path).parent.parent / "scripts/build-stamp.txt"
        text = stamp.read_text(encoding="utf-8", errors="replace").strip() if stamp.is_file() else ""
        if not text:
            with open(path, encoding="utf-8", errors="replace") as file:
                heads = (STAMP.match(line.rstrip()) for _, line in zip(range(LONGEST_HEAD), file, strict=False))
                text = next((head["stamp"] for head in heads if head), "")
    except OSError:
        return ""
    if not text:
        return ""
    if revision := CVS.search(text):
        return f"FreeSurfer revision {revision[1]}"
    number = NUMBER.search(text)
    return f"FreeSurfer {number[0] if number else text.split()[0]}"


def of_people(kind: str, root: str | Path, files: Iterable[Mapping[str, str]]) -> Versions:
    """Programs that made a source of images, and how many people are by each.

    Parameters
    ----------
    kind : str
        Of the source; what converted raw images (``nifti``) made no features, and is not told.
    root : path
        Top folder of the source.
    files : iterable of mapping of str to str
        Files of each person by role; empty of a person who has none.
    """
    having = [own for own in files if own]
    if kind == "nifti" or not having:
        return {}
    found: Counter[str] = Counter({version: len(having) for version in of_dataset(root)})
    if kind == "freesurfer":
        found.update(version for own in having if (version := of_statistics(own["aseg"])))
    return dict(sorted(found.items()))


def joined(parts: Iterable[Mapping[str, int]]) -> Versions:
    """Versions of several parts of a cohort's people."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))
