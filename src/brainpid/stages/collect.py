"""Merge a cohort's modalities into one feature file."""

from __future__ import annotations

import argparse
from pathlib import Path

from brainpid.errors import InputError
from brainpid.provenance import record
from brainpid.store import read_features, read_modalities, read_provenance, write_features


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    parser.add_argument("--parts", required=True, nargs="+", type=Path, help="files that `extract` wrote")
    parser.add_argument("--out", required=True, type=Path, help="HDF5 file to write")


def run(args: argparse.Namespace) -> None:
    """Read every part, write one file; each part's provenance travels along."""
    blocks, sources = {}, {}
    for part in args.parts:
        for modality in read_modalities(part):
            if modality in blocks:
                raise InputError(f"{part}: modality '{modality}' of cohort '{args.cohort}' is in another part as well")
            blocks[modality] = read_features(part, modality)
            sources[modality] = read_provenance(part)
    write_features(args.out, args.cohort, blocks.values(), record(__name__, {"parts": sources}, ("h5py",)))
