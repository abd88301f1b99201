"""The feature store: the only module that knows the layout of feature files.

One file a cohort, one group a modality::

    /                      attributes: format, cohort, provenance (JSON)
    /<modality>/values           float32 (n, p), contiguous; a row of NaN is a person without the modality
    /<modality>/participant_id   text (n,)
    /<modality>/status, reason   text (n,)
    /<modality>/feature, unit    text (p,)
    /<modality>/regions          text (p,), a JSON list of the regions of each feature
    /<modality>/known            int (p,), people with the modality who have a value of the feature
    /<modality>/low, high        float32 (p,), smallest and largest of these values
    /<modality>/quartiles        float32 (3, p), quartiles of these values

A reader sees a whole file or none, see `brainpid.features.hdf5`. Values are contiguous and uncompressed: whole-matrix
reads are then as fast as the disk, and rows are picked in memory. The range of each feature is kept beside them, so
that who has what, and which features are constant, is known without reading them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from brainpid.core.errors import InputError, list_some
from brainpid.features.block import FeatureBlock, FeatureSummary, Regions
from brainpid.features.hdf5 import Reader, opened, written

FORMAT = "brainpid-features-4"
TEXT = h5py.string_dtype("utf-8")


def write_features(
    path: str | Path, cohort: str, blocks: Iterable[FeatureBlock], provenance: Mapping[str, Any]
) -> None:
    """Write a cohort's features atomically.

    Parameters
    ----------
    path : path
        File to make or to replace.
    cohort : str
        Name of the cohort.
    blocks : iterable of FeatureBlock
        One for each modality.
    provenance : mapping
        Versions, settings and code digest; anything that JSON can hold.

    Raises
    ------
    InputError
        Where a label or name holds a NUL character, which HDF5 text cannot.
    MachineError
        Where the machine does not write the file.
    """
    with written(path) as writer:
        file = writer.file
        file.attrs["format"] = FORMAT
        file.attrs["cohort"] = cohort
        file.attrs["provenance"] = json.dumps(provenance, sort_keys=True)
        for block in blocks:
            group = file.create_group(block.modality)
            summary = block.summary()
            writer.array(group, "values", np.asarray(block.values, dtype=np.float32))
            for name, texts in (
                ("participant_id", block.participant_id),
                ("status", block.status),
                ("reason", block.reason),
                ("feature", block.names),
                ("unit", block.units),
                ("regions", tuple(json.dumps(regions, ensure_ascii=False) for regions in block.regions)),
            ):
                group.create_dataset(name, data=_as_text(texts, path), dtype=TEXT)
            for name in ("known", "low", "high", "quartiles"):
                group.create_dataset(name, data=getattr(summary, name))


def read_features(path: str | Path, modality: str, rows: NDArray[np.bool_] | None = None) -> FeatureBlock:
    """Read one modality of a cohort.

    Parameters
    ----------
    path : path
        File that `write_features` wrote.
    modality : str
        Name of the modality.
    rows : ndarray of bool, shape (n,), optional
        People to keep; all if None.

    Raises
    ------
    InputError
        Where the file is absent or damaged, has no such modality, or `rows` does not fit.
    """
    with _open(path) as reader:
        group = _group(reader.file, modality, path)
        labels = group["participant_id"].asstr()[:]
        keep = np.ones(len(labels), dtype=bool) if rows is None else np.asarray(rows)
        if keep.shape != labels.shape or keep.dtype != bool:
            raise InputError(f"{path}: a row mask of bool {labels.shape} is needed, found {keep.dtype} {keep.shape}")
        return FeatureBlock(
            modality=modality,
            participant_id=tuple(labels[keep]),
            names=tuple(group["feature"].asstr()[:]),
            units=tuple(group["unit"].asstr()[:]),
            values=reader.array(group["values"])[keep],
            status=tuple(group["status"].asstr()[:][keep]),
            reason=tuple(group["reason"].asstr()[:][keep]),
            regions=_regions(group),
        )


def read_summary(path: str | Path, modality: str) -> FeatureSummary:
    """Read who has one modality of a cohort and what its features are, without their values.

    Raises
    ------
    InputError
        Where the file is absent or damaged, or has no such modality.
    """
    with _open(path) as reader:
        group = _group(reader.file, modality, path)
        return FeatureSummary(
            modality=modality,
            participant_id=tuple(group["participant_id"].asstr()[:]),
            status=tuple(group["status"].asstr()[:]),
            reason=tuple(group["reason"].asstr()[:]),
            names=tuple(group["feature"].asstr()[:]),
            units=tuple(group["unit"].asstr()[:]),
            regions=_regions(group),
            known=group["known"][:],
            low=group["low"][:],
            high=group["high"][:],
            quartiles=group["quartiles"][:],
        )


def _group(file: h5py.File, modality: str, path: str | Path) -> h5py.Group:
    """Part of a file that holds a modality."""
    if modality not in file:
        raise InputError(f"{path}: no modality '{modality}'; found {list_some(file) or 'none'}")
    return file[modality]


def _regions(group: h5py.Group) -> Regions:
    """Regions of each feature."""
    return tuple(tuple(json.loads(text)) for text in group["regions"].asstr()[:])


def read_modalities(path: str | Path) -> tuple[str, ...]:
    """Names of the modalities in a file, in alphabetical order."""
    with _open(path) as reader:
        return tuple(reader.file)


def read_cohort(path: str | Path) -> str:
    """Name of the cohort that a file belongs to."""
    with _open(path) as reader:
        return str(reader.file.attrs["cohort"])


def read_provenance(path: str | Path) -> dict[str, Any]:
    """What was recorded about the making of a file."""
    with _open(path) as reader:
        content: dict[str, Any] = json.loads(reader.file.attrs["provenance"])
        return content


@contextmanager
def _open(path: str | Path) -> Iterator[Reader]:
    """Open a feature file for reading, or say what is wrong with it."""
    with opened(path) as reader:
        found = reader.file.attrs.get("format")
        if found != FORMAT:
            raise InputError(f"{path}: expected a feature file of format '{FORMAT}', found {found!r}")
        yield reader


def _as_text(texts: tuple[str, ...], path: str | Path) -> NDArray[np.object_]:
    """Texts as HDF5 takes them."""
    for text in texts:
        if "\x00" in text:
            raise InputError(f"{path}: HDF5 text cannot hold the NUL character in {text!r}")
    return np.array(texts, dtype=object)
