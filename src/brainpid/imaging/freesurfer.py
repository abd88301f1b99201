"""Features from FreeSurfer's statistics: volumes of ``aseg.stats``, thickness and grey volume of ``?h.aparc.stats``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from brainpid.config.extraction import StructuralExtraction
from brainpid.core.errors import ImageError
from brainpid.core.machine import refuse_machine_fault
from brainpid.imaging.extracted import ICV, Extracted, check_icv, divide_by_icv

MEASURES = {
    "icv": ("eTIV", "ICV"),
    "brain_without_ventricles": ("BrainSegVolNotVent",),
    "gm_total": ("TotalGrayVol",),
    "wm_cerebral": ("CerebralWhiteMatterVol", "CorticalWhiteMatterVol"),
}
"""Summaries by feature, under the names that versions gave them: ICV before 5.2, cortical for cerebral white matter in
5.3."""
STRUCTURES = {"Left-Thalamus-Proper": "Left-Thalamus", "Right-Thalamus-Proper": "Right-Thalamus"}
"""Names before FreeSurfer 7, by the present one."""
SKIPPED = {"WM-hypointensities", "Left-WM-hypointensities", "Right-WM-hypointensities"}
SKIPPED |= {"non-WM-hypointensities", "Left-non-WM-hypointensities", "Right-non-WM-hypointensities"}


def extract_files(files: Mapping[str, str], settings: StructuralExtraction) -> Extracted:
    """Read one person's statistics.

    Parameters
    ----------
    files : mapping of str to str
        Paths of ``aseg``, ``lh_aparc`` and ``rh_aparc``.
    settings : StructuralExtraction
        ``divide_by_icv`` is used: the files are what they are.

    Returns
    -------
    Extracted
        ``volume_<structure>`` and summary volumes in mm^3, ``thickness_<hemi>_<region>`` in mm and
        ``volume_<hemi>_<region>`` in mm^3, under the names of FreeSurfer 7. Divided volumes are parts of ``icv``, which
        is FreeSurfer's eTIV. A summary that the file lacks is NaN and said in the note.

    Raises
    ------
    ImageError
        Where a file is no statistics table or lacks a column, or the intracranial volume is no head's.
    """
    values: dict[str, float] = {}
    units: dict[str, str] = {}
    regions: dict[str, tuple[str, ...]] = {}
    measures, rows = read_stats(files["aseg"])
    for name, known in MEASURES.items():
        values[name] = next((measures[measure] for measure in known if measure in measures), np.nan)
        units[name] = "mm^3"
    lacking = [MEASURES[name][0] for name in MEASURES if np.isnan(values[name])]
    check_icv(values[ICV], f"eTIV of {files['aseg']}")
    for row in rows:
        structure = _cell(row, "StructName", files["aseg"])
        if structure not in SKIPPED:
            structure = STRUCTURES.get(structure, structure)
            name = f"volume_{structure}"
            values[name], units[name] = _number(row, "Volume_mm3", files["aseg"]), "mm^3"
            regions[name] = (structure,)
    for hemisphere in ("lh", "rh"):
        path = files[f"{hemisphere}_aparc"]
        for row in read_stats(path)[1]:
            region = _cell(row, "StructName", path).replace("&", "_and_")  # G&S of a2009s, which was G_and_S before 6
            thickness, volume = f"thickness_{hemisphere}_{region}", f"volume_{hemisphere}_{region}"
            values[thickness], units[thickness] = _number(row, "ThickAvg", path), "mm"
            values[volume], units[volume] = _number(row, "GrayVol", path), "mm^3"
            regions[thickness] = regions[volume] = (f"{hemisphere}_{region}",)
    quality = {"surface_holes": measures["SurfaceHoles"]} if "SurfaceHoles" in measures else {}
    note = f"aseg.stats has no measure {', '.join(lacking)}" if lacking else ""
    extracted = Extracted(values, units, quality, regions=regions, note=note)
    return divide_by_icv(extracted) if settings.divide_by_icv else extracted


def read_stats(path: str | Path) -> tuple[dict[str, float], list[dict[str, str]]]:
    """Read a FreeSurfer statistics file.

    Returns
    -------
    measures : dict of str to float
        Of the lines ``# Measure name, short name, description, value, unit``, by short name.
    rows : list of dict of str to str
        Of the table, by the names of ``# ColHeaders``.

    Raises
    ------
    ImageError
        Where there is no header of columns, no row, or a row of another length.
    """
    measures: dict[str, float] = {}
    headers: list[str] = []
    rows: list[dict[str, str]] = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        refuse_machine_fault(fault, path)
        raise ImageError(f"{path}: not readable as a FreeSurfer statistics file ({fault})") from fault
    for number, line in enumerate(lines, start=1):
        if line.startswith("# Measure "):
            parts = [part.strip() for part in line.removeprefix("# Measure ").split(",")]
            if len(parts) >= 4:
                measures[parts[1]] = _float(parts[-2], path, number)
        elif line.startswith("# ColHeaders"):
            headers = line.split()[2:]
        elif line.strip() and not line.startswith("#"):
            cells = line.split()
            if len(cells) != len(headers):
                raise ImageError(f"{path}: line {number} has {len(cells)} cells, expected {len(headers)} ({line[:60]})")
            rows.append(dict(zip(headers, cells, strict=True)))
    if not headers or not rows:
        raise ImageError(f"{path}: expected a line '# ColHeaders' and rows below it, found {len(rows)} rows")
    return measures, rows


def _cell(row: Mapping[str, str], column: str, path: str) -> str:
    """One cell of a row, or an error that lists the columns."""
    if column not in row:
        raise ImageError(f"{path}: expected a column '{column}', found {', '.join(row)}")
    return row[column]


def _number(row: Mapping[str, str], column: str, path: str) -> float:
    return _float(_cell(row, column, path), path, 0)


def _float(text: str, path: str | Path, line: int) -> float:
    """A number of a statistics file."""
    try:
        return float(text)
    except ValueError as fault:
        raise ImageError(f"{path}: expected a number in line {line}, found '{text}'") from fault
