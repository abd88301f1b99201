"""Statistics that FreeSurfer or FastSurfer wrote, of any version: which folder is a person's, and which files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainpid.cohort.person_files import Found, join_notes, listed, visit_note
from brainpid.core.errors import list_some

PARCELLATIONS = ("aparc", "aparc.DKTatlas.mapped", "aparc.DKTatlas", "aparc.DKTatlas40")
"""Cortical parcellations that are taken where none is named, the first that is there: FreeSurfer's own (Desikan and
Killiany), FastSurfer's, that of Desikan, Killiany and Tourville since FreeSurfer 6, and the same of 5.3."""
TEMPLATES = ("fsaverage", "cvs_avg35", "lh.EC_average", "rh.EC_average", "V1_average", "bert")
"""Folders of a SUBJECTS_DIR that are nobody's."""
LONGITUDINAL = ".long."


def is_person(folder: str) -> bool:
    """Whether a folder of a SUBJECTS_DIR may be a person's: nothing hidden, and no template of FreeSurfer."""
    return not folder.startswith((".", *TEMPLATES))


def is_template(folder: Path) -> bool:
    """Whether FreeSurfer or FastSurfer made this folder as the template of a person's visits."""
    return any((folder / name).exists() for name in ("base-tps", "base-tps.fastsurfer"))


def find_freesurfer(root: Path, person: str, session: str | None = None, parcellation: str | None = None) -> Found:
    """Find one person's statistics.

    A longitudinal template (a folder with ``base-tps``) is nobody's visit and is skipped. A visit that was processed
    for itself is taken before the one that was processed along a template.

    Parameters
    ----------
    root : path
        SUBJECTS_DIR.
    person : str
        Label with ``sub-``; folders may lack the prefix.
    session : str, optional
        Label of the session; the first one by default.
    parcellation : str, optional
        Such as ``aparc.a2009s``; the first of `PARCELLATIONS` that is there by default.

    Returns
    -------
    Found
        Roles ``aseg``, ``lh_aparc`` and ``rh_aparc``.
    """
    names = (person, person.removeprefix("sub-"))
    visits = _named(root, [f"{name}_ses-{session.removeprefix('ses-')}" for name in names] if session else list(names))
    visits = [folder for folder in visits if not is_template(folder)]
    if not visits and (person_visits := _visits(root, names)):  # a listing of everybody: where there is no other way
        wanted = f"_ses-{session.removeprefix('ses-')}" if session else ""
        visits = [
            folder
            for folder in person_visits
            if not is_template(folder) and (not wanted or f"_{folder.name.partition(LONGITUDINAL)[0]}".endswith(wanted))
        ]
    if not visits:
        suffix = f"_ses-{session.removeprefix('ses-')}" if session else ""
        template = next((folder for folder in _named(root, list(names)) if is_template(folder)), None)
        skipped = f"; {template.name} is a longitudinal template (base-tps) and not used" if template else ""
        return Found(reason=f"no folder {root / person}{suffix}/stats{skipped}")
    folder = visits[0]
    names_of_cuts = (parcellation,) if parcellation else PARCELLATIONS
    stats = folder / "stats"
    there = {path.name: path for path in listed(stats) if path.name.endswith(".stats")}
    chosen = next((name for name in names_of_cuts if _both(there, name)), None)
    roles = {"aseg": "aseg.stats"}
    roles |= {f"{side}_aparc": f"{side}.{chosen or names_of_cuts[0]}.stats" for side in ("lh", "rh")}
    missing = [name for name in roles.values() if name not in there]
    if missing:
        found = list_some(there, 12) if there else "no .stats file"
        key = "" if parcellation else "; the key parcellation names another"
        return Found(reason=f"no {', '.join(missing)} in {stats}; there is {found}{key}")
    standard = chosen == (parcellation or PARCELLATIONS[0])
    note = join_notes("" if standard else f"parcellation {chosen}", visit_note(visits, folder))
    return Found({role: str(there[name]) for role, name in roles.items()}, note=note, acquisition=str(chosen))


def _named(root: Path, names: Sequence[str]) -> list[Path]:
    """Folders of these names that have statistics; the first of them is enough."""
    return [root / name for name in names if (root / name / "stats").is_dir()][:1]


def _visits(root: Path, names: Sequence[str]) -> list[Path]:
    """Folders of single visits of a person, those processed for themselves first."""
    label = names[1]
    nested = [folder for name in names for folder in listed(root / name) if folder.name.startswith("ses-")]
    own = [
        folder
        for folder in listed(root)
        if folder.name.removeprefix("sub-").startswith(f"{label}_ses-")
        or folder.name.removeprefix("sub-").startswith(f"{label}{LONGITUDINAL}")
    ]
    having = [folder for folder in [*own, *nested] if (folder / "stats").is_dir()]
    return sorted(having, key=lambda folder: LONGITUDINAL in folder.name)  # stable


def _both(there: dict[str, Path], parcellation: str) -> bool:
    """Whether the statistics of both hemispheres are there."""
    return all(f"{side}.{parcellation}.stats" in there for side in ("lh", "rh"))
