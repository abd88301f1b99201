"""Reading of an atlas from an image of labels and a table of names, joined by the integer value of the label."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np

from brainpid.config.extraction import AtlasFiles
from brainpid.core.errors import ImageError, InputError, list_some
from brainpid.core.files import read_table, require_column
from brainpid.core.rows import DELIMITERS
from brainpid.imaging.atlases import Atlas
from brainpid.imaging.nifti import make_image, open_image, read_voxels

LARGEST_LABEL = 2**24
"""Resampling works in float32, which holds every integer up to here."""

_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def read_atlas(image_path: str | Path, labels_path: str | Path) -> Atlas:
    """Read an atlas in MNI space.

    Parameters
    ----------
    image_path : path
        3D NIfTI image of integer labels; 0 is background.
    labels_path : path
        ``.tsv`` or ``.csv`` with columns ``index`` and ``name`` (BIDS ``dseg.tsv``), or a lookup whose lines are an
        index, one or two names and numbers such as colours, apart by white space (FreeSurfer, MRtrix); the last of two
        names is taken. Lines that start with ``#`` are comments. A line for index 0 is ignored.

    Raises
    ------
    ImageError
        Where a value of the image is no integer, is negative or too large, or image and table list other labels.
    InputError
        Where the table cannot be read or names a label or region twice.
    """
    image_path, labels_path = Path(image_path), Path(labels_path)
    labels = _read_labels(image_path)
    names = _read_names(labels_path)
    present = set(np.unique(labels.get_fdata(dtype=np.float32)).astype(int).tolist()) - {0}
    nameless, absent = sorted(present - names.keys()), sorted(names.keys() - present)
    if nameless:
        raise ImageError(f"{image_path}: labels without a line in {labels_path}: {list_some(nameless)}")
    if absent:
        raise ImageError(
            f"{labels_path}: labels without a voxel in {image_path}: "
            f"{list_some(f'{label} ({names[label]})' for label in absent)}; remove these lines or take the whole image"
        )
    return Atlas(labels, names, image_path.name.split(".")[0])


def _read_labels(path: Path) -> nib.Nifti1Image:
    """Labels as int32, after a check that no value was lost in the type they are stored in."""
    image = open_image(path, 3)
    values = read_voxels(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise ImageError(f"{path}: {int((~np.isfinite(values)).sum())} voxels are NaN or infinite; expected labels")
    fractions = np.unique(values[values != np.round(values)])
    if fractions.size:
        raise ImageError(
            f"{path}: labels are not integers ({list_some(fractions[:8].tolist(), 4)}); expected an image of labels. "
            "Was it resampled with another interpolation than nearest neighbour?"
        )
    if values.min() < 0:
        raise ImageError(
            f"{path}: negative labels ({list_some(np.unique(values[values < 0]).astype(int).tolist())}); labels above "
            f"the largest that its type holds wrap around: store it with a wider type than {image.get_data_dtype()}"
        )
    if values.max() > LARGEST_LABEL:
        raise ImageError(f"{path}: label {values.max():.0f} is above {LARGEST_LABEL}, where float32 loses integers")
    if not values.any():
        raise ImageError(f"{path}: every voxel is 0; expected labels")
    return make_image(values.astype(np.int32), image.affine)


def _read_names(path: Path) -> dict[int, str]:
    """Name of every label but 0."""
    pairs = _table_pairs(path) if path.suffix in DELIMITERS else _lookup_pairs(path)
    names: dict[int, str] = {}
    used: dict[str, int] = {}
    for line, index, name in pairs:
        if not _INTEGER.fullmatch(index) or int(index) < 0:
            raise InputError(f"{path}: line {line}: expected an index of 0 or more, found '{index}'")
        label = int(index)
        if label == 0:
            continue
        if not name:
            raise InputError(f"{path}: line {line}: label {label} has no name")
        if label in names:
            raise InputError(f"{path}: line {line}: label {label} is listed twice ('{names[label]}' and '{name}')")
        if name in used:
            raise InputError(f"{path}: line {line}: the name '{name}' is used for labels {used[name]} and {label}")
        names[label] = name
        used[name] = label
    if not names:
        raise InputError(f"{path}: no label is listed; expected lines with an index and a name")
    return names


def _table_pairs(path: Path) -> list[tuple[int, str, str]]:
    """Line, index and name of a delimited table."""
    table = read_table(path)
    for column, purpose in (("index", "integer label"), ("name", "name of the region")):
        require_column(path, list(table.columns), column, purpose)
    cells = table[["index", "name"]].fillna("").astype(str)
    return [
        (line, index.strip(), name.strip()) for line, (index, name) in enumerate(cells.itertuples(index=False), start=2)
    ]


def _lookup_pairs(path: Path) -> list[tuple[int, str, str]]:
    """Line, index and name of a lookup with white space between its columns."""
    if not path.is_file():
        raise InputError(f"{path}: the file does not exist")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: not UTF-8 text (byte {fault.start}); expected a lookup of labels") from fault
    pairs = []
    for number, line in enumerate(lines, start=1):
        words = line.split("#")[0].split()
        if not words:
            continue
        texts = [word for word in words[1:] if not _NUMBER.fullmatch(word)]
        if len(texts) not in (1, 2):
            raise InputError(
                f"{path}: line {number}: expected an index, one or two names and numbers, found '{line.strip()[:80]}'"
            )
        pairs.append((number, words[0], texts[-1]))
    return pairs


def atlas_of(files: AtlasFiles | None, default: Callable[[], Atlas]) -> Atlas:
    """Atlas of the configuration, or the one that needs no files."""
    return default() if files is None else read_atlas(files.image, files.labels)
