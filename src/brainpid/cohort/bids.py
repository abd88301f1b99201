"""Raw images of a BIDS dataset: ``anat/*_T1w``, ``dwi/*_dwi`` with its gradients, ``func/*_bold``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from brainpid.cohort.choice import Filter, choose
from brainpid.cohort.person_files import Found, bold_sidecars, inherited, sessions

FOLDERS = {"t1w": ("anat", "T1w"), "dwi": ("dwi", "dwi"), "bold": ("func", "bold")}


def find(
    root: Path,
    person: str,
    image: str,
    session: str | None = None,
    task: str = "rest",
    wanted: Filter | None = None,
) -> Found:
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
    wanted : mapping of str to sequence of str or None, optional
        Further entities; see `brainpid.cohort.choice`.

    Returns
    -------
    Found
        Roles ``t1w``; ``dwi``, ``bval``, ``bvec``; or ``bold`` with the JSON files that apply to it, the nearest first:
        ``json``, ``json_2``...
    """
    folder, suffix = FOLDERS[image]
    if not (root / person).is_dir():
        return Found(reason=f"no folder {root / person}")
    visits = sessions(root / person, session)
    asked = {"task": (task,)} if image == "bold" else {}
    what = f"…_task-{task}_…bold.nii*" if image == "bold" else f"…_{suffix}.nii*"
    found = choose(
        visits or [root / person / f"ses-{session}"], folder, person, suffix, {**asked, **(wanted or {})}, what
    )
    if not found.files:
        return found
    path = Path(found.files["image"])
    files = {image: str(path)}
    if image == "dwi":
        for role in ("bval", "bvec"):
            gradients = inherited(path, root, "dwi", f".{role}")
            if not gradients:
                return Found(reason=f"{path.name} has no .{role} beside it or above, up to {root}")
            files[role] = str(gradients[0])
    if image == "bold":
        files |= bold_sidecars(path, root)
    return replace(found, files=files)
