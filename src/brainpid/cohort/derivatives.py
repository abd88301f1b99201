"""Derivatives that other pipelines wrote: fMRIPrep's BOLD, FreeSurfer's statistics, QSIRecon's scalar maps."""

from __future__ import annotations

import re
from pathlib import Path

from brainpid.cohort.person_files import Found, bold_sidecars, choose, entities, has_suffix, looked_for, sessions

CONFOUNDS = ("desc-confounds_timeseries.tsv", "desc-confounds_regressors.tsv", "desc-confounds_timeseries.tsv.gz")
_DESC_OR_SPACE = re.compile(r"_(space|res|desc)-[A-Za-z0-9]+")
SCALAR = re.compile(r"_(?:param|mdp|model-tensor_param)-([A-Za-z0-9]+)_.*dwimap\.nii(\.gz)?$")


def find_fmriprep(root: Path, person: str, space: str, session: str | None = None, task: str = "rest") -> Found:
    """Find one person's preprocessed BOLD run with its confounds and brain mask.

    Parameters
    ----------
    root : path
        fMRIPrep's output folder.
    person : str
    space : str
        Template whose grid the BOLD is on, such as ``MNI152NLin2009cAsym``.
    session, task : str
        As in `brainpid.cohort.bids.find`.

    Returns
    -------
    Found
        Roles ``bold``, ``confounds``, where there is one ``mask``, and ``json``, ``json_2``... as in
        `brainpid.cohort.bids.find`.
    """
    if not (root / person).is_dir():
        return Found(reason=f"no folder {root / person}")
    folders = [visit / "func" for visit in sessions(root / person, session)]
    wanted = f"*task-{task}*_space-{space}*_desc-preproc_bold.nii*"
    chosen = choose(path for folder in folders for path in folder.glob(wanted) if has_suffix(path, "bold"))
    if chosen is None:
        return Found(reason=looked_for(wanted.replace("*", "…", 1), folders))
    bold, note = chosen
    stem = _DESC_OR_SPACE.sub("", bold.name.split("_bold.nii")[0])
    confounds = [bold.parent / f"{stem}_{ending}" for ending in CONFOUNDS]
    present = [path for path in confounds if path.is_file()]
    if not present:
        return Found(reason=f"{bold.name} has no {confounds[0].name} beside it")
    files = {"bold": str(bold), "confounds": str(present[0])}
    mask = bold.with_name(bold.name.replace("desc-preproc_bold", "desc-brain_mask"))
    if mask.is_file():
        files["mask"] = str(mask)
    return Found(files | bold_sidecars(bold, root), note=note)


def find_freesurfer(root: Path, person: str, session: str | None = None) -> Found:
    """Find one person's FreeSurfer statistics.

    Returns
    -------
    Found
        Roles ``aseg``, ``lh_aparc`` and ``rh_aparc``.
    """
    suffix = f"_ses-{session.removeprefix('ses-')}" if session else ""
    candidates = [root / f"{person}{suffix}", root / f"{person.removeprefix('sub-')}{suffix}"]
    folder = next((path for path in candidates if (path / "stats").is_dir()), None)
    if folder is None and not session:  # a listing of everybody's folders: only where there is no other way
        visits = sorted(root.glob(f"{person}_ses-*"))
        folder = next((path for path in visits if (path / "stats").is_dir()), None)
    if folder is None:
        return Found(reason=f"no folder {candidates[0]}/stats")
    roles = {"aseg": "aseg.stats", "lh_aparc": "lh.aparc.stats", "rh_aparc": "rh.aparc.stats"}
    files = {role: folder / "stats" / name for role, name in roles.items()}
    missing = [path.name for path in files.values() if not path.is_file()]
    if missing:
        return Found(reason=f"no {', '.join(missing)} in {folder / 'stats'}")
    return Found({role: str(path) for role, path in files.items()})


def find_qsirecon(root: Path, person: str, space: str, session: str | None = None) -> Found:
    """Find one person's diffusion scalar maps in template space.

    Returns
    -------
    Found
        One role a map, named by its parameter in lower case: ``fa``, ``md``...
    """
    if not (root / person).is_dir():
        return Found(reason=f"no folder {root / person}")
    for visit in sessions(root / person, session):
        folder = visit / "dwi"
        files: dict[str, str] = {}
        for path in sorted(folder.glob("*dwimap.nii*")):
            parameter = SCALAR.search(path.name)
            if parameter and entities(path).get("space") == space:
                files.setdefault(parameter[1].lower(), str(path))
        if files:
            return Found(files)
    return Found(reason=f"no *_space-{space}_*_param-*_dwimap.nii.gz under {root / person}")
