"""Extract one modality of one cohort into named features with units and a status for everybody."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from pathlib import Path

from brainpid.files import read_own_tsv
from brainpid.options import add_settings, read_settings
from brainpid.provenance import record
from brainpid.source_settings import TableSource
from brainpid.sources.tables import extract_table, read_units
from brainpid.store import write_features

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the verb."""
    parser.add_argument("--cohort", required=True, help="name of the cohort")
    parser.add_argument("--modality", required=True, help="name of the modality")
    parser.add_argument("--participants", required=True, type=Path, help="the cohort's sheet from `participants`")
    add_settings(parser)
    parser.add_argument("--out", required=True, type=Path, help="HDF5 file to write")


def run(args: argparse.Namespace) -> None:
    """Read the sheet and the source, write the features."""
    source = read_settings(args, TableSource)
    block = extract_table(source, read_own_tsv(args.participants), args.modality, read_units(args.participants))
    provenance = record(__name__, source.model_dump(mode="json"), ("numpy", "h5py", "pandas"))
    write_features(args.out, args.cohort, [block], provenance)
    counts = Counter(block.status)
    log.info("%s %s: %d features; %s", args.cohort, args.modality, len(block.names), dict(counts))
