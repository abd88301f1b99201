"""Recognisers of images and of what other pipelines made of them; they count by the finders that read later."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from brainpid.cohort.acquisitions import different
from brainpid.cohort.bids import FOLDERS
from brainpid.cohort.derivatives import TEMPLATE
from brainpid.cohort.finding import find
from brainpid.cohort.freesurfer import PARCELLATIONS, is_person, is_template
from brainpid.cohort.names import Name, natural, parse
from brainpid.cohort.offers import Offer, Place, Recogniser
from brainpid.cohort.person_files import Found, images, listed, sessions
from brainpid.config.sources import (
    OWN_SPACES,
    FMRIPrepSource,
    FreeSurferSource,
    ImageSource,
    NiftiSource,
    QSIReconSource,
)
from brainpid.core.errors import list_some

MODALITIES = {"t1w": "t1", "dwi": "dwi", "bold": "fmri"}
"""Name of the modality of each raw image."""
REST = "rest"
DEFAULT_SPACE = "MNI152NLin2009cAsym"
CHOSEN_BY_KEY = ("sub", "ses", "task", "space", "cohort", "res", "den", "desc", "model", "param", "part")
"""Entities that other keys of a source decide, or no one has to."""


class _Image(NamedTuple):
    """An image by its name."""

    person: str
    visit: str
    name: Name


def raw(place: Place) -> list[Offer]:
    """T1w, dwi and bold of a raw BIDS dataset."""
    if _is_derivative(place.folder):
        return []
    offers = []
    for image, (datatype, suffix) in FOLDERS.items():
        seen = [one for one in _images(place, datatype, suffix) if not {"desc", "space"} & one.name.entities.keys()]
        if seen:
            keys, choices = _task(seen) if image == "bold" else ({}, [])
            source = NiftiSource(kind="nifti", image=image, **keys)
            offers.append(_offer(place, MODALITIES[image], source, {"kind": "nifti", **keys}, seen, choices))
    return offers


def fmriprep(place: Place) -> list[Offer]:
    """BOLD that fMRIPrep put into the space of a template."""
    seen = [one for one in _images(place, "func", "bold") if one.name.entities.get("desc") == "preproc"]
    if not seen:
        return []
    space, choices = _space(seen)
    if space is None:
        why = f"its BOLD is in {list_some(choices)}, and in no template; run fMRIPrep with --output-spaces"
        return [Offer("fmri", place.folder, {"kind": "fmriprep", "path": str(place.folder)}, why_not=why)]
    seen = [one for one in seen if one.name.entities.get("space") == space]
    keys, of_tasks = _task(seen)
    keys = {"space": space, **keys}
    source = FMRIPrepSource(kind="fmriprep", path=str(place.folder), **keys)
    plain = {"kind": "fmriprep", "path": str(place.folder), **keys}
    return [_offer(place, "fmri", source, plain, seen, [*choices, *of_tasks])]


def qsirecon(place: Place) -> list[Offer]:
    """Scalar maps of diffusion in the space of a template."""
    seen = _images(place, "dwi", "dwimap")
    if not seen:
        return []
    path = str(place.folder)
    space, choices = _space(seen)
    if space is None:
        why = f"its maps are in {list_some(choices)}, and in no template"
        return [Offer("dwi", place.folder, {"kind": "qsirecon", "path": path}, why_not=why)]
    plain = {"kind": "qsirecon", "path": path, "space": space}
    if "dsistudio" in path.casefold():
        plain["diffusivity_unit"] = "um^2/ms"
        choices.append("DSI Studio gives diffusivities in 10^-3 mm^2/s, which is um^2/ms")
    seen = [one for one in seen if one.name.entities.get("space") == space]
    return [_offer(place, "dwi", QSIReconSource.model_validate(plain), plain, seen, choices)]


def freesurfer(place: Place) -> list[Offer]:
    """A SUBJECTS_DIR with statistics."""
    folders = [path for path in listed(place.folder) if is_person(path.name) and (path / "stats").is_dir()]
    if not folders:
        return []
    source = FreeSurferSource(kind="freesurfer", path=str(place.folder))
    cuts = Counter(
        path.name.removeprefix("lh.").removesuffix(".stats")
        for folder in folders
        if not is_template(folder)
        for path in listed(folder / "stats")
        if path.name.startswith("lh.") and path.name.endswith(".stats")
    )
    others = [f"{name} ({n})" for name, n in cuts.items() if ".a2009s" in name or name in PARCELLATIONS]
    choices = [f"parcellations: {list_some(others)}; `parcellation:` takes another"] if len(others) > 1 else []
    visits = Counter(path.name.partition("_ses-")[2].partition(".")[0] for path in folders if "_ses-" in path.name)
    choices += _of_visits(visits)
    return [_offer(place, "t1", source, {"kind": "freesurfer", "path": str(place.folder)}, (), choices)]


IMAGE_RECOGNISERS = (
    Recogniser("freesurfer", "FreeSurfer or FastSurfer: folders of people with stats/aseg.stats", freesurfer),
    Recogniser("qsirecon", "QSIRecon: sub-*/dwi/*_dwimap.nii.gz", qsirecon),
    Recogniser("fmriprep", "fMRIPrep: sub-*/func/*_desc-preproc_bold.nii.gz with confounds", fmriprep),
    Recogniser("nifti", "raw BIDS: sub-*/anat/*_T1w.nii.gz, sub-*/dwi/*_dwi.nii.gz, sub-*/func/*_bold.nii.gz", raw),
)
"""What is processed comes before what is raw: of a modality with both, the first is taken."""


def _is_derivative(folder: Path) -> bool:
    """Whether the description of a dataset says that a pipeline made it."""
    try:
        content = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):  # a dataset without a description, or with a broken one, is known by its files
        return False
    return isinstance(content, dict) and content.get("DatasetType") == "derivative"


def _images(place: Place, datatype: str, suffix: str) -> list[_Image]:
    """Images of a kind of everybody in the cohort."""
    return [
        _Image(person, visit.name if visit.name.startswith("ses-") else "", parse(path.name))
        for person in place.people
        if (place.folder / person).is_dir()
        for visit in sessions(place.folder / person, None)
        for path in images(visit / datatype, person, suffix)
    ]


def _offer(
    place: Place, modality: str, source: ImageSource, plain: dict[str, Any], seen: Sequence[_Image], more: list[str]
) -> Offer:
    """Count who has what the source asks for, and say what else there is."""
    root = str(place.folder)
    found: dict[str, Found] = {person: find(source, modality, root, person) for person in place.people}
    having = {person: own for person, own in found.items() if own.files}
    if not having:
        reasons = [own.reason for own in found.values() if not own.reason.startswith("no folder")]
        why = reasons[0] if reasons else f"its folders are of nobody in {place.participants}"
        return Offer(modality, place.folder, plain, why_not=why)
    choices = [*more, *_of_visits(Counter(visit for _, visit in {one[:2] for one in seen} if visit))]
    choices += _of_entities(seen)
    if differing := different({person: own.acquisition for person, own in having.items()}):
        choices.append(f"{differing}; chosen by `{'maps' if isinstance(source, QSIReconSource) else 'entities'}:`")
    return Offer(modality, place.folder, plain, tuple(having), tuple(choices))


def _of_visits(visits: Counter[str]) -> list[str]:
    """Say which visits there are."""
    names = {visit.removeprefix("ses-"): n for visit, n in visits.items()}
    if len(names) < 2:
        return []
    there = list_some((f"{name} ({names[name]})" for name in sorted(names, key=natural)), 6)
    key = f"session: '{min(names, key=natural)}'"
    return [
        f"sessions: {there}; each person's first is taken, `{key}` takes one for all",
        "`sessions: all`, with `splits: {group: person}`, takes every session as a row of its own",
    ]


def _of_entities(seen: Sequence[_Image]) -> list[str]:
    """Say by which further entities people's images differ."""
    said = []
    for key in dict.fromkeys(key for one in seen for key in one.name.entities if key not in CHOSEN_BY_KEY):
        values = Counter(one.name.entities.get(key) for one in seen)
        if len(values) > 1 or key not in ("run", "dir", "acq"):
            ordered = sorted(values, key=lambda value: (value is not None, natural(value or "")))
            there = list_some((f"{'none' if value is None else value} ({values[value]})" for value in ordered), 6)
            named = next(value for value in ordered if value is not None)
            said.append(f"{key}: {there}; `entities: {{{key}: {named}}}` takes one")
    return said


def _task(seen: Sequence[_Image]) -> tuple[dict[str, str], list[str]]:
    """Rest, or where there is none the task that most people have; and what others there are."""
    tasks = Counter(task for _, task in {(one.person, one.name.entities.get("task", "")) for one in seen})
    chosen = REST if REST in tasks else max(sorted(tasks), key=lambda task: tasks[task])
    others = [f"{task} ({n})" for task, n in sorted(tasks.items()) if task != chosen]
    choices = [f"other tasks: {list_some(others, 6)}; chosen by `task:`"] if others else []
    return ({} if chosen == REST else {"task": chosen}), choices


def _space(seen: Sequence[_Image]) -> tuple[str | None, list[str]]:
    """Template whose regions fit best, with what others there are; None with the spaces where there is no template."""
    spaces = Counter(space for _, space in {(one.person, one.name.entities.get("space", "none")) for one in seen})
    fit = [space for space in spaces if space not in (*OWN_SPACES, "none") and not space.startswith("fs")]
    if not fit:
        return None, sorted(spaces)

    def rank(space: str) -> tuple[object, ...]:
        return (space != DEFAULT_SPACE, not space.startswith(TEMPLATE), -spaces[space], space)

    chosen = min(fit, key=rank)
    others = [f"{space} ({spaces[space]})" for space in sorted(fit) if space != chosen]
    return chosen, [f"other templates: {list_some(others, 6)}; chosen by `space:`"] if others else []
