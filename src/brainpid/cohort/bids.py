"""Raw images of a BIDS dataset: ``anat/*_T1w``, ``dwi/*_dwi`` with its gradients, ``func/*_bold``."""

from __future__ import annotations

from pathlib import Path

from brainpid.cohort.person_files import Found, bold_sidecars, choose, has_suffix, inherited, looked_for, sessions

FOLDERS = {"t1w": ("anat", "T1w"), "dwi": ("dwi", "dwi"), "bold": ("func", "bold")}


def find(root: Path, person: str, image: str, session: str | None = None, task: str = "rest") -> Found:
    """Find one person's raw image.

    Parameters
    ----------
    root : path
        Top of the dataset.
    person : str
        Label with ``sub-``.
    image : {"t1w", "dwi", "bold"}
    session : str, optional
        Label of the session, with or without ``ses-``; the first one with an image by default.
    task : str
        Task of a BOLD run.

    Returns
    -------
    Found
        Roles ``t1w``; ``dwi``, ``bval``, ``bvec``; or ``bold`` with the JSON files that apply to it, the nearest first:
        ``json``, ``json_2``...
    """
    folder_name, suffix = FOLDERS[image]
    visits = sessions(root / person, session)
    if not (root / person).is_dir():
        return Found(reason=f"no folder {root / person}")
    wanted = f"*task-{task}*_bold.nii*" if image == "bold" else f"*_{suffix}.nii*"
    folders = [visit / folder_name for visit in visits]
    candidates = [path for folder in folders for path in folder.glob(wanted) if has_suffix(path, suffix)]
    chosen = choose(candidates)
    if chosen is None:
        return Found(reason=looked_for(wanted.replace("*", "…", 1), folders or [root / person / f"ses-{session}"]))
    path, note = chosen
    files = {image: str(path)}
    if image == "dwi":
        for role in ("bval", "bvec"):
            gradients = inherited(path, root, "dwi", f".{role}")
            if not gradients:
                return Found(reason=f"{path.name} has no .{role} beside it or above, up to {root}")
            files[role] = str(gradients[0])
    if image == "bold":
        files |= bold_sidecars(path, root)
    return Found(files, note=note)
