"""Derivatives in BIDS that other pipelines wrote: fMRIPrep's BOLD and QSIRecon's scalar maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from brainpid.cohort.choice import Filter, allowed, choose, first
from brainpid.cohort.names import entities, parse, written
from brainpid.cohort.person_files import (
    Found,
    bold_sidecars,
    images,
    join_notes,
    listed,
    nothing,
    sessions,
    visit_note,
)
from brainpid.core.errors import list_some

CONFOUNDS = (("timeseries", ".tsv"), ("regressors", ".tsv"), ("timeseries", ".tsv.gz"))
"""Suffix and extension of fMRIPrep's confounds, the newest first."""
OF_A_GRID = ("space", "cohort", "res", "den", "desc")
"""Entities that an image has and the table of its run has not."""
OF_A_PART = ("echo", "part")
"""Entities that the table and the mask of a run may have or lack, whatever its image has."""
TENSOR, KURTOSIS, NODDI = ("tensor", "dti"), ("dki",), ("noddi",)
MODELS = {
    **dict.fromkeys(("fa", "md", "ad", "rd"), (*TENSOR, *KURTOSIS)),
    **dict.fromkeys(("mk", "ak", "rk"), KURTOSIS),
    **dict.fromkeys(("icvf", "isovf", "od"), NODDI),
}
"""Models whose map of a metric is taken, the first before the others: a tensor's own before that of a kurtosis fit."""
ALIASES = {"ndi": "icvf", "odi": "od", "fwf": "isovf"}
"""Other names of NODDI's maps: neurite density, orientation dispersion, free water."""
TEMPLATE = "MNI152"
"""Templates of this name are what atlases and tissue maps are in."""


def split_space(space: str) -> dict[str, str]:
    """Entities of a template, as in file names or as fMRIPrep's options have it.

    Examples
    --------
    >>> split_space("MNIPediatricAsym+2") == split_space("MNIPediatricAsym:cohort-2")
    True
    """
    template, *further = space.split(":")
    return parse(f"space-{'_'.join([template, *further])}_x").entities


def space_note(space: str) -> str:
    """Say where a template is not that of the atlases."""
    template = split_space(space)["space"]
    if template.startswith(TEMPLATE):
        return ""
    return f"space {template} is not {TEMPLATE}, the atlas's: regions are where the atlas has them, not where they are"


def find_fmriprep(
    root: Path,
    person: str,
    space: str,
    session: str | None = None,
    task: str = "rest",
    wanted: Filter | None = None,
) -> Found:
    """Find one person's preprocessed BOLD run with its confounds and brain mask.

    Parameters
    ----------
    root : path
        fMRIPrep's output folder.
    person : str
    space : str
        Template whose grid the BOLD is on, such as ``MNI152NLin2009cAsym``; one with cohorts as ``X``, for any of them,
        ``X+2`` or ``X:cohort-2``.
    session, task, wanted
        As in `brainpid.cohort.bids.find`.

    Returns
    -------
    Found
        Roles ``bold``, ``confounds``, where there is one ``mask``, and ``json``, ``json_2``... as in
        `brainpid.cohort.bids.find`.
    """
    if not (root / person).is_dir():
        return Found(reason=f"no folder {root / person}")
    visits = sessions(root / person, session) or [root / person / f"ses-{session}"]
    asked: Filter = {"task": (task,), "desc": ("preproc",)} | {k: (v,) for k, v in split_space(space).items()}
    what = f"…_task-{task}_…space-{space}_…desc-preproc_bold.nii*"
    found = choose(visits, "func", person, "bold", {**asked, **(wanted or {})}, what)
    if not found.files:
        return found
    bold = Path(found.files["image"])
    own = entities(bold)
    beside = [(path, parse(path.name)) for path in listed(bold.parent)]
    whole = _without(own, OF_A_PART)
    run = _without(whole, OF_A_GRID)
    tables = [
        path
        for suffix, extension in CONFOUNDS
        for path, name in beside
        if (name.suffix, name.extension) == (suffix, extension)
        and _without(name.entities, OF_A_PART) == run | {"desc": "confounds"}
    ]
    if not tables:
        return Found(reason=f"{bold.name} has no {written(run)}_desc-confounds_timeseries.tsv beside it")
    files = {"bold": str(bold), "confounds": str(tables[0])}
    brain = whole | {"desc": "brain"}
    masks = [path for path in images(bold.parent, person, "mask") if _without(entities(path), OF_A_PART) == brain]
    if masks:
        files["mask"] = str(masks[0])
    return replace(found, files=files | bold_sidecars(bold, root), note=join_notes(found.note, space_note(space)))


def _without(own: Mapping[str, str], keys: Sequence[str]) -> dict[str, str]:
    """Entities but for some."""
    return {key: value for key, value in own.items() if key not in keys}


def find_qsirecon(
    root: Path,
    person: str,
    space: str,
    session: str | None = None,
    wanted: Filter | None = None,
    maps: Mapping[str, Filter] | None = None,
    metrics: Sequence[str] = (),
) -> Found:
    """Find one person's diffusion scalar maps in template space.

    Of several maps of one metric a plain one is taken before one with a ``desc``, such as ``desc-modulated``, and that
    of the metric's own model before others (see `MODELS`). A map that is no known metric is named in the note.

    Parameters
    ----------
    root : path
        QSIRecon's output folder, or that of one of its workflows.
    person, space, session, wanted
        As in `find_fmriprep`.
    maps : mapping of str to mapping, optional
        Entities of the map of each metric that is read, such as ``{"fa": {"model": ("dki",)}}``; where given, no other
        is.
    metrics : sequence of str
        Metrics that can be read.

    Returns
    -------
    Found
        One role a map, named by its metric: ``fa``, ``md``...
    """
    if not (root / person).is_dir():
        return Found(reason=f"no folder {root / person}")
    visits = sessions(root / person, session) or [root / person / f"ses-{session}"]
    asked: Filter = {**{key: (value,) for key, value in split_space(space).items()}, **(wanted or {})}
    there: list[str] = []
    for visit in visits:
        present = images(visit / "dwi", person, "dwimap")
        there += [path.name for path in present]
        own = [path for path in present if allowed(path, asked)]
        by_metric: dict[str, list[Path]] = {}
        for path in own:
            by_metric.setdefault(_metric(path), []).append(path)
        if maps:
            chosen = {
                metric: [path for path in by_metric.get(metric, own if "param" in asks else []) if allowed(path, asks)]
                for metric, asks in maps.items()
            }
        else:
            chosen = {metric: by_metric[metric] for metric in by_metric if metric in metrics}
        taken = {
            metric: first(paths, {**asked, **((maps or {}).get(metric) or _preferred(paths, metric))})
            for metric, paths in sorted(chosen.items())
            if paths
        }
        if not taken:
            continue
        several = [f"{metric} of {taken[metric].name}" for metric in taken if len(chosen[metric]) > 1]
        unknown = [] if maps else sorted(name or "?" for name in set(by_metric) - set(metrics))
        lacking = [metric for metric in maps or {} if metric not in taken]
        note = join_notes(
            f"of several maps: {', '.join(several)}" if several else "",
            f"maps that are not known and not used: {list_some(unknown, 40)}" if unknown else "",
            f"no map of {', '.join(lacking)}" if lacking else "",
            visit_note(visits, visit),
            space_note(space),
        )
        models = sorted({entities(path).get("model", "") for path in taken.values()} - {""})
        acquisition = "_".join([*(f"model-{model}" for model in models), f"param-{'+'.join(sorted(taken))}"])
        return Found({metric: str(path) for metric, path in taken.items()}, note=note, acquisition=acquisition)
    what = f"…_space-{space}_…param-…_dwimap.nii* of {'/'.join(maps or metrics)}"
    return Found(reason=nothing(what, [visit / "dwi" for visit in visits], there))


def _metric(path: Path) -> str:
    """Metric of a map by its name: the parameter in lower case."""
    own = entities(path)
    name = (own.get("param") or own.get("mdp") or "").lower()
    return ALIASES.get(name, name)


def _preferred(paths: Sequence[Path], metric: str) -> Filter:
    """Order of preference among the maps of a metric: without desc, then by model."""
    own = [entities(path) for path in paths]
    descs = sorted({one.get("desc") for one in own}, key=lambda desc: (desc is not None, desc or ""))
    known = MODELS.get(metric, ())
    models = {one.get("model") for one in own}
    ordered = [model for model in known if model in models]
    ordered += sorted({model for model in models if model is not None} - set(known))
    return {"desc": tuple(descs), "model": (*ordered, *([None] if None in models else []))}
