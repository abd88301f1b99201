"""Merge a cohort's modalities, and the shards of each, into one feature file."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from brainpid.cohort.exclusions import read_exclusions
from brainpid.cohort.participants import read_sheet
from brainpid.cohort.pipelines import joined
from brainpid.core.provenance import record
from brainpid.features.block import join_people
from brainpid.features.excluded import without_excluded
from brainpid.features.store import read_features, read_modalities, read_provenance, write_features

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    parser.add_argument("--participants", required=True, type=Path, help="the cohort's sheet from `participants`")
    parser.add_argument("--parts", required=True, nargs="+", type=Path, help="files that `extract` wrote")
    parser.add_argument(
        "--exclude", nargs="?", type=Path, help="table of people who are left out, with reasons (default: nobody)"
    )
    parser.add_argument("--out", required=True, type=Path, help="HDF5 file to write")


def run(args: argparse.Namespace) -> None:
    """Read every part, write one file; each part's provenance travels along."""
    parts: dict[str, list[Path]] = {}
    for part in args.parts:
        for modality in read_modalities(part):
            parts.setdefault(modality, []).append(part)
    people = read_sheet(args.participants)["participant_id"].tolist()
    sources = {modality: _provenance(own) for modality, own in parts.items()}
    blocks = [
        join_people([read_features(part, modality) for part in own], people, not _is_table(sources[modality]))
        for modality, own in parts.items()
    ]
    if args.exclude is not None:
        reasons = read_exclusions(args.exclude, people, list(parts))
        blocks = [without_excluded(block, reasons[block.modality]) for block in blocks]
        left_out = {person for own in reasons.values() for person in own}
        log.info("%s: %d people are left out, wholly or in a modality, by %s", args.cohort, len(left_out), args.exclude)
    write_features(args.out, args.cohort, blocks, record(__name__, {"parts": sources}, ("h5py",)))


def _provenance(parts: list[Path]) -> dict[str, Any]:
    """What was recorded of the first part, with the programs that made the data of all of them."""
    recorded = [read_provenance(part) for part in parts]
    return recorded[0] | {"pipelines": joined(own["pipelines"] for own in recorded)}


def _is_table(provenance: dict[str, Any]) -> bool:
    """Whether features were read from a table."""
    return bool(provenance["settings"]["source"]["kind"] == "table")
